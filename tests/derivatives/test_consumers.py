"""The written dataset in the hands of those who will read it, unmodified."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from nilearn.glm.first_level import first_level_from_bids
from nilearn.interfaces.fmriprep import load_confounds, load_confounds_strategy
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


@pytest.mark.validator
def test_the_bids_validator_finds_no_error(out: Path, tmp_path: Path):
    report = tmp_path / "report.json"
    environment = {**os.environ, "NO_COLOR": "1", "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    validator = shutil.which("bids-validator-deno", path=environment["PATH"])
    assert validator is not None
    done = subprocess.run(
        [validator, str(out), "--format", "json", "-o", str(report), "--ignoreWarnings"],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    issues = json.loads(report.read_text())["issues"]["issues"] if report.exists() else done.stderr
    assert done.returncode == 0, issues


def test_nilearn_loads_every_confound_it_knows(bolds: list[Path]):
    for bold in bolds:
        confounds, _ = load_confounds(
            str(bold),
            strategy=("motion", "high_pass", "wm_csf", "global_signal", "scrub"),
            motion="full",
            wm_csf="full",
            global_signal="full",
            scrub=0,
            std_dvars_threshold=3,
        )
        assert confounds.shape[0] == 90
        assert len([column for column in confounds if column.startswith(("trans", "rot"))]) == 24
        assert {"csf", "white_matter_power2", "global_signal_derivative1", "cosine00"} <= set(confounds)
    assert len(load_confounds_strategy([str(bold) for bold in bolds], denoise_strategy="simple")[0]) == 8


def test_nilearn_fits_a_first_level_model_and_a_contrast(out: Path):
    models, images, events, confounds = first_level_from_bids(
        out,
        "faces",
        space_label="MNI152NLin2009cAsym",
        derivatives_folder=".",
        img_filters=[("desc", "preproc")],
        confounds_strategy=("high_pass", "global_signal"),
        confounds_global_signal="basic",
    )
    assert len(models) == 1
    assert len(images[0]) == len(events[0]) == len(confounds[0]) == 4  # two sessions x two runs
    (model,) = models
    assert model.t_r == 2.0
    assert model.slice_time_ref == 0.0
    model.mask_img = str(images[0][0]).replace("desc-preproc_bold", "desc-brain_mask")
    model.fit(images[0], events=events[0], confounds=confounds[0])
    z_map = model.compute_contrast("A - B", output_type="z_score").get_fdata()
    assert np.isfinite(z_map).all()
    assert z_map.std() > 0.1


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
