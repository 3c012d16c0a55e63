"""From the volumes of a network with a grid of its own to the voxels of an output grid: once per grid, sparse."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from jaxtyping import Bool, Float
from nibabel.affines import apply_affine
from scipy import sparse
from scipy.spatial import cKDTree

from ..bold.atlas import load_atlas
from ..bold.grid import Grid, sample_template
from ..network.calhas2022.trained import TrainedCalhas2022


@dataclass(frozen=True)
class VolumeMaps:
    """What carries a network's volumes to an output grid.

    Attributes
    ----------
    grid
        The output grid.
    interpolation
        Sparse rows that interpolate the network's volume (flattened in C order) at the output's voxels.
    averaging
        Sparse rows that average the output's voxels over each parcel of the atlas.
    residual_sd
        The network's residual sd at the output's voxels; one, the sd of BOLD, where its volumes do not reach.
    voxel_factor, parcel_factor
        Calibration of the sd.
    """

    grid: Grid
    interpolation: sparse.csr_array
    averaging: sparse.csr_array
    residual_sd: Float[np.ndarray, " voxels"]
    voxel_factor: Float[np.ndarray, " voxels"]
    parcel_factor: Float[np.ndarray, " parcels"]

    @property
    def n_voxels(self) -> int:
        """Brain voxels of the output grid."""
        return int(self.interpolation.shape[0])


def make_volume_maps(network: TrainedCalhas2022, grid: Grid) -> VolumeMaps:
    """Make the maps of one output grid."""
    atlas, coordinates_mm = load_atlas(), grid.coordinates_mm
    brain = sample_template(network.affine, network.config.fmri_shape) > 0
    interpolation = brain_interpolation(brain, network.affine, coordinates_mm)
    residual_sd = interpolation @ np.asarray(network.residual_sd[...]).ravel()
    unreached = interpolation.sum(axis=1) == 0
    return VolumeMaps(
        grid=grid,
        interpolation=interpolation,
        averaging=atlas.averaging_matrix(coordinates_mm),
        residual_sd=np.where(unreached, 1, residual_sd).astype(np.float32),
        voxel_factor=np.asarray(network.voxel_factor[...])[atlas.labels_at(coordinates_mm)],
        parcel_factor=np.asarray(network.parcel_factor[...]),
    )


def brain_interpolation(
    brain: Bool[np.ndarray, "x y z"], affine: Float[np.ndarray, "4 4"], coordinates_mm: Float[np.ndarray, "points 3"]
) -> sparse.csr_array:
    """Sparse (points x voxels) trilinear interpolation between the brain voxels of a volume.

    Voxels outside the brain have no part in it, and the others' weights are scaled to sum to one. A point without a
    brain voxel at the corners of its cell takes the nearest one's value if that is less than a voxel's diagonal away;
    the row of any other point is empty.
    """
    places = apply_affine(np.linalg.inv(affine), coordinates_mm)
    lower = np.floor(places).astype(int)
    share = places - lower
    rows, columns, weights = [], [], []
    for corner in product((0, 1), repeat=3):
        voxel = lower + corner
        weight = np.where(np.array(corner) == 1, share, 1 - share).prod(axis=1)
        inside = ((voxel >= 0) & (voxel < brain.shape)).all(axis=1) & (weight > 0)
        inside[inside] &= brain[tuple(voxel[inside].T)]
        rows.append(np.flatnonzero(inside))
        columns.append(np.ravel_multi_index(tuple(voxel[inside].T), brain.shape))
        weights.append(weight[inside])
    empty = np.setdiff1d(np.arange(len(places)), np.concatenate(rows))
    voxels = np.argwhere(brain)
    if len(empty) and len(voxels):
        distance_mm, nearest = cKDTree(apply_affine(affine, voxels)).query(coordinates_mm[empty])
        near = distance_mm < np.linalg.norm(affine[:3, :3].sum(axis=1))
        rows.append(empty[near])
        columns.append(np.ravel_multi_index(tuple(voxels[nearest[near]].T), brain.shape))
        weights.append(np.ones(near.sum()))
    entries = (np.concatenate(weights), (np.concatenate(rows), np.concatenate(columns)))
    matrix = sparse.csr_array(entries, shape=(len(places), brain.size))
    total = matrix.sum(axis=1)
    return sparse.csr_array(sparse.diags_array(1 / np.where(total > 0, total, 1)) @ matrix, dtype=np.float32)
