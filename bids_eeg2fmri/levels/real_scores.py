"""The scores of a recording's synthetic BOLD against the scanner's, beside baselines and chance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from ..bold.atlas import load_atlas
from ..bold.grid import Grid
from ..eeg.recording import Recording
from ..errors import BadDataError, Eeg2fmriError
from ..evaluation.baselines import FIXED_SIGNS
from ..evaluation.connectivity import connectivity_similarity
from ..evaluation.intervals import LEVELS
from ..evaluation.online import OnlineComparison, OnlineScores
from ..evaluation.scores import temporal_correlation
from ..evaluation.voxels import VoxelScores
from ..report.comparison import Comparison
from ..settings import Settings
from ..synthesis.prediction import PredictionBlock, PredictionSummary
from .memory import SCANNER
from .model import Model
from .scanner_bold import ScannerBold, not_compared
from .scanner_series import ScannerSeries

# By definition: a forecast of zero, with the spread of the series as its uncertainty.
_MEAN_VOLUME = {"parcel_r": 0.0, "voxel_r": 0.0, "spatial_r": 0.0, "skill": 0.0, "crps_ratio": 1.0}


def start_comparing(
    scanner: ScannerBold | None, recording: Recording, model: Model, grid: Grid, settings: Settings
) -> tuple[Recording, ScannerComparison | None]:
    """Read the scanner's series at the voxels of a grid; where that fails, the recording says so."""
    if scanner is None:
        return recording, None
    try:
        calibration = model.bundle.metadata.get("calibration") or {}
        memory_bytes = SCANNER.least_bytes if settings.low_mem else SCANNER.usual_bytes
        series = ScannerSeries(scanner.image, grid.coordinates_mm, settings.scratch_dir, memory_bytes)
        return recording, ScannerComparison(scanner, series, grid, calibration)
    except Eeg2fmriError as error:
        return not_compared(recording, error, settings), None


class ScannerComparison:
    """Compares the volumes of one grid while they are predicted.

    Parameters
    ----------
    scanner, series
        The scanner's BOLD, and its series at the voxels of the grid.
    grid
        The output grid.
    calibration
        The bundle's half-widths of the predictive intervals, of ``voxels`` and ``parcels``.

    Raises
    ------
    BadDataError
        The image covers no parcel.
    """

    def __init__(
        self, scanner: ScannerBold, series: ScannerSeries, grid: Grid, calibration: Mapping[str, Mapping[str, float]]
    ) -> None:
        self._scanner, self._series, self._calibration = scanner, series, calibration
        averaging = load_atlas().averaging_matrix(grid.coordinates_mm)
        valid = series.valid
        if not (averaging @ valid.astype(np.float32)).any():
            raise BadDataError(
                f"its signal covers none of the atlas' {averaging.shape[0]} grey-matter parcels.",
                path=scanner.image.source,
                remedy="Give BOLD of the brain in MNI152NLin2009cAsym.",
            )
        self._model = OnlineComparison(
            len(valid), averaging, scanner.image.tr_s, valid=valid, widths=calibration.get("voxels")
        )
        self._previous = VoxelScores(valid)
        self._last = np.zeros((1, len(valid)), np.float32)

    @property
    def metadata(self) -> dict[str, Any]:
        """What the outputs were compared with, for sidecars."""
        return self._scanner.metadata | {"VoxelsCompared": int(self._series.valid.sum())}

    def update(self, block: PredictionBlock) -> None:
        """Take in the next predicted volumes."""
        observed = self._series.volumes(block.first_volume, block.first_volume + len(block.mean_z))
        self._model.update(block.mean_z, block.total_sd_z, observed)
        self._previous.update(np.concatenate([self._last, observed[:-1]]), None, observed)
        self._last = observed[-1:]

    def finish(
        self, summary: PredictionSummary, features: Iterable[Float[np.ndarray, "volumes rows bands"]]
    ) -> Comparison:
        """The scores of the model and of the baselines, and what the report shows.

        ``features`` are what the network received, block by block.
        """
        result = self._model.finish(parcel_sd_z=summary.parcel_sd_z, parcel_widths=self._calibration.get("parcels"))
        scores = result.scores | self._baselines(fixed_sign_power(features, summary.parcel_mean_z.shape[1]), result)
        valid = np.isfinite(result.parcel_r)
        return Comparison(
            source=self._scanner.uri,
            simulated=self._scanner.simulated,
            voxel_r=result.voxels.r,
            parcel_r=result.parcel_r,
            null_parcel_r=np.where(np.isfinite(result.parcel_r), result.null.shifted_parcel_r, np.nan),
            nominal=LEVELS,
            covered=tuple(scores[f"coverage_{100 * level:g}"] for level in LEVELS),
            scores={name: float(f"{value:.6g}") for name, value in scores.items()},
            parcel_error_z=(result.observed_parcels_z - result.predicted_parcels_z)[:, valid],
            parcel_sd_z=summary.parcel_sd_z[result.compared][:, valid],
        )

    def _baselines(self, power: Float[np.ndarray, "volumes parcels"] | None, result: OnlineScores) -> dict[str, float]:
        valid, observed = np.isfinite(result.parcel_r), result.observed_parcels_z
        previous, before = self._previous.scores(), np.concatenate([np.zeros_like(observed[:1]), observed[:-1]])
        scores = {f"{name}_mean_volume": value for name, value in _MEAN_VOLUME.items()}
        scores |= {f"{name}_previous_volume": previous[name] for name in ("voxel_r", "spatial_r", "skill")}
        scores["parcel_r_previous_volume"] = _mean_r(before, observed, valid)
        if power is not None:
            scores["parcel_r_source_power"] = _mean_r(power, observed, valid)
            scores["fc_r_source_power"] = connectivity_similarity(power[:, valid], observed[:, valid])
        return scores


def fixed_sign_power(
    features: Iterable[Float[np.ndarray, "volumes rows bands"]], n_parcels: int
) -> Float[np.ndarray, "volumes parcels"] | None:
    """Source power with fixed signs; ``None`` when the network received something else than source power."""
    blocks = []
    for block in features:
        if block.shape[1:] != (n_parcels, len(FIXED_SIGNS)):
            return None
        blocks.append(block @ np.asarray(FIXED_SIGNS, block.dtype))
    return np.concatenate(blocks)


def _mean_r(
    predicted: Float[np.ndarray, "volumes parcels"],
    observed: Float[np.ndarray, "volumes parcels"],
    valid: Bool[np.ndarray, " parcels"],
) -> float:
    return float(temporal_correlation(predicted[:, valid], observed[:, valid]).mean())
