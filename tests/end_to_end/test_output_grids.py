"""Several output grids in one run."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

SPACE = "MNI152NLin2009cAsym"
STEM = "sub-01/func/sub-01_task-blocks_rec-eeg2fmri"
GRIDS = {f"{SPACE}_res-4": 4.0, f"{SPACE}_res-3": 3.0, SPACE: 6.0}


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A grid of somebody's own: 6 mm, upside down along x."""
    path = tmp_path_factory.mktemp("reference") / "reference.nii.gz"
    affine = np.array([[-6.0, 0, 0, 90], [0, 6, 0, -126], [0, 0, 6, -72], [0, 0, 0, 1]])
    nib.Nifti1Image(np.zeros((31, 37, 31, 2), np.uint8), affine).to_filename(path)
    return path


def on_all_grids(reference: Path) -> tuple[str, ...]:
    spaces = ("--output-spaces", f"{SPACE}:res-4", f"{SPACE}:res-3")
    return ("participant", "--reference-image", str(reference), *spaces)


@pytest.fixture(scope="module")
def output(short_dataset: Path, here, reference: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("grids") / "out"
    finished = here(short_dataset, out, *on_all_grids(reference))
    assert finished.code == 0, finished.err
    return out


@pytest.mark.parametrize("space", GRIDS)
def test_every_grid_is_complete(output: Path, reference: Path, space: str) -> None:
    stem = f"{STEM}_space-{space}"
    for ending in ("desc-preproc_bold", "desc-brain_mask", "boldref", "stat-std_desc-total_boldmap"):
        assert nib.load(output / f"{stem}_{ending}.nii.gz").header.get_zooms()[:3] == (GRIDS[space],) * 3
        assert json.loads((output / f"{stem}_{ending}.json").read_text())["Resolution"]
    bold = nib.load(output / f"{stem}_desc-preproc_bold.nii.gz")
    assert bold.shape[3] == 40
    if space == SPACE:
        assert bold.shape[:3] == (31, 37, 31)
        np.testing.assert_array_equal(bold.affine, nib.load(reference).affine)


def test_the_grids_show_the_same_brain(output: Path) -> None:
    """The mean over the mask does not depend on how finely it is sampled."""
    series = []
    for space in GRIDS:
        bold = nib.load(output / f"{STEM}_space-{space}_desc-preproc_bold.nii.gz").get_fdata()
        mask = nib.load(output / f"{STEM}_space-{space}_desc-brain_mask.nii.gz").get_fdata() == 1
        series.append(bold[mask].mean(axis=0))
    correlation = np.corrcoef(series)
    assert correlation.min() > 0.98


def test_tables_and_figures_are_there_once(output: Path) -> None:
    folder = output / "sub-01"
    assert len(list(folder.rglob("*_timeseries.tsv"))) == 1
    assert len(list(folder.rglob("*_events.tsv"))) == 1
    assert len(list(folder.rglob("*_desc-carpet_bold.svg"))) == 1
    assert (output / "sub-01.html").is_file()


def test_the_validator_accepts_them(output: Path, validator_issues) -> None:
    assert validator_issues(output) == []


def test_a_second_run_finds_all_of_them(output: Path, short_dataset: Path, here, reference: Path) -> None:
    finished = here(short_dataset, output, *on_all_grids(reference))
    assert "1 done, 0 stale, 0 to do" in finished.out


def test_the_group_has_one_row_per_grid(output: Path, short_dataset: Path, here) -> None:
    assert here(short_dataset, output, "group").code == 0
    rows = pd.read_csv(output / "group_eeg2fmri.tsv", sep="\t", dtype=str, keep_default_na=False)
    assert sorted(rows["resolution"]) == ["3", "4", "n/a"]


def test_an_image_that_is_none(short_dataset: Path, here, tmp_path: Path) -> None:
    (tmp_path / "reference.nii.gz").write_text("no image")
    finished = here(short_dataset, tmp_path / "out", "participant", "--reference-image", tmp_path / "reference.nii.gz")
    assert finished.code == 65
    assert "reference.nii.gz" in finished.last_words and "Give a NIfTI image" in finished.last_words
