"""Output names as the BIDS conventions of fMRIPrep's consumers want them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bids_eeg2fmri.bids.recording_file import RecordingFile
from bids_eeg2fmri.bold.grid import Grid
from bids_eeg2fmri.derivatives.names import output_names, sidecar

OUT = Path("/out")
FULL = RecordingFile(Path("x.edf"), Path("/raw"), "raw", "01", "faces", "Y", "A", "02")
BARE = RecordingFile(Path("x.edf"), Path("/raw"), "raw", "01", "rest")


def test_all_entities_in_bids_order(grid: Grid):
    names = output_names(OUT, FULL, grid)
    func, start = OUT / "sub-01/ses-Y/func", "sub-01_ses-Y_task-faces_acq-A_rec-eeg2fmri_run-02"
    space = "space-MNI152NLin2009cAsym_res-4"
    assert names.bold == func / f"{start}_{space}_desc-preproc_bold.nii.gz"
    assert names.mask == func / f"{start}_{space}_desc-brain_mask.nii.gz"
    assert names.boldref == func / f"{start}_{space}_boldref.nii.gz"
    assert names.uncertainty("total") == func / f"{start}_{space}_stat-std_desc-total_boldmap.nii.gz"
    assert names.reliability == func / f"{start}_{space}_stat-reliability_boldmap.nii.gz"
    assert names.interpretable == func / f"{start}_{space}_stat-reliability_desc-interpretable_boldmap.nii.gz"
    assert names.confounds == func / f"{start}_desc-confounds_timeseries.tsv"
    assert names.events == func / f"{start}_events.tsv"
    assert names.figure("carpet") == OUT / "sub-01/figures" / f"{start}_desc-carpet_bold.svg"
    assert names.subject_html == OUT / "sub-01.html"


def test_absent_entities_leave_no_trace_and_a_reference_grid_has_no_res(grid: Grid):
    names = output_names(OUT, BARE, replace(grid, resolution=None))
    assert names.bold == (
        OUT / "sub-01/func/sub-01_task-rest_rec-eeg2fmri_space-MNI152NLin2009cAsym_desc-preproc_bold.nii.gz"
    )


@pytest.mark.parametrize("ending", [".nii.gz", ".tsv"])
def test_sidecars_stand_beside_their_file(ending: str):
    assert sidecar(OUT / f"sub-01_bold{ending}") == OUT / "sub-01_bold.json"


def test_the_bold_sidecar_is_required_last(grid: Grid):
    names = output_names(OUT, FULL, grid)
    assert names.required[-1] == sidecar(names.bold)
    assert len(names.required) == len(set(names.required)) == 14
    assert len({*names.required, *names.with_reliability}) == 18
