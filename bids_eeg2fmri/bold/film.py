"""A few slices of a recording at a few times, kept while its volumes stream by."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int
from nibabel.affines import apply_affine

from .grid import Grid

PIXEL_MM = 4.0
_ACROSS_MM = np.arange(-74.0, 75.0, PIXEL_MM)
_ALONG_MM = np.arange(-106.0, 79.0, PIXEL_MM)
_MOST_FRAMES = 40
SLICES_MM = tuple(np.arange(-48.0, 73.0, 8.0).tolist())


class SliceFilm:
    """Axial slices of prediction and uncertainty over time, at 4 mm, whatever the grid.

    Parameters
    ----------
    grid
        The output grid; blocks hold its brain voxels.
    n_volumes
        Number of volumes that will come.
    """

    def __init__(self, grid: Grid, n_volumes: int) -> None:
        self._voxel = _voxel_of_pixel(grid)
        self.volumes: Int[np.ndarray, " frames"] = np.unique(
            np.linspace(0, max(n_volumes - 1, 0), min(n_volumes, _MOST_FRAMES)).round().astype(int)
        )
        size = (len(self.volumes), int(self.inside.sum()))
        self._mean, self._sd = np.zeros(size, np.float32), np.zeros(size, np.float32)

    @property
    def inside(self) -> Bool[np.ndarray, "slices along across"]:
        """Pixels that lie in the brain."""
        return self._voxel >= 0

    @property
    def shown(self) -> Int[np.ndarray, " pixels"]:
        """Brain voxel of every pixel that lies in the brain."""
        return self._voxel[self.inside]

    def fill(self, mean_z: Float[np.ndarray, "frames pixels"], total_sd_z: Float[np.ndarray, "frames pixels"]) -> None:
        """Take in every frame at once: prediction and predictive sd of :attr:`volumes` at :attr:`shown`."""
        self._mean[:], self._sd[:] = mean_z, total_sd_z

    def update(
        self,
        first_volume: int,
        mean_z: Float[np.ndarray, "volumes voxels"],
        total_sd_z: Float[np.ndarray, "volumes voxels"],
    ) -> None:
        """Take in the next block of predicted volumes and their predictive sd."""
        shown = self.shown
        wanted = (self.volumes >= first_volume) & (self.volumes < first_volume + len(mean_z))
        for frame in np.flatnonzero(wanted):
            row = self.volumes[frame] - first_volume
            self._mean[frame], self._sd[frame] = mean_z[row, shown], total_sd_z[row, shown]

    @property
    def mean_z(self) -> Float[np.ndarray, "frames slices along across"]:
        """The prediction, standardised units; NaN outside the brain."""
        return self._spread(self._mean)

    @property
    def sd_z(self) -> Float[np.ndarray, "frames slices along across"]:
        """The predictive sd, standardised units; NaN outside the brain."""
        return self._spread(self._sd)

    def _spread(self, values: Float[np.ndarray, "frames pixels"]) -> Float[np.ndarray, "frames slices along across"]:
        pictures = np.full((len(values), *self._voxel.shape), np.nan, np.float32)
        pictures[:, self.inside] = values
        return pictures


def _voxel_of_pixel(grid: Grid) -> Int[np.ndarray, "slices along across"]:
    """Index of the nearest brain voxel of every pixel; -1 outside the brain."""
    up, along, across = np.meshgrid(SLICES_MM, _ALONG_MM, _ACROSS_MM, indexing="ij")
    places = apply_affine(np.linalg.inv(grid.affine), np.stack([across, along, up], axis=-1)).round().astype(int)
    reached = ((places >= 0) & (places < grid.shape)).all(axis=-1)
    index = np.full(grid.shape, -1)
    index[grid.mask] = np.arange(grid.mask.sum())
    x, y, z = np.moveaxis(np.where(reached[..., None], places, 0), -1, 0)
    return np.where(reached, index[x, y, z], -1)
