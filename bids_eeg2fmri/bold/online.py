"""Statistics of a recording's volumes gathered while they stream by."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from .film import SliceFilm
from .grid import Grid
from .series_statistics import N_CARPET, SeriesStatistics, carpet_voxels, inverse_sd, region_weights
from .thinning import ColumnMeans


class OnlineStatistics:
    """Gathers the statistics of a series that is never held as a whole.

    Memory is a few maps, what the carpet shows, the products of its voxels and the pixels of the film, whatever the
    number of volumes.

    Parameters
    ----------
    grid
        The output grid; blocks hold its brain voxels.
    n_volumes
        Number of volumes that will come.
    n_carpet
        Number of voxels of the carpet, drawn at random over the brain.
    """

    def __init__(self, grid: Grid, n_volumes: int, n_carpet: int = N_CARPET) -> None:
        tissue = grid.tissue
        self._seen = 0
        self._reference, self._previous, self._scratch = np.zeros((3, tissue.size), np.float32)
        self._sum, self._square_sum, self._step_square_sum, self._variance_sum = np.zeros((4, tissue.size))
        self._region_weights = region_weights(tissue)
        self._region_means = np.zeros((n_volumes, self._region_weights.shape[1]))
        self._step_rms = np.full(n_volumes, np.nan)
        self._mean_sd = np.zeros(n_volumes, np.float32)
        self._carpet_voxels = carpet_voxels(tissue, n_carpet)
        self._carpet_tissue = tissue[self._carpet_voxels]
        self._carpet = ColumnMeans(n_volumes, self._carpet_voxels.size)
        self._carpet_products = np.zeros((self._carpet_voxels.size,) * 2)
        self._film = SliceFilm(grid, n_volumes)

    def update(
        self, mean_z: Float[np.ndarray, "volumes voxels"], total_sd_z: Float[np.ndarray, "volumes voxels"]
    ) -> None:
        """Take in the next block of predicted volumes and their predictive sd (standardised units)."""
        if self._seen == 0:
            self._reference[:] = mean_z[0]
        block = slice(self._seen, self._seen + mean_z.shape[0])
        self._film.update(self._seen, mean_z, total_sd_z)
        self._region_means[block] = mean_z @ self._region_weights
        self._add_to_carpet(mean_z)
        self._mean_sd[block] = total_sd_z.mean(1)
        for volume_z, sd_z in zip(mean_z, total_sd_z, strict=True):
            self._add_volume(volume_z)
            self._variance_sum += np.multiply(sd_z, sd_z, out=self._scratch)

    def _add_to_carpet(self, mean_z: Float[np.ndarray, "volumes voxels"]) -> None:
        shown = mean_z[:, self._carpet_voxels]
        self._carpet.update(self._seen, shown)
        deviations = shown - self._reference[self._carpet_voxels]
        self._carpet_products += deviations.T @ deviations

    def _add_volume(self, volume_z: Float[np.ndarray, " voxels"]) -> None:
        change = self._scratch
        if self._seen:
            np.subtract(volume_z, self._previous, out=change)
            change *= change
            self._step_square_sum += change
            self._step_rms[self._seen] = np.sqrt(change.mean(dtype=np.float64))
        # Sums of differences from the first volume: no cancellation where the mean outweighs the sd.
        np.subtract(volume_z, self._reference, out=change)
        self._sum += change
        change *= change
        self._square_sum += change
        self._previous[:] = volume_z
        self._seen += 1

    def finish(self) -> SeriesStatistics:
        """The statistics, once every volume has come."""
        seen = self._seen
        variance = self._square_sum / seen - (self._sum / seen) ** 2
        return SeriesStatistics(
            mean_z=(self._reference + self._sum / seen).astype(np.float32),
            tstd_z=np.sqrt(np.maximum(variance, 0)).astype(np.float32),
            total_sd_z=np.sqrt(self._variance_sum / seen).astype(np.float32),
            mean_sd_z=self._mean_sd,
            region_means_z=self._region_means,
            step_rms_z=self._step_rms,
            typical_step_z=float(np.sqrt(self._step_square_sum / max(seen - 1, 1)).mean()),
            carpet_z=self._carpet.means.T,
            carpet_tissue=self._carpet_tissue,
            global_signal_share=self._global_signal_share(),
            film=self._film,
        )

    def _global_signal_share(self) -> float:
        """Mean correlation between all pairs of the carpet's voxels."""
        mean = self._sum[self._carpet_voxels] / self._seen
        covariance = self._carpet_products / self._seen - np.outer(mean, mean)
        weights = inverse_sd(np.diag(covariance)) / len(mean)
        return float(weights @ covariance @ weights)
