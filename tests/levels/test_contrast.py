"""People compared at the group level, from images on disk to the page."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from bids_eeg2fmri.errors import BadDataError, MissingInputError, UsageError
from bids_eeg2fmri.levels.group import run_group
from bids_eeg2fmri.settings import Settings

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::RuntimeWarning", "ignore::FutureWarning")
SPACE = "space-MNI152NLin2009cAsym_res-4"
SHAPE, N_VOLUMES, TR_S = (16, 18, 14), 60, 2.0
AFFINE = np.array([[8.0, 0, 0, -60], [0, 8, 0, -90], [0, 0, 8, -50], [0, 0, 0, 1]])
PLANTED = np.zeros(SHAPE, bool)
PLANTED[4:8, 4:8, 4:8] = True
N_PEOPLE = 10


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten people; those of the group ``new`` vary more in a cube."""
    root = tmp_path_factory.mktemp("contrast")
    rng = np.random.default_rng(0)
    rows = ["participant_id\tgroup\tage\tsite"]
    for number in range(1, N_PEOPLE + 1):
        group = "new" if number % 2 else "old"
        rows.append(f"sub-{number:02}\t{group}\t{20 + 3 * number}\tA")
        _write_person(root / "out", f"{number:02}", 3.0 if group == "new" else 1.0, 3.0 + number % 3, rng)
    rows.append("sub-99\tn/a\t50\tA")
    _write_person(root / "out", "99", 1.0, 3.0, rng)
    (root / "in").mkdir()
    (root / "in" / "participants.tsv").write_text("\n".join(rows) + "\n")
    return root


def _write_person(out: Path, label: str, strength: float, sd: float, rng: np.random.Generator) -> None:
    folder = out / f"sub-{label}" / "func"
    folder.mkdir(parents=True)
    stem = f"sub-{label}_task-rest_rec-eeg2fmri"
    inside = np.ones(SHAPE, np.uint8)
    inside[0] = 0
    series = np.sin(2 * np.pi * 0.05 * np.arange(N_VOLUMES) * TR_S + rng.uniform(0, 6))
    data = rng.standard_normal((*SHAPE, N_VOLUMES)) + np.where(PLANTED, strength, 1.0)[..., None] * series
    images = {"desc-preproc_bold": 1000 + data, "desc-brain_mask": inside}
    images |= {f"stat-std_desc-{part}_boldmap": np.full(SHAPE, sd) for part in ("aleatoric", "epistemic")}
    for ending, values in images.items():
        nib.save(nib.Nifti1Image(values.astype(np.float32), AFFINE), folder / f"{stem}_{SPACE}_{ending}.nii.gz")
    sidecar = {"Synthetic": True, "ModelName": "x", "RepetitionTime": TR_S, "Metrics": {"n_volumes": N_VOLUMES}}
    (folder / f"{stem}_{SPACE}_desc-preproc_bold.json").write_text(json.dumps(sidecar))


def _settings(dataset: Path, **changes: Any) -> Settings:
    return Settings(bids_dir=dataset / "in", output_dir=dataset / "out", level="group", **changes)


@pytest.fixture(scope="module")
def compared(dataset: Path) -> Path:
    assert run_group(_settings(dataset, contrast="group"), "cmd") == 0
    return dataset / "out"


def _stem(measure: str) -> str:
    return f"group_{SPACE}_contrast-group_desc-{measure}"


def test_the_planted_difference_is_found_where_it_is(compared: Path) -> None:
    folder = compared / "group_contrast"
    z = nib.load(folder / f"{_stem('amplitude')}_stat-zThresholded_statmap.nii.gz").get_fdata()
    assert (z[PLANTED] < 0).mean() > 0.9
    assert (z[~PLANTED] != 0).mean() < 0.02
    effect = nib.load(folder / f"{_stem('tstd')}_stat-effect_statmap.nii.gz").get_fdata()
    expected = np.sqrt(1 + 0.5) - np.sqrt(1 + 4.5)
    assert effect[PLANTED].mean() == pytest.approx(expected, abs=0.1)
    clusters = pd.read_csv(folder / f"{_stem('amplitude')}_clusters.tsv", sep="\t")
    assert clusters["Peak Stat"].min() < -3


def test_the_description_says_who_and_how(compared: Path) -> None:
    described = json.loads((compared / "group_contrast" / f"{_stem('amplitude')}_statmap.json").read_text())
    assert described["Synthetic"] is True
    assert "old minus new" in described["Description"]
    assert described["People"] == [f"sub-{number:02}" for number in range(1, N_PEOPLE + 1)]
    assert np.mean(described["Weights"]) == pytest.approx(1)
    assert described["Weights"][2] > described["Weights"][1]


def test_the_page_has_a_section(compared: Path) -> None:
    page = (compared / "group.html").read_text("utf-8")
    assert "People compared by group" in page
    assert "old minus new; 10 people, weighted by their uncertainty" in page


def test_numbers_are_a_slope_and_nothing_is_found(dataset: Path) -> None:
    assert run_group(_settings(dataset, contrast="age", contrast_weights="none"), "cmd") == 0
    page = (dataset / "out" / "group.html").read_text("utf-8")
    assert "increase per unit of age; 11 people, all weighing the same" in page
    assert "Nothing survives correction in" in page
    (clusters, *_) = (dataset / "out" / "group_contrast").glob("*contrast-age_*_clusters.tsv")
    assert clusters.read_text().startswith("Cluster ID\tX\tY\tZ\tPeak Stat\tCluster Size (mm3)\n")


def test_people_without_a_value_are_named(dataset: Path, caplog: pytest.LogCaptureFixture) -> None:
    settings = _settings(dataset, contrast="group", participant_label=("01", "02", "99"))
    with caplog.at_level(logging.WARNING), pytest.raises(UsageError, match="one person only"):
        run_group(settings, "cmd")
    assert "sub-99 has no group" in caplog.text


@pytest.mark.parametrize(("column", "reason"), [("height", "has no column 'height'"), ("site", "for everybody")])
def test_columns_that_do_not_do(dataset: Path, column: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        run_group(_settings(dataset, contrast=column), "cmd")


def test_a_damaged_image_is_named_and_the_page_is_there(dataset: Path) -> None:
    (path,) = (dataset / "out").glob("sub-03/func/*_desc-preproc_bold.nii.gz")
    whole = path.read_bytes()
    page = dataset / "out" / "group.html"
    page.unlink(missing_ok=True)
    path.write_bytes(whole[: len(whole) // 2])
    try:
        with pytest.raises(BadDataError, match="--contrast: an image or sidecar of the recording cannot be used"):
            run_group(_settings(dataset, contrast="group"), "cmd")
    finally:
        path.write_bytes(whole)
    assert "sub-03" in page.read_text("utf-8")


def test_without_images(tmp_path: Path) -> None:
    folder = tmp_path / "out" / "parcels" / "sub-01" / "func"
    folder.mkdir(parents=True)
    name = f"sub-01_task-rest_rec-eeg2fmri_{SPACE}_seg-Schaefer200_stat-mean_timeseries.json"
    (folder / name).write_text('{"Synthetic": true, "Metrics": {"n_volumes": 5}}')
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "participants.tsv").write_text("participant_id\tage\nsub-01\t30\n")
    with pytest.raises(MissingInputError, match="no synthetic BOLD images"):
        run_group(_settings(tmp_path, contrast="age"), "cmd")
    assert run_group(_settings(tmp_path), "cmd") == 0
    table = pd.read_csv(tmp_path / "out" / "group_eeg2fmri.tsv", sep="\t")
    assert list(table["n_volumes"]) == [5]
