"""Scores while volumes stream by, against the same sums over whole series."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d
from scipy.spatial import cKDTree

from bids_eeg2fmri.bold.atlas import load_atlas
from bids_eeg2fmri.bold.grid import make_grid
from bids_eeg2fmri.bold.real_bold import Targets
from bids_eeg2fmri.eeg.recording import Recording
from bids_eeg2fmri.errors import BadDataError
from bids_eeg2fmri.evaluation.baselines import FIXED_SIGNS
from bids_eeg2fmri.levels.model import Model
from bids_eeg2fmri.levels.real_scores import ScannerComparison, start_comparing
from bids_eeg2fmri.levels.scanner_bold import ScannerBold
from bids_eeg2fmri.levels.scanner_series import ScannerSeries
from bids_eeg2fmri.report.comparison import Comparison
from bids_eeg2fmri.settings import OutputSpace, Settings
from bids_eeg2fmri.synthesis.prediction import PredictionBlock, PredictionSummary

GRID = make_grid(OutputSpace(resolution="4"))
N_VOLUMES, TR_S = 100, 2.0
AVERAGING = load_atlas().averaging_matrix(GRID.coordinates_mm)
NEAREST = cKDTree(GRID.coordinates_mm)
VALID = GRID.coordinates_mm[:, 2] > -40


@dataclass(frozen=True)
class Image:
    """Stands for a scanner's image: what it shows is known."""

    z: np.ndarray | None
    valid: np.ndarray = field(default_factory=lambda: VALID)
    source: Path = Path("/data/sub-01/func/x_bold.nii.gz")
    tr_s: float = TR_S
    n_volumes: int = N_VOLUMES
    start_time_s: float = 0.0

    def targets(self, points_mm: np.ndarray) -> Targets:
        if self.z is None:
            raise BadDataError("12 of 100 volumes can be read.", path=self.source)
        _, voxels = NEAREST.query(points_mm)
        one = np.ones(len(points_mm), np.float32)
        return Targets(self.z[:, voxels], one, one, self.valid[voxels])


@pytest.fixture(scope="module")
def observed() -> np.ndarray:
    """Slow series of the parcels plus noise of each voxel, standardised over time; 0 where not valid."""
    rng = np.random.default_rng(5)
    slow = gaussian_filter1d(rng.standard_normal((N_VOLUMES, 214)), 2.0, axis=0)
    series = slow / slow.std(axis=0) @ (AVERAGING.toarray() > 0) + rng.standard_normal((N_VOLUMES, len(VALID)))
    series = (series - series.mean(axis=0)) / series.std(axis=0)
    return np.where(VALID, series, 0).astype(np.float32)


def compare(
    observed: np.ndarray,
    predicted: np.ndarray,
    sd: float = 1.0,
    features: np.ndarray | None = None,
    blocks: tuple[int, ...] = (0, 1, 40, 77, N_VOLUMES),
) -> Comparison:
    scanner = ScannerBold(cast(Any, Image(observed)), "bids:raw:x_bold.nii.gz", True, ())
    series = ScannerSeries(scanner.image, GRID.coordinates_mm, Path(tempfile.gettempdir()), 2**30)
    comparing = ScannerComparison(scanner, series, GRID, {})
    for first, last in pairwise(blocks):
        comparing.update(PredictionBlock(first, predicted[first:last], np.full_like(predicted[first:last], sd)))
    parcels = predicted @ AVERAGING.T
    if features is None:
        features = np.zeros((N_VOLUMES, 19, 7))
    summary = SimpleNamespace(parcel_mean_z=parcels, parcel_sd_z=np.full_like(parcels, sd))
    assert comparing.metadata["VoxelsCompared"] == VALID.sum()
    return comparing.finish(cast(PredictionSummary, summary), np.array_split(features, 3))


def mean_correlation(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.mean([np.corrcoef(a, b)[0, 1] for a, b in zip(one.T, other.T, strict=True)]))


@pytest.fixture(scope="module")
def of_constant(observed: np.ndarray) -> dict[str, float]:
    """Scores of a prediction of zero."""
    return dict(compare(observed, np.zeros_like(observed)).scores)


def test_the_scanners_own_series_scores_perfectly(observed: np.ndarray) -> None:
    scores = compare(observed, observed).scores
    assert [scores[name] for name in ("parcel_r", "voxel_r", "spatial_r", "skill", "fc_r")] == pytest.approx([1.0] * 5)
    assert scores["null_r_shift_95"] < 0.2
    assert scores["fdr_parcels"] > 0.95


def test_a_constant_prediction_scores_as_the_mean_volume(of_constant: dict[str, float]) -> None:
    for name in ("parcel_r", "voxel_r", "spatial_r", "skill", "crps_ratio"):
        assert of_constant[name] == pytest.approx(of_constant[f"{name}_mean_volume"], abs=1e-6)


