"""Downloads in their real layouts, converted and read by the package; damaged ones refused."""

from __future__ import annotations

import json

import nibabel as nib
import numpy as np
import pytest
from published_replicas import write_cn_epfl, write_noddi, write_oddball
from scipy.io import loadmat, savemat

from benchmarks.published import cn_epfl, noddi, oddball
from benchmarks.published.bids_writing import write_description
from bids_eeg2fmri.bids.selection import select_recordings
from bids_eeg2fmri.eeg.read import read_recording
from bids_eeg2fmri.errors import BadDataError, Eeg2fmriError, MissingInputError
from bids_eeg2fmri.settings import Settings

CONVERTERS = {"noddi": noddi, "oddball": oddball, "cn-epfl": cn_epfl}


@pytest.fixture(scope="module")
def downloads(tmp_path_factory):
    """One person of every download, and the signals that it was made of."""
    root = tmp_path_factory.mktemp("downloads")
    made = {
        "noddi": write_noddi(root / "noddi", ["32"]),
        "oddball": write_oddball(root / "oddball", ["001"]),
        "cn-epfl": write_cn_epfl(root / "cn-epfl", ["02"]),
    }
    return root, {name: next(iter(signals.values())) for name, signals in made.items()}


@pytest.fixture(scope="module")
def converted(downloads, tmp_path_factory):
    """What the converters make of them."""
    root, _ = downloads
    target = tmp_path_factory.mktemp("converted")
    for name, converter in CONVERTERS.items():
        (person,) = converter.people(root / name)
        (run,) = converter.runs(person, every=False)
        assert not converter.is_converted(target / name, run)
        converter.convert(root / name, run, target / name)
        assert converter.is_converted(target / name, run)
        kind = "derivative" if name == "cn-epfl" else "raw"
        write_description(target / name, name, ["Nobody"], "https://example.org", kind)
    return target


@pytest.mark.parametrize(
    ("name", "tr_s", "first_s", "n_channels", "sfreq_hz"),
    [("noddi", 2.16, 37 / 250, 29, 250), ("oddball", 2.0, 0.0, 34, 1000), ("cn-epfl", 1.28, 2.0, 16, 250)],
)
def test_package_reads_signals_and_clock(downloads, converted, name, tr_s, first_s, n_channels, sfreq_hz):
    signals = downloads[1][name]
    settings = Settings(converted / name, converted / "out", "train", skip_bids_validation=name == "cn-epfl")
    (file,) = select_recordings(settings).recordings

    recording = read_recording(file, settings)

    assert recording.clock.tr_s == pytest.approx(tr_s)
    assert recording.clock.n_volumes == len(signals.percent)
    assert recording.clock.first_volume_onset_s == pytest.approx(first_s, abs=2e-3)
    assert recording.source_sfreq_hz == sfreq_hz
    assert len(recording.channel_names) == n_channels
    assert not set(recording.channel_names) & {"ECG", "ECG1", "EOGh"}
    assert _agreement(recording, signals) > 0.9


@pytest.mark.parametrize("name", ["noddi", "oddball"])
def test_converted_dataset_is_valid_bids(converted, validator_issues, name):
    assert validator_issues(converted / name) == []


def test_images_keep_their_voxels_and_state_their_repetition_time(downloads, converted):
    original = nib.load(downloads[0] / "noddi/fMRI/32/3_nw_mepi_rest_with_cross.nii.gz")
    copy = nib.load(converted / "noddi/sub-32/func/sub-32_task-rest_bold.nii.gz")

    np.testing.assert_array_equal(np.asarray(copy.dataobj), np.asarray(original.dataobj))
    np.testing.assert_array_equal(copy.affine, original.affine)
    assert copy.header.get_zooms()[3] == pytest.approx(2.16)
    assert copy.header.get_xyzt_units() == ("mm", "sec")


def test_sidecars_state_what_fmriprep_needs(converted):
    (sidecar,) = (converted / "noddi").glob("sub-32/func/*_bold.json")
    content = json.loads(sidecar.read_text())

    assert content["RepetitionTime"] == 2.16
    assert len(content["SliceTiming"]) == 30
    assert (converted / "noddi/sub-32/anat/sub-32_T1w.nii.gz").exists()
    assert (converted / "oddball/sub-01/anat/sub-01_T1w.nii.gz").exists()


def test_stimuli_of_the_oddball_become_events(converted):
    (table,) = (converted / "oddball").glob("sub-01/eeg/*_events.tsv")
    rows = [line.split("\t") for line in table.read_text().splitlines()]
    kind, onset = rows[0].index("trial_type"), rows[0].index("onset")
    events = {row[kind]: float(row[onset]) for row in rows[1:] if "/" in row[kind]}

    assert events == {"auditory/standard": 5.0, "auditory/target": 8.0}


def test_all_runs_of_the_oddball_are_named():
    labels = [(run.task, run.run) for run in oddball.runs("01", every=True)]

    assert len(labels) == len(set(labels)) == 6
    assert labels[0] == ("auditoryoddballwithbuttonresponsetotargetstimuli", "01")


def _oddball_without_variable(person):
    path = person / "EEG/task001_run001/EEG_noGA.mat"
    savemat(path, {"data_reref": loadmat(path)["data_noGA"][:37]})


def _oddball_at_another_rate(person):
    path = person / "EEG/task001_run001/EEG_noGA.mat"
    savemat(path, {"data_noGA": loadmat(path)["data_noGA"][:, ::2]})


