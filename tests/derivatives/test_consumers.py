"""The written dataset by the rules of those who will read it; the readers themselves run in ``tests/end_to_end``."""

from __future__ import annotations

import json
import re
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from nilearn.maskers import NiftiLabelsMasker

from bids_eeg2fmri.bold.atlas import load_atlas

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::RuntimeWarning", "ignore::FutureWarning")


@pytest.fixture(scope="module")
def out(written) -> Path:
    return written[0].names.output_dir


@pytest.fixture(scope="module")
def bolds(out: Path) -> list[Path]:
    found = sorted(out.glob("sub-*/ses-*/func/*_desc-preproc_bold.nii.gz"))
    assert len(found) == 8
    return found


def test_nilearn_averages_the_bundled_parcels(bolds: list[Path], written):
    atlas = load_atlas()
    image = nib.Nifti1Image(atlas.labels.astype(np.int16), atlas.affine)
    masker = NiftiLabelsMasker(image, resampling_target="data", keep_masked_labels=True, standardize=None)
    series = masker.fit_transform(str(bolds[0]))
    assert series.shape == (90, 214)
    run = written[0]
    own = 1000 + 10 * (atlas.averaging_matrix(run.facts.grid.coordinates_mm) @ run.mean_z.T).T
    inside = np.ptp(series, axis=0) < 200  # parcels that reach beyond the mask average in zeros
    correlation = [np.corrcoef(series[:, parcel], own[:, parcel])[0, 1] for parcel in np.flatnonzero(inside)]
    assert np.median(correlation) > 0.99


def entities(path: Path) -> dict[str, str]:
    return dict(part.split("-", 1) for part in path.name.split("_") if "-" in part)


def test_giga_connectomes_rules(out: Path, bolds: list[Path]):
    """BOLD by suffix, desc, space and task; all masks of the space; RepetitionTime; framewise displacement."""
    masks = sorted(out.glob("sub-*/ses-*/func/*_mask.nii*"))
    assert len(masks) == len(bolds)
    for bold in bolds:
        found = entities(bold)
        assert (found["space"], found["desc"]) == ("MNI152NLin2009cAsym", "preproc")
        assert "task" in found
        assert "RepetitionTime" in json.loads(Path(str(bold).replace(".nii.gz", ".json")).read_text())
        confounds = pd.read_csv(re.sub(r"_space-.*", "_desc-confounds_timeseries.tsv", str(bold)), sep="\t")
        assert "framewise_displacement" in confounds
        kept = (confounds["framewise_displacement"].fillna(0) < 0.5).sum()
        assert kept > confounds.shape[1]  # fewer volumes than columns would skip the run


def test_xcp_ds_rules(bolds: list[Path]):
    """Reference, mask and confounds (with JSON) of exactly the same entities; rmsd; one TR in header and sidecar."""
    for bold in bolds:
        stem = str(bold).removesuffix("_desc-preproc_bold.nii.gz")
        assert Path(f"{stem}_boldref.nii.gz").exists()
        assert Path(f"{stem}_desc-brain_mask.nii.gz").exists()
        confounds = Path(re.sub(r"_space-.*", "_desc-confounds_timeseries.tsv", stem))
        assert confounds.with_suffix(".json").exists()
        table = pd.read_csv(confounds, sep="\t")
        motion = [f"{kind}_{axis}" for kind in ("trans", "rot") for axis in "xyz"]
        assert {*motion, "rmsd"} <= set(table)
        assert not table[motion].isna().any(axis=None)
        header = nib.load(bold).header
        sidecar = json.loads(Path(f"{stem}_desc-preproc_bold.json").read_text())
        assert header.get_zooms()[3] == pytest.approx(sidecar["RepetitionTime"])
        assert header.get_xyzt_units() == ("mm", "sec")


def test_fitlins_rules(out: Path, bolds: list[Path]):
    """A named pipeline; one BOLD and one mask per set of entities; no other time series; events that carry ``rec``."""
    description = json.loads((out / "dataset_description.json").read_text())
    assert {"Name", "BIDSVersion"} <= set(description)
    assert description["GeneratedBy"][0]["Name"] == "bids_eeg2fmri"
    assert len({tuple(sorted(entities(bold).items())) for bold in bolds}) == len(bolds)
    assert len(list(out.rglob("*_bold.nii.gz"))) == len(bolds)
    series = [*out.rglob("*_timeseries.tsv"), *out.rglob("*_regressors.tsv")]
    assert len(series) == len(bolds)
    assert not [path for kind in ("physio", "stim") for path in out.rglob(f"*_{kind}.tsv*")]
    for bold in bolds:
        events = Path(re.sub(r"_space-.*", "_events.tsv", str(bold)))
        assert events.exists() == ("task-faces" in bold.name)
        mask = Path(str(bold).replace("desc-preproc_bold", "desc-brain_mask"))
        assert "RepetitionTime" in json.loads(Path(str(bold).replace(".nii.gz", ".json")).read_text())
        assert mask.exists()
        assert set(np.unique(np.asarray(nib.load(mask).dataobj))) == {0, 1}
