"""Scores of the voxels, gathered while blocks of volumes stream by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from .intervals import covered, half_widths, percent
from .scores import crps_gaussian, spatial_correlation

_VOLUMES_PER_STEP = 8
# Of the sum of squares: below it, the spread around the first volume is rounding.
_CONSTANT = 1e-12


@dataclass(frozen=True)
class VoxelMaps:
    """Scores per voxel; NaN where a voxel is not valid or the forecast has no sd.

    Attributes
    ----------
    r
        Correlation over time; zero where a series is constant.
    crps
        Mean CRPS over time, in z.
    coverage
        Share of volumes inside the central interval, by level (``"0.5"`` to ``"0.95"``).
    spatial_r
        Correlation over the valid voxels of every volume.
    """

    r: Float[np.ndarray, " voxels"]
    crps: Float[np.ndarray, " voxels"]
    coverage: dict[str, Float[np.ndarray, " voxels"]]
    spatial_r: Float[np.ndarray, " volumes"]


class VoxelScores:
    """Accumulates the scores of every valid voxel; memory is a dozen maps, whatever the number of volumes.

    Parameters
    ----------
    valid
        Voxels that have a signal to be compared with.
    widths
        Calibrated half-widths of the intervals (see :func:`.intervals.half_widths`).
    """

    def __init__(self, valid: Bool[np.ndarray, " voxels"], widths: Mapping[str, float] | None = None) -> None:
        self._valid = np.asarray(valid, bool)
        self._widths = half_widths(widths)
        count = int(self._valid.sum())
        self._volumes = self._volumes_with_sd = 0
        self._first = np.zeros((2, count))
        self._sums, self._squares = np.zeros((2, count)), np.zeros((2, count))
        self._products, self._errors, self._raw_squares = np.zeros((3, count))
        self._crps, self._climatology, self._sd = np.zeros((3, count))
        self._covered = {level: np.zeros(count) for level in self._widths}
        self._spatial: list[np.ndarray] = []

    def update(
        self,
        mean_z: Float[np.ndarray, "volumes voxels"],
        sd_z: Float[np.ndarray, "volumes voxels"] | None,
        observed_z: Float[np.ndarray, "volumes voxels"],
    ) -> None:
        """Take in the next volumes; all of them must be finite at the valid voxels."""
        if not self._valid.any():
            return
        for start in range(0, len(mean_z), _VOLUMES_PER_STEP):
            step = slice(start, start + _VOLUMES_PER_STEP)
            mean, observed = self._select(mean_z[step]), self._select(observed_z[step])
            self._spatial.append(spatial_correlation(mean, observed))
            self._add_means(mean.astype(np.float64), observed.astype(np.float64))
            if sd_z is not None:
                self._add_intervals(mean, self._select(sd_z[step]), observed)

    def _select(self, block: Float[np.ndarray, "volumes voxels"]) -> Float[np.ndarray, "volumes valid"]:
        return np.asarray(block, np.float32)[:, self._valid]

    def _add_means(
        self, mean: Float[np.ndarray, "volumes valid"], observed: Float[np.ndarray, "volumes valid"]
    ) -> None:
        self._errors += np.square(mean - observed).sum(axis=0)
        self._raw_squares += np.square(observed).sum(axis=0)
        if self._volumes == 0:
            self._first[:] = mean[0], observed[0]
        # Differences from the first volume: a constant series gives exact zeros, not rounding noise.
        mean -= self._first[0]
        observed -= self._first[1]
        self._products += np.einsum("tv,tv->v", mean, observed)
        for row, series in enumerate((mean, observed)):
            self._sums[row] += series.sum(axis=0)
            self._squares[row] += np.einsum("tv,tv->v", series, series)
        self._volumes += len(mean)

    def _add_intervals(
        self,
        mean: Float[np.ndarray, "volumes valid"],
        sd: Float[np.ndarray, "volumes valid"],
        observed: Float[np.ndarray, "volumes valid"],
    ) -> None:
        self._crps += crps_gaussian(mean, sd, observed).sum(axis=0)
        self._climatology += crps_gaussian(np.zeros_like(observed), np.ones_like(observed), observed).sum(axis=0)
        self._sd += sd.sum(axis=0)
        for level, inside in covered(mean, sd, observed, self._widths).items():
            self._covered[level] += inside.sum(axis=0)
        self._volumes_with_sd += len(mean)

    def maps(self) -> VoxelMaps:
        """The scores of every voxel so far."""
        count = max(self._volumes_with_sd, 1)
        has_sd = self._volumes_with_sd > 0
        return VoxelMaps(
            r=self._map(self._correlation()),
            crps=self._map(self._crps / count if has_sd else np.nan),
            coverage={
                level: self._map(inside / count if has_sd else np.nan) for level, inside in self._covered.items()
            },
            spatial_r=np.concatenate(self._spatial) if self._spatial else np.zeros(0, np.float32),
        )

    def scores(self) -> dict[str, float]:
        """The scores averaged over valid voxels; NaN where nothing can be said."""
        maps = self.maps()
        empty = self._volumes == 0
        nothing = float("nan")
        spread = self._squares[1] - self._sums[1] ** 2 / max(self._volumes, 1)
        scores = {
            "voxel_r": nothing if empty else float(np.nanmean(maps.r)),
            "spatial_r": nothing if empty else float(maps.spatial_r.mean()),
            "r2": nothing if empty else _one_minus(self._errors.sum(), spread.sum()),
            "skill": nothing if empty else _one_minus(self._errors.sum(), self._raw_squares.sum()),
        }
        if self._volumes_with_sd and not empty:
            total = self._valid.sum() * self._volumes_with_sd
            scores |= {f"coverage_{percent(k)}": float(inside.sum() / total) for k, inside in self._covered.items()}
            scores["interval_width_90"] = float(2 * self._widths["0.9"] * self._sd.sum() / total)
            scores["crps"] = float(self._crps.sum() / total)
            scores["crps_ratio"] = float(self._crps.sum() / self._climatology.sum())
        return scores

    def _correlation(self) -> Float[np.ndarray, " valid"]:
        count = max(self._volumes, 1)
        spread = self._squares - self._sums**2 / count
        spread = np.where(spread > _CONSTANT * self._squares, spread, 0)
        norm = np.sqrt(spread[0] * spread[1])
        shared = self._products - self._sums[0] * self._sums[1] / count
        return np.where(norm > 0, shared / np.where(norm > 0, norm, 1), 0)

    def _map(self, values: Float[np.ndarray, " valid"] | float) -> Float[np.ndarray, " voxels"]:
        filled = np.full(self._valid.size, np.nan, np.float32)
        filled[self._valid] = values
        return filled


def _one_minus(error: float, reference: float) -> float:
    return float(1 - error / reference) if reference > 0 else float("nan")
