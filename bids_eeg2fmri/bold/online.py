"""Statistics of a recording's volumes gathered while they stream by, in BOLD units."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from .film import SliceFilm
from .grid import CSF, GREY_MATTER, WHITE_MATTER, Grid
from .units import BASELINE, UNITS_PER_Z

CARPET_ORDER = (GREY_MATTER, WHITE_MATTER, CSF)
_CARPET_SEED = 20090301  # any fixed number: the same voxels in every recording make carpets comparable


class OnlineStatistics:
    """Voxel, tissue and volume statistics of a series that is never held as a whole.

    Memory is a few maps, the carpet's subset and the pixels of :attr:`film`, whatever the number of volumes.

    Parameters
    ----------
    grid
        The output grid; blocks hold its brain voxels.
    n_volumes
        Number of volumes that will come.
    n_carpet
        Number of voxels, drawn at random over the brain, whose whole series is kept.
    """

    def __init__(self, grid: Grid, n_volumes: int, n_carpet: int = 2000) -> None:
        tissue = grid.tissue
        self.n_volumes = n_volumes
        self._seen = 0
        self._reference = np.zeros(tissue.size, np.float32)
        self._previous = np.zeros(tissue.size, np.float32)
        self._scratch = np.zeros(tissue.size, np.float32)
        self._sum, self._square_sum, self._step_square_sum, self._variance_sum = np.zeros((4, tissue.size))
        self._region_weights = _region_weights(tissue)
        self._region_means = np.zeros((n_volumes, self._region_weights.shape[1]))
        self._step_rms = np.full(n_volumes, np.nan)
        self._mean_sd = np.zeros(n_volumes, np.float32)
        self._carpet_voxels = _carpet_voxels(tissue, n_carpet)
        self._carpet = np.zeros((self._carpet_voxels.size, n_volumes), np.float32)
        self._carpet_tissue = tissue[self._carpet_voxels]
        self.film = SliceFilm(grid, n_volumes)

    def update(
        self, mean_z: Float[np.ndarray, "volumes voxels"], total_sd_z: Float[np.ndarray, "volumes voxels"]
    ) -> None:
        """Take in the next block of predicted volumes and their predictive sd (standardised units)."""
        block = slice(self._seen, self._seen + mean_z.shape[0])
        self.film.update(self._seen, mean_z, total_sd_z)
        self._region_means[block] = mean_z @ self._region_weights
        self._carpet[:, block] = mean_z[:, self._carpet_voxels].T
        self._mean_sd[block] = total_sd_z.mean(1)
        for volume_z, sd_z in zip(mean_z, total_sd_z, strict=True):
            self._add_volume(volume_z)
            self._variance_sum += np.multiply(sd_z, sd_z, out=self._scratch)

    def _add_volume(self, volume_z: Float[np.ndarray, " voxels"]) -> None:
        change = self._scratch
        if self._seen == 0:
            self._reference[:] = volume_z
        else:
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

    @property
    def mean_z(self) -> Float[np.ndarray, " voxels"]:
        """Mean over time per voxel, standardised units."""
        return (self._reference + self._sum / self._seen).astype(np.float32)

    @property
    def mean_map(self) -> Float[np.ndarray, " voxels"]:
        """Mean over time per voxel."""
        return BASELINE + UNITS_PER_Z * self.mean_z

    @property
    def tstd_map(self) -> Float[np.ndarray, " voxels"]:
        """Standard deviation over time per voxel (denominator: number of volumes)."""
        variance = self._square_sum / self._seen - (self._sum / self._seen) ** 2
        return (UNITS_PER_Z * np.sqrt(np.maximum(variance, 0))).astype(np.float32)

    @property
    def total_sd_map(self) -> Float[np.ndarray, " voxels"]:
        """Root mean square over time of the predictive sd per voxel."""
        return (UNITS_PER_Z * np.sqrt(self._variance_sum / self._seen)).astype(np.float32)

    @property
    def mean_sd_z(self) -> Float[np.ndarray, " volumes"]:
        """Mean over voxels of the predictive sd, per volume, standardised units."""
        return self._mean_sd

    @property
    def csf(self) -> Float[np.ndarray, " volumes"]:
        """Mean over the template's cerebrospinal fluid."""
        return BASELINE + UNITS_PER_Z * self._region_means[:, 0]

    @property
    def white_matter(self) -> Float[np.ndarray, " volumes"]:
        """Mean over the template's white matter."""
        return BASELINE + UNITS_PER_Z * self._region_means[:, 1]

    @property
    def global_signal(self) -> Float[np.ndarray, " volumes"]:
        """Mean over the brain mask."""
        return BASELINE + UNITS_PER_Z * self._region_means[:, 2]

    @property
    def dvars(self) -> Float[np.ndarray, " volumes"]:
        """Root mean square over the brain of the change from the volume before; NaN for the first."""
        return UNITS_PER_Z * self._step_rms

    @property
    def std_dvars(self) -> Float[np.ndarray, " volumes"]:
        """``dvars`` divided by the mean over voxels of the root mean square change over time."""
        typical = np.sqrt(self._step_square_sum / max(self._seen - 1, 1)).mean()
        return self._step_rms / typical if typical > 0 else self._step_rms

    @property
    def carpet_z(self) -> Float[np.ndarray, "subset volumes"]:
        """Series of the carpet's voxels, ordered grey matter, white matter, CSF; standardised units."""
        return self._carpet

    @property
    def carpet_tissue(self) -> Int[np.ndarray, " subset"]:
        """Tissue of the carpet's voxels."""
        return self._carpet_tissue


def _region_weights(tissue: Int[np.ndarray, " voxels"]) -> Float[np.ndarray, "voxels 3"]:
    """Columns that average brain voxels over CSF, white matter and the whole brain."""
    members = np.stack([tissue == CSF, tissue == WHITE_MATTER, np.ones_like(tissue, bool)], axis=1).astype(np.float32)
    return members / np.maximum(members.sum(0), 1)


def _carpet_voxels(tissue: Int[np.ndarray, " voxels"], n_carpet: int) -> Int[np.ndarray, " subset"]:
    chosen = np.random.default_rng(_CARPET_SEED).choice(tissue.size, min(n_carpet, tissue.size), replace=False)
    chosen.sort()
    rank = np.array([CARPET_ORDER.index(label) for label in tissue[chosen]])
    return chosen[np.argsort(rank, kind="stable")]
