"""The output in the hands of nilearn, with anatomy beside it: the template's first, then that of fMRIPrep."""

from __future__ import annotations

import json
import re
import runpy
import shutil
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from nilearn.interfaces.fmriprep import load_confounds

LABEL = "sub-01_task-blocks"

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::RuntimeWarning", "ignore::FutureWarning")


@pytest.fixture(scope="module")
def dataset(short_dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """EEG alone."""
    copied = tmp_path_factory.mktemp("neighbours") / "ds"
    shutil.copytree(short_dataset, copied, ignore=shutil.ignore_patterns("derivatives", "func"))
    return copied


@pytest.fixture(scope="module")
def with_template(dataset: Path, here, res_4) -> Path:
    out = dataset.parent / "out"
    finished = here(dataset, out, "participant", *res_4, "--template-anat")
    assert (finished.code, finished.err) == (0, "")
    assert finished.table == {LABEL: ("written", "")}
    return out


@pytest.fixture
def out(with_template: Path, tmp_path: Path) -> Path:
    """A copy with its times of change."""
    return shutil.copytree(with_template, tmp_path / "out")


def t1w_images(out: Path) -> list[str]:
    return sorted(path.name for path in out.glob("sub-*/anat/*_T1w.nii.gz"))


def test_the_stand_in_is_valid_and_is_not_made_twice(
    dataset: Path, with_template: Path, here, res_4, snapshot, validator_issues
) -> None:
    assert validator_issues(with_template) == []
    assert t1w_images(with_template) == ["sub-01_rec-template_desc-preproc_T1w.nii.gz"]
    before = snapshot(with_template)
    finished = here(dataset, with_template, "participant", *res_4, "--template-anat")
    assert finished.table == {LABEL: ("done", "")}
    assert snapshot(with_template) == before


def test_anatomy_of_fmriprep_takes_the_stand_ins_place(
    dataset: Path,
    out: Path,
    here,
    res_4,
    snapshot,
    validator_issues,
    make_fmriprep: Callable[..., Path],
    tmp_path: Path,
) -> None:
    before = {name: facts for name, facts in snapshot(out).items() if "/func/" in name}
    make_fmriprep(tmp_path / "fmriprep", resolution="2")
    finished = here(dataset, out, "participant", *res_4, "--derivatives", f"fmriprep={tmp_path / 'fmriprep'}")
    assert (finished.code, finished.table) == (0, {LABEL: ("done", "")})
    assert t1w_images(out) == ["sub-01_desc-preproc_T1w.nii.gz"]
    assert {name: facts for name, facts in snapshot(out).items() if "/func/" in name} == before
    links = json.loads((out / "dataset_description.json").read_text())["DatasetLinks"]
    (source,) = json.loads((out / "sub-01/anat/sub-01_desc-preproc_T1w.json").read_text())["Sources"]
    assert source == "bids:fmriprep:sub-01/anat/sub-01_desc-preproc_T1w.nii.gz"
    assert links["fmriprep"] == (tmp_path / "fmriprep").as_uri()
    assert validator_issues(out) == []


def test_anatomy_that_cannot_be_written_fails_alone(dataset: Path, out: Path, here, res_4) -> None:
    shutil.rmtree(out / "sub-01" / "anat")
    (out / "sub-01" / "anat").write_text("in the way")
    finished = here(dataset, out, "participant", *res_4, "--template-anat")
    assert finished.code == 73
    assert {label: status for label, (status, _) in finished.table.items()} == {LABEL: "done", "sub-01_anat": "failed"}
    assert "sub-01_anat: " in finished.last_words
    assert list((out / "logs").rglob("crash-sub-01_anat.txt"))


def test_nilearn_fits_the_contrast_of_the_docs_beside_anatomy(with_template: Path, tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "neighbours.md").read_text("utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    script = tmp_path / "first_level.py"
    script.write_text(code.replace("/data/out", str(with_template)))
    left = runpy.run_path(str(script))
    (image,) = left["images"][0]
    confounds, _ = load_confounds(image, strategy=("high_pass",))
    # Of a single run nilearn gives the table itself, not a list.
    np.testing.assert_array_equal(left["confounds"][0], confounds)
    brain = nib.load(image.replace("desc-preproc_bold", "desc-brain_mask")).get_fdata() == 1
    np.testing.assert_array_equal(left["model"].mask_img.get_fdata() == 1, brain)
    effect = left["effect"].get_fdata()
    assert np.isfinite(effect).all()
    assert effect[brain].std() > 0
    assert (effect[~brain] == 0).all()