def test_the_sizes_of_the_blocks_change_nothing(observed: np.ndarray) -> None:
    rng = np.random.default_rng(8)
    predicted = (0.5 * observed + rng.standard_normal(observed.shape)).astype(np.float32)
    one = compare(observed, predicted, blocks=(0, N_VOLUMES))
    other = compare(observed, predicted)
    assert one.scores == pytest.approx(other.scores, rel=1e-5)
    np.testing.assert_allclose(one.voxel_r, other.voxel_r, atol=1e-5)


def test_the_map_and_the_mean_against_numpy(observed: np.ndarray) -> None:
    predicted = (0.5 * observed + np.random.default_rng(8).standard_normal(observed.shape)).astype(np.float32)
    result = compare(observed, predicted)
    assert np.isnan(result.voxel_r[~VALID]).all()
    chosen = np.flatnonzero(VALID)[::500]
    expected = [np.corrcoef(predicted[:, voxel], observed[:, voxel])[0, 1] for voxel in chosen]
    np.testing.assert_allclose(result.voxel_r[chosen], expected, atol=1e-5)
    assert result.scores["voxel_r"] == pytest.approx(
        mean_correlation(predicted[:, VALID], observed[:, VALID]), abs=1e-4
    )
    assert np.nanmean(result.parcel_r) == pytest.approx(result.scores["parcel_r"], abs=1e-5)
    assert np.quantile(result.null_parcel_r.mean(axis=1), 0.95) == pytest.approx(
        result.scores["null_r_shift_95"], abs=0.01
    )


def test_the_previous_volume_against_numpy(observed: np.ndarray, of_constant: dict[str, float]) -> None:
    scores = of_constant
    valid = observed[:, VALID]
    before = np.concatenate([np.zeros_like(valid[:1]), valid[:-1]])
    assert scores["voxel_r_previous_volume"] == pytest.approx(mean_correlation(before, valid), abs=1e-4)
    expected = 1 - np.square(before - valid).sum() / np.square(valid).sum()
    assert scores["skill_previous_volume"] == pytest.approx(expected, abs=1e-5)
    assert scores["parcel_r_previous_volume"] > 0.7


def test_source_power_is_added_up_with_its_signs(observed: np.ndarray, of_constant: dict[str, float]) -> None:
    parcels = observed @ AVERAGING.T
    bands = np.stack([sign * parcels for sign in FIXED_SIGNS], axis=-1)
    scores = compare(observed, np.zeros_like(observed), features=bands).scores
    assert scores["parcel_r_source_power"] > 0.9
    assert "parcel_r_source_power" not in of_constant


@pytest.mark.parametrize(("sd", "covered"), [(1.0, (0.5, 0.8, 0.9, 0.95)), (100.0, (1.0, 1.0, 1.0, 1.0))])
def test_coverage_of_normal_errors(observed: np.ndarray, sd: float, covered: tuple[float, ...]) -> None:
    noise = np.random.default_rng(9).standard_normal(observed.shape).astype(np.float32)
    result = compare(observed, observed + noise, sd)
    assert result.nominal == (0.5, 0.8, 0.9, 0.95)
    assert result.covered == pytest.approx(covered, abs=0.005)
    assert result.scores["coverage_90"] == pytest.approx(result.covered[2], rel=1e-5)


@pytest.mark.parametrize("memory_bytes", [2**30, 2**22, 2**20])
def test_a_series_in_parts_is_the_whole(observed: np.ndarray, tmp_path: Path, memory_bytes: int) -> None:
    series = ScannerSeries(cast(Any, Image(observed)), GRID.coordinates_mm, tmp_path, memory_bytes)
    np.testing.assert_array_equal(series.valid, VALID)
    for first, last in ((0, 1), (40, 77), (0, N_VOLUMES), (99, 100)):
        np.testing.assert_array_equal(series.volumes(first, last), observed[first:last])
    assert list(tmp_path.iterdir()) == []


WHITE_MATTER = load_atlas().labels_at(GRID.coordinates_mm) == 0


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (Image(None), "12 of 100 volumes can be read."),
        (Image(np.ones((N_VOLUMES, len(VALID)), np.float32), WHITE_MATTER), "its signal covers none of the atlas'"),
    ],
)
def test_an_image_that_cannot_be_compared_costs_the_scores_alone(
    image: Image, reason: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    scanner = ScannerBold(cast(Any, image), "bids:raw:x_bold.nii.gz", False, ())
    recording = Recording(
        **dict.fromkeys(Recording.__dataclass_fields__) | {"source": Path("x_eeg.edf"), "warnings": ()}
    )
    model = cast(Model, SimpleNamespace(bundle=SimpleNamespace(metadata={})))
    settings = Settings(Path("/data"), Path("/out"), "participant", work_dir=tmp_path)
    settings.scratch_dir.mkdir()
    warned, comparing = start_comparing(scanner, recording, model, GRID, settings)
    assert comparing is None
    (sentence,) = warned.warnings
    assert sentence.startswith(f"Not compared with the scanner's BOLD: sub-01/func/x_bold.nii.gz: {reason}")
    assert sentence in caplog.text
    assert start_comparing(None, recording, model, GRID, settings) == (recording, None)
