"""A recording whose run has a scanner's BOLD: scored beside baselines and chance, and never lost because of it."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from scipy.signal import detrend

from bids_eeg2fmri.derivatives.names import sidecar as sidecar_path
from bids_eeg2fmri.report.score_definitions import SCORES

LABEL = "sub-01_task-blocks"


@dataclass(frozen=True)
class Pair:
    """A dataset with EEG and BOLD, and its output; both free to be changed."""

    bids: Path
    out: Path

    @property
    def scanner(self) -> Path:
        return self.bids / "sub-01" / "func" / f"{LABEL}_bold.nii.gz"

    @property
    def bold(self) -> Path:
        (path,) = self.out.rglob("*_desc-preproc_bold.nii.gz")
        return path

    @property
    def correlation(self) -> Path:
        return self.bold.with_name(self.bold.name.replace("desc-preproc_bold", "stat-correlation_boldmap"))

    @property
    def figures(self) -> set[str]:
        return {path.name.partition("_desc-")[2].removesuffix("_bold.svg") for path in self.out.rglob("*.svg")}

    @property
    def sidecar(self) -> dict:
        return json.loads(sidecar_path(self.bold).read_text())


@pytest.fixture(scope="module")
def scored(short_dataset: Path, here, res_4, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    folder = tmp_path_factory.mktemp("scored")
    pair = Pair(folder / "ds", folder / "out")
    shutil.copytree(short_dataset, pair.bids, ignore=shutil.ignore_patterns("derivatives"))
    finished = here(pair.bids, pair.out, "participant", *res_4)
    assert (finished.code, finished.err) == (0, "")
    assert finished.table == {LABEL: ("written", "")}
    return pair


@pytest.fixture
def pair(scored: Pair, tmp_path: Path) -> Pair:
    copied = Pair(tmp_path / "ds", tmp_path / "out")
    shutil.copytree(scored.bids, copied.bids)
    shutil.copytree(scored.out, copied.out)
    return copied


def test_the_map_is_the_correlation_of_the_two_images(scored: Pair) -> None:
    written = nib.load(scored.correlation).get_fdata()
    synthetic, real = nib.load(scored.bold), nib.load(scored.scanner)
    np.testing.assert_allclose(synthetic.affine, real.affine)
    brain = synthetic.get_fdata().std(axis=3) > 0
    one = detrend(synthetic.get_fdata()[brain], axis=1, type="constant")
    other = detrend(real.get_fdata()[brain], axis=1)
    norms = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    expected = np.divide((one * other).sum(axis=1), norms, out=np.zeros(len(norms)), where=norms > 0)
    inside = expected != 0
    assert inside.mean() > 0.9
    # The synthetic image is stored in steps: noise of its own, which the smallest series feel most.
    rounding = synthetic.dataobj.slope / np.sqrt(12) / one[inside].std(axis=1)
    allowed = 0.005 + 6 * rounding / np.sqrt(one.shape[1])
    assert (np.abs(written[brain][inside] - expected[inside]) < allowed).all()
    assert np.median(allowed) < 0.02
    assert (written[~brain] == 0).all()


def test_scores_stand_in_the_sidecar_beside_baselines_and_chance(scored: Pair) -> None:
    sidecar = scored.sidecar
    assert set(SCORES) <= set(sidecar["Metrics"])
    metrics = sidecar["Metrics"]
    written = nib.load(scored.correlation).get_fdata()
    assert metrics["voxel_r"] == pytest.approx(written[written != 0].mean(), abs=0.005)
    assert metrics["parcel_r_mean_volume"] == 0
    assert -1 < metrics["null_r_shift_95"] < 1
    compared = sidecar["ComparedWith"]
    assert compared["Source"] == f"bids:raw:sub-01/func/{LABEL}_bold.nii.gz"
    assert (compared["Simulated"], compared["Volumes"]) == (True, 40)
    assert json.loads(sidecar_path(scored.correlation).read_text())["ComparedWith"] == compared
    assert sidecar["Warnings"] == []


def test_the_validator_finds_no_error(scored: Pair, validator_issues) -> None:
    assert validator_issues(scored.out) == []


def test_the_report_shows_scores_and_figures(scored: Pair) -> None:
    assert {"versus", "sderror"} <= scored.figures
    page = (scored.out / "sub-01.html").read_text("utf-8")
    assert all(f'data-panel="{panel}"' in page for panel in ("scores", "versus", "sderror"))
    assert "simulated scanner" in page
    assert "measured BOLD" not in page.partition('data-panel="scores"')[2].partition('data-panel="outputs"')[0]


def test_the_group_has_the_columns_and_the_table(scored: Pair, here) -> None:
    assert here(scored.bids, scored.out, "group").code == 0
    table = pd.read_csv(scored.out / "group_eeg2fmri.tsv", sep="\t")
    assert table["parcel_r"][0] == pytest.approx(scored.sidecar["Metrics"]["parcel_r"], rel=1e-4)
    definitions = json.loads((scored.out / "group_eeg2fmri.json").read_text())
    assert set(SCORES) <= set(definitions) == set(table.columns)
    page = (scored.out / "group.html").read_text("utf-8")
    assert "Against the scanner" in page and "Chance, circular shifts" in page


def test_a_second_run_does_nothing_until_the_image_changes(pair: Pair, here, res_4, payloads) -> None:
    images = payloads(pair.out)
    assert here(pair.bids, pair.out, "participant", *res_4).table == {LABEL: ("done", "")}
    os.utime(pair.scanner, (1, 1))
    assert here(pair.bids, pair.out, "participant", *res_4).table == {LABEL: ("written", "")}
    assert payloads(pair.out) == images


def test_without_the_image_everything_but_the_scores_is_the_same(pair: Pair, here, res_4, payloads) -> None:
    images, metrics = payloads(pair.out), pair.sidecar["Metrics"]
    shutil.rmtree(pair.scanner.parent)
    finished = here(pair.bids, pair.out, "participant", *res_4)
    assert finished.table == {LABEL: ("written", "")}
    name = str(pair.correlation.relative_to(pair.out))
    assert payloads(pair.out) == {path: digest for path, digest in images.items() if path != name}
    assert not sidecar_path(pair.correlation).exists()
    assert "ComparedWith" not in pair.sidecar
    assert pair.sidecar["Metrics"] == {key: value for key, value in metrics.items() if key not in SCORES}
    assert not {"versus", "sderror"} & pair.figures
    page = (pair.out / "sub-01.html").read_text("utf-8")
    assert "scanner's" not in page
    assert here(pair.bids, pair.out, "group").code == 0
    table = pd.read_csv(pair.out / "group_eeg2fmri.tsv", sep="\t")
    assert not set(SCORES) & set(table.columns)
    assert "Against the scanner" not in (pair.out / "group.html").read_text("utf-8")


def test_clocks_that_disagree_cost_the_scores_alone(pair: Pair, here, res_4, payloads) -> None:
    images = payloads(pair.out)
    image = nib.load(pair.scanner)
    nib.save(image.slicer[..., :33], pair.scanner)
    finished = here(pair.bids, pair.out, "participant", *res_4)
    assert finished.code == 0
    (status, remark) = finished.table[LABEL]
    assert (status, remark[:9]) == ("written", "1 warning")
    (warning,) = pair.sidecar["Warnings"]
    assert "40 volumes every 2 s" in warning and "33 every 2 s" in warning
    assert warning in finished.out
    assert "33 every 2 s" in (pair.out / "sub-01.html").read_text("utf-8")
    name = str(pair.correlation.relative_to(pair.out))
    assert payloads(pair.out) == {path: digest for path, digest in images.items() if path != name}
    assert not set(SCORES) & set(pair.sidecar["Metrics"])


def test_an_image_that_ends_early_costs_the_scores_alone(pair: Pair, here, res_4) -> None:
    pair.scanner.write_bytes(pair.scanner.read_bytes()[:-200_000])
    finished = here(pair.bids, pair.out, "participant", *res_4)
    assert (finished.code, finished.table[LABEL][0]) == (0, "written")
    (warning,) = pair.sidecar["Warnings"]
    assert "of 40 volumes can be read" in warning
    assert not pair.correlation.exists()
    assert warning in " ".join((pair.out / "sub-01.html").read_text("utf-8").replace("&#39;", "'").split())


def test_preprocessed_bold_is_preferred_and_sets_the_instant(pair: Pair, here, res_4, validator_issues) -> None:
    prep = pair.bids.with_name("fmriprep")
    func = prep / "sub-01" / "func"
    func.mkdir(parents=True)
    description = {"Name": "fMRIPrep", "BIDSVersion": "1.10.0", "DatasetType": "derivative"}
    (prep / "dataset_description.json").write_text(json.dumps(description))
    stem = f"{LABEL}_space-MNI152NLin2009cAsym_res-4"
    image = nib.load(pair.scanner)
    nib.save(image, func / f"{stem}_desc-preproc_bold.nii.gz")
    (func / f"{stem}_desc-preproc_bold.json").write_text('{"RepetitionTime": 2.0, "SliceTimingCorrected": true}')
    brain = (image.get_fdata()[..., 0] > 0).astype(np.uint8)
    brain[: len(brain) // 2] = 0
    nib.save(nib.Nifti1Image(brain, image.affine), func / f"{stem}_desc-brain_mask.nii.gz")
    drift = np.random.default_rng(0).standard_normal(40).cumsum()
    table = pd.DataFrame({"trans_x": drift, "trans_y": drift[::-1]})
    table.to_csv(func / f"{LABEL}_desc-confounds_timeseries.tsv", sep="\t", index=False)
    options = ("--derivatives", f"fmriprep={prep}", "--confounds", "trans_x", "trans_y")
    finished = here(pair.bids, pair.out, "participant", *res_4, *options)
    assert (finished.code, finished.table) == (0, {LABEL: ("written", "")})
    sidecar = pair.sidecar
    compared = sidecar["ComparedWith"]
    assert compared["Source"] == f"bids:fmriprep:sub-01/func/{stem}_desc-preproc_bold.nii.gz"
    assert (compared["StartTime"], sidecar["StartTime"], compared["Simulated"]) == (1.0, 1.0, False)
    assert compared["ConfoundsRegressed"] == ["trans_x", "trans_y"]
    correlation = nib.load(pair.correlation).get_fdata()
    assert compared["VoxelsCompared"] == pytest.approx((correlation != 0).sum(), rel=0.01)
    assert (correlation[brain == 0] == 0).all()
    assert validator_issues(pair.out) == []
    assert "measured BOLD" in (pair.out / "sub-01.html").read_text("utf-8")
