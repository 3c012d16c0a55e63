"""What is read of synthetic derivatives and of EEG, and the labels that go with it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from synthetic_derivatives import N_VOLUMES, TR_S, write_recording, write_table

from bids_eeg2fmri.bold.atlas import NETWORKS, load_atlas
from bids_eeg2fmri.bold.haemodynamics import hrf
from bids_eeg2fmri.classification.band_power import eeg_files, event_power, power_table, read_eeg, recording_power
from bids_eeg2fmri.classification.labels import (
    LabelledEvent,
    class_names,
    event_labels,
    people_labels,
    recording_labels,
)
from bids_eeg2fmri.classification.view import coarsest, read_view
from bids_eeg2fmri.classification.view_features import event_features, recording_features, recording_names
from bids_eeg2fmri.errors import BadDataError, MissingInputError, UsageError
from bids_eeg2fmri.settings import Settings

_EXAMPLE = Path(__file__).parents[2] / "examples" / "ds-eegmat"
_PARCELS = len(load_atlas())


@pytest.fixture(scope="module")
def view(tmp_path_factory):
    """A recording whose first network is twice as large as the others and moves together."""
    rng = np.random.default_rng(3)
    networks = np.array(load_atlas().networks)
    series = rng.normal(size=(N_VOLUMES, _PARCELS))
    first = networks == NETWORKS[0]
    series[:, first] = 2 * (0.8 * rng.normal(size=(N_VOLUMES, 1)) + 0.6 * rng.normal(size=(N_VOLUMES, first.sum())))
    series[4 + 10 : 4 + 14] += 1.0
    incomplete = {"Volumes": 4}
    clock = {"FirstVolumeOnset": 1.5, "Source": "markers: R128"}
    root = tmp_path_factory.mktemp("view")
    sidecar = write_recording(root, "sub-01_task-rest", series, IncompleteHistory=incomplete, VolumeClock=clock)
    return read_view(sidecar), series


def test_parcel_series_are_read_as_they_were_written(view):
    read, series = view
    # A few small parcels have no voxel in so coarse an image.
    there = read.series_z.std(axis=0) > 0
    assert there.mean() > 0.9
    np.testing.assert_allclose(read.series_z[:, there], series[:, there], atol=1e-3)
    assert (read.person, read.label, read.tr_s, read.n_incomplete) == ("sub-01", "sub-01_task-rest", TR_S, 4)
    assert not read.assumed_clock
    assert read.first_volume_onset_s == 1.5


def test_amplitudes_and_connectivity(view):
    read, _ = view
    names, blocks = recording_names()
    values = dict(zip(names, recording_features(read, 36 * TR_S), strict=True))
    first = [values[name] for name, network in zip(load_atlas().names, load_atlas().networks, strict=True)
             if network == NETWORKS[0] and np.isfinite(values[name])]  # fmt: skip
    others = [values[name] for name, network in zip(load_atlas().names, load_atlas().networks, strict=True)
              if network == NETWORKS[2] and np.isfinite(values[name])]  # fmt: skip
    assert np.mean(first) - np.mean(others) == pytest.approx(np.log(2), abs=0.3)
    assert values["Vis-Vis"] > 0.5 > abs(values["Vis-Limbic"])
    assert len(names) == len(blocks) == _PARCELS + 36


def test_windows_make_lengths_comparable(view):
    read, _ = view
    halves = [recording_features(read, 18 * TR_S), recording_features(read, 18.4 * TR_S)]
    np.testing.assert_array_equal(*halves)
    assert not np.allclose(halves[0], recording_features(read, 36 * TR_S), equal_nan=True)


def test_the_response_to_an_event_is_found_where_it_was_planted(tmp_path):
    times = TR_S * np.arange(N_VOLUMES)
    series = np.random.default_rng(0).normal(0, 0.01, (N_VOLUMES, _PARCELS))
    series[:, :50] += hrf(times[:, None] - 20.0)
    read = read_view(write_recording(tmp_path, "sub-01_task-rest", series))
    values = event_features(read, 20.0, 1.0)
    assert values[:50].mean() > 5 * abs(values[50:]).max()
    assert event_features(read, times[-1] - 2.0, 1.0) is None


def test_the_coarsest_grid_of_every_recording():
    paths = [
        Path(f"sub-{sub}_task-{task}_rec-eeg2fmri_space-MNI152NLin2009cAsym_res-{res}_desc-preproc_bold.json")
        for sub, task, res in (("01", "a", "2"), ("01", "a", "4"), ("01", "b", "2"), ("02", "a", "3"))
    ]
    assert coarsest(paths) == [paths[1], paths[2], paths[3]]


def test_labels_of_people(tmp_path):
    write_table(tmp_path / "participants.tsv", {"sub-01": "x", "sub-02": "n/a"}, ("participant_id", "group"))
    assert people_labels(tmp_path, "group") == {"sub-01": "x"}
    with pytest.raises(UsageError, match=r"no such column.*participant_id, group"):
        people_labels(tmp_path, "sex")
    with pytest.raises(MissingInputError, match=r"participants\.tsv"):
        people_labels(tmp_path / "elsewhere", "group")


def test_labels_of_recordings(tmp_path, view):
    read, _ = view
    assert recording_labels(tmp_path, [read], "task")[0] == {read.key: "rest"}
    scans = {"eeg/sub-01_task-rest_eeg.edf": "drug", "eeg/sub-01_task-rest_run-2_eeg.edf": "none"}
    write_table(tmp_path / "sub-01" / "sub-01_scans.tsv", scans, ("filename", "arm"))
    labels, source = recording_labels(tmp_path, [read], "arm")
    assert labels[read.key] == "drug"
    assert "scans.tsv" in source
    write_table(tmp_path / "participants.tsv", {"sub-01": "x"}, ("participant_id", "group"))
    assert recording_labels(tmp_path, [read], "group")[0] == {read.key: "x"}
    with pytest.raises(UsageError, match="neither an entity"):
        recording_labels(tmp_path, [read], "nowhere")


def test_labels_of_events(view):
    read, _ = view
    path = read.path.with_name("sub-01_task-rest_rec-eeg2fmri_events.tsv")
    path.write_text("onset\tduration\ttrial_type\n2\t1\tface\n4\tn/a\thouse\n6\t1\tn/a\n")
    assert event_labels(read, "trial_type") == [LabelledEvent(2, 1, "face"), LabelledEvent(4, 0, "house")]
    with pytest.raises(UsageError, match="no such column"):
        event_labels(read, "accuracy")


def test_names_of_classes():
    assert class_names(["10", "2", "2"], "n") == ("2", "10")
    assert class_names(["b", "a"], "n") == ("a", "b")
    with pytest.raises(BadDataError, match="too many to be classes"):
        class_names(map(str, range(11)), "age")


def test_band_power_of_the_eeg_behind_a_recording(tmp_path):
    read = read_view(write_recording(tmp_path, "sub-00_task-rest", np.zeros((20, _PARCELS))))
    settings = Settings(bids_dir=_EXAMPLE, output_dir=tmp_path, level="group")
    recording = read_eeg(eeg_files([read], settings)[read.key], read, settings)
    assert recording.clock.tr_s == TR_S
    whole = recording_power(recording)
    assert len(whole.channels) == 19
    delta, _, alpha, beta, *_ = whole.log_power[whole.channels.index("O1")]
    # A few microvolts squared per hertz, of somebody at rest with an alpha rhythm.
    assert alpha > beta + 1
    assert -28 < delta < -22
    event = event_power(recording, LabelledEvent(10.0, 20.0, "x"), 0.0)
    assert abs(np.nanmedian(event.log_power)) < 1.0
    table, names = power_table([whole, event])
    assert table.shape == (2, 19 * 6) == (2, len(names))
    missing = Settings(bids_dir=tmp_path, output_dir=tmp_path, level="group")
    assert eeg_files([read], missing) == {}
