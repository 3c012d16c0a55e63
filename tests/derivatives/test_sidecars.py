"""What the sidecars of a written dataset say."""

from __future__ import annotations

import json

import nibabel as nib
import numpy as np
import pandas as pd

from bids_eeg2fmri.derivatives.completeness import state
from bids_eeg2fmri.derivatives.names import UNCERTAINTY_PARTS, sidecar


def read(path):
    return json.loads(sidecar(path).read_text(encoding="utf-8"))


def test_the_bold_sidecar_says_what_it_is_and_where_it_comes_from(written):
    run = written[0]
    described = read(run.names.bold)
    assert described["Synthetic"] is True
    assert described["Description"] == "Synthetic BOLD predicted from EEG; not a measurement"
    assert (described["TaskName"], described["RepetitionTime"], described["StartTime"]) == ("faces", 2.0, 0.0)
    assert described["SkullStripped"] is True
    assert described["ModelSHA256"] == run.facts.model.sha256
    assert described["TrainingDatasets"] == ["phantom of bids-eeg2fmri (simulated)"]
    start = "bids:raw:sub-01/ses-1/eeg/sub-01_ses-1_task-faces_run-1_"
    assert described["Sources"] == [start + end for end in ("eeg.vhdr", "eeg.eeg", "eeg.vmrk", "events.tsv")]
    assert described["VolumeClock"] == {"FirstVolumeOnset": 12.96, "Source": "markers: R128", "Missing": [7]}
    assert "is set, not predicted" in described["IntensityScaling"]["Statement"]
    assert described["ClippedVoxels"] == 0
    assert described["Metrics"] == {"tsnr_median": 100, "ratio": None}
    assert described["InputHash"] == run.facts.hashes.input
    assert "without a warp" in described["ParcellationNote"]
    assert described["Warnings"] == ["channel ECG is not EEG"]


def test_the_eeg_and_what_was_done_to_it_are_stated(written):
    eeg = read(written[0].names.bold)["EEG"]
    assert eeg["ChannelsUsed"] == ["Fz", "Cz", "Oz"]
    assert eeg["ChannelsBad"] == {"Pz": "flat"}
    assert eeg["ChannelsLeftOut"] == {"ECG": "typed as ECG"}
    assert eeg["ElectrodePositions"] == "standard_1005"
    assert eeg["Reference"] == "FCz"
    assert eeg["Cleaning"] == ["average reference", "linear detrend"]
    assert eeg["BadSegments"] == [[3.0, 4.5]]
    assert (eeg["SamplingFrequency"], eeg["SamplingFrequencyUsed"]) == (1000.0, 250.0)


def test_the_volumes_without_a_whole_history_are_counted(written):
    history = read(written[0].names.bold)["IncompleteHistory"]
    assert history["Seconds"] == 26 - 12.96
    assert history["Volumes"] == 7  # onsets 0 to 12 s after the first


def test_every_image_is_marked_and_belongs_to_its_space(written):
    names = written[0].names
    for path in (names.bold, names.boldref, *(names.uncertainty(part) for part in UNCERTAINTY_PARTS)):
        described = read(path)
        assert described["Synthetic"] is True
        assert "4 x 4 x 4 mm" in described["Resolution"]
        assert "MNI152NLin2009cAsym" in described["SpatialReference"]
    assert read(names.mask)["Type"] == "Brain"
    assert len({read(names.uncertainty(part))["Description"] for part in UNCERTAINTY_PARTS}) == 3


def test_images_hold_the_prediction(written):
    run, mask = written[0], written[0].facts.grid.mask
    bold = nib.load(run.names.bold).get_fdata()
    np.testing.assert_allclose(bold[mask].T, 1000 + 10 * run.mean_z, atol=0.011)
    total = nib.load(run.names.uncertainty("total")).get_fdata()
    np.testing.assert_allclose(total[mask].T, 10 * run.total_sd_z, atol=0.016)
    np.testing.assert_allclose(nib.load(run.names.boldref).get_fdata()[mask], bold[mask].mean(1), atol=0.02)
    np.testing.assert_allclose(nib.load(run.names.uncertainty("aleatoric")).get_fdata()[mask], 4, atol=0.003)
    np.testing.assert_allclose(nib.load(run.names.uncertainty("epistemic")).get_fdata()[mask], 2, atol=0.003)


def test_the_confounds_follow_the_written_image(written):
    run = written[0]
    table = pd.read_csv(run.names.confounds, sep="\t")
    bold = nib.load(run.names.bold).get_fdata()[run.facts.grid.mask]
    np.testing.assert_allclose(table["global_signal"], bold.mean(0), atol=1e-3)
    assert run.names.confounds.read_text().splitlines()[1].count("n/a") == 4 + 18
    assert set(json.loads(sidecar(run.names.confounds).read_text())) == set(table)


def test_required_files_and_events_are_all_there_is_and_the_run_is_done(written):
    for run in written:
        names = run.names
        assert run.has_events == ("task-faces" in names.stem)
        expected = {*names.required, *((names.events, sidecar(names.events)) if run.has_events else ())}
        assert set(names.func_dir.glob(f"{names.stem}_*")) == expected
        assert state(names, run.facts.hashes) == "done"
