"""The network's maps on one grid: computed once, used for every recording."""

from __future__ import annotations

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float

from ..bold.atlas import load_atlas
from ..bold.grid import Grid, grey_fraction
from ..network.neuralfield import NeuralField
from .render import RenderMaps, pad_maps

_POINTS_PER_STEP = 65536


@dataclass(frozen=True)
class GridMaps:
    """Maps of the brain's voxels, and the same averaged over each parcel of the atlas."""

    voxels: RenderMaps
    parcels: RenderMaps
    n_voxels: int
    n_parcels: int


def make_grid_maps(network: NeuralField, grid: Grid) -> GridMaps:
    """Evaluate the network's fields on a grid."""
    mean, noise = evaluate_fields(network, grid.coordinates_mm)
    atlas = load_atlas()
    averaging = atlas.averaging_matrix(grid.coordinates_mm)
    voxel_factor = np.asarray(network.voxel_factor[...])[atlas.labels_at(grid.coordinates_mm)]
    parcel_factor = np.asarray(network.parcel_factor[...])
    return GridMaps(
        voxels=pad_maps(mean, noise, voxel_factor),
        parcels=pad_maps(averaging @ mean, np.asarray(network.parcel_noise[...]), parcel_factor),
        n_voxels=len(mean),
        n_parcels=len(atlas),
    )


def evaluate_fields(
    network: NeuralField, coordinates_mm: Float[np.ndarray, "points 3"]
) -> tuple[Float[np.ndarray, "points maps"], Float[np.ndarray, "points noise"]]:
    """Maps of the mean and of the log noise variance at MNI coordinates, in steps of one compiled shape."""
    grey = grey_fraction(coordinates_mm)
    n_points = len(coordinates_mm)
    step = min(_POINTS_PER_STEP, n_points)
    parts = []
    for start in range(0, n_points, step):
        index = np.minimum(np.arange(start, start + step), n_points - 1)
        fields = _fields(network, jnp.asarray(coordinates_mm[index]), jnp.asarray(grey[index]))
        parts.append([np.asarray(field)[: min(step, n_points - start)] for field in fields])
    mean, noise = (np.concatenate(column) for column in zip(*parts, strict=True))
    return mean, noise


@nnx.jit
def _fields(network: NeuralField, coordinates_mm: Array, grey: Array) -> tuple[Array, Array]:
    return network.field(coordinates_mm, grey), network.noise(coordinates_mm, grey)