def _oddball_truncated(person):
    path = person / "EEG/task001_run001/EEG_noGA.mat"
    path.write_bytes(path.read_bytes()[:3000])


def _oddball_with_few_channels(person):
    savemat(person / "EEG/task001_run001/EEG_noGA.mat", {"data_noGA": np.zeros((43, 80_000))})


def _oddball_without_bold(person):
    (person / "BOLD/task001_run001/bold.nii.gz").unlink()


def _oddball_with_one_volume(person):
    nib.save(nib.Nifti1Image(np.ones((3, 3, 3)), np.eye(4)), person / "BOLD/task001_run001/bold.nii.gz")


@pytest.mark.parametrize(
    ("damage", "kind", "said"),
    [
        (_oddball_without_variable, BadDataError, r"no variable data_noGA \(there: data_reref\)"),
        (_oddball_at_another_rate, BadDataError, "make 500 Hz"),
        (_oddball_truncated, BadDataError, "no readable MATLAB file"),
        (_oddball_with_few_channels, BadDataError, "49 channels by samples are expected"),
        (_oddball_without_bold, MissingInputError, "the BOLD image is missing"),
        (_oddball_with_one_volume, BadDataError, "no series of volumes"),
    ],
)
def test_damaged_oddball_is_refused(tmp_path, downloads, damage, kind, said):
    root = _copy(downloads[0] / "oddball", tmp_path)
    damage(root / "sub001")

    with pytest.raises(kind, match=said):
        oddball.convert(root, oddball.runs("01", every=False)[0], tmp_path / "bids")


def _noddi_without_export(root):
    (root / "EEG1/32/export").rename(root / "EEG1/32/raw")


def _noddi_without_signal(root):
    (root / "EEG1/32/export/2013_export.eeg").unlink()


def _noddi_at_another_rate(root):
    header = root / "EEG1/32/export/2013_export.vhdr"
    header.write_text(header.read_text("utf-8").replace("SamplingInterval=4000", "SamplingInterval=200"), "utf-8")


def _noddi_with_another_tr(root):
    path = root / "fMRI/32/3_nw_mepi_rest_with_cross.nii.gz"
    image = nib.load(path)
    changed = nib.Nifti1Image(np.asarray(image.dataobj), image.affine)
    changed.header["pixdim"][4] = 3.0
    nib.save(changed, path)


def _noddi_without_bold(root):
    (root / "fMRI/32/3_nw_mepi_rest_with_cross.nii.gz").unlink()


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (_noddi_without_export, "folder of the EEG export is missing"),
        (_noddi_without_signal, "a file of the EEG is missing"),
        (_noddi_at_another_rate, "sampling rate is 5000 Hz"),
        (_noddi_with_another_tr, "states a repetition time of 3"),
        (_noddi_without_bold, "the BOLD image is missing"),
    ],
)
def test_damaged_noddi_is_refused(tmp_path, downloads, damage, said):
    root = _copy(downloads[0] / "noddi", tmp_path)
    damage(root)

    with pytest.raises(Eeg2fmriError, match=said):
        noddi.convert(root, noddi.runs("32", every=False)[0], tmp_path / "bids")


@pytest.mark.parametrize(
    ("replace", "said"),
    [
        (("Response,R128", "Stimulus,S  1"), "no volume markers to correct"),
        (("SamplingInterval=200.0", "SamplingInterval=1000.0"), "sampling rate is 1000 Hz"),
    ],
)
def test_damaged_cn_epfl_is_refused(tmp_path, downloads, replace, said):
    root = _copy(downloads[0] / "cn-epfl", tmp_path)
    for path in root.glob("sub-02/ses-001/eeg/*.v*"):
        path.write_text(path.read_text("utf-8").replace(*replace), "utf-8")

    with pytest.raises(BadDataError, match=said):
        cn_epfl.convert(root, cn_epfl.runs("02", every=False)[0], tmp_path / "clean")


def _copy(source, tmp_path):
    """The folder as links to files that tests replace, never change."""
    root = tmp_path / "download"
    for path in source.rglob("*"):
        if path.is_file():
            target = root / path.relative_to(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    return root


def _agreement(recording, signals):
    """Least correlation over electrodes between what was read and what was simulated, in the alpha band."""
    from scipy.signal import butter, sosfiltfilt

    names = {name: index for index, name in enumerate(signals.names)}
    truth = signals.eeg_v - signals.eeg_v.mean(axis=0)
    found = recording.signals_v - recording.signals_v.mean(axis=0)
    order = [names[name] for name in recording.channel_names]
    n_samples = int(min(truth.shape[1] / 250, found.shape[1] / recording.sfreq_hz) * 50)
    correlations = []
    for one, other in zip(truth[order], found, strict=True):
        filtered = [
            sosfiltfilt(butter(3, [7, 13], "bandpass", fs=rate, output="sos"), series)
            for series, rate in ((one, 250.0), (other, recording.sfreq_hz))
        ]
        times = np.arange(n_samples)[50:-50] / 50
        sampled = [
            np.interp(times, np.arange(len(series)) / rate, series)
            for series, rate in zip(filtered, (250.0, recording.sfreq_hz), strict=True)
        ]
        correlations.append(np.corrcoef(*sampled)[0, 1])
    return min(correlations)
