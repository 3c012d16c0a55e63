"""The network's maps on one grid: computed once, used for every recording."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float

from ..bold.atlas import load_atlas
from ..bold.grid import Grid, grey_fraction
from ..network.neuralfield import NeuralField
from ..network.reliability import GROUPS, ReliabilityFields
from .kept_arrays import Arrays, kept_arrays
from .render import RenderMaps, pad_maps

# Larger steps leave the cache, and take longer.
_POINTS_PER_STEP = 8192


@dataclass(frozen=True)
class GridMaps:
    """What the network knows of one grid.

    Attributes
    ----------
    grid
        The grid.
    voxels, parcels
        Maps of the brain's voxels, and the same averaged over each parcel of the atlas.
    reliability
        Fields of the reliability atlas; ``None`` for a network without one.
    """

    grid: Grid
    voxels: RenderMaps
    parcels: RenderMaps
    n_parcels: int
    reliability: ReliabilityFields | None

    @property
    def n_voxels(self) -> int:
        """Brain voxels of the grid."""
        return len(self.grid.coordinates_mm)


def make_grid_maps(network: NeuralField, grid: Grid, folder: Path | None = None) -> GridMaps:
    """Evaluate the network's fields on a grid.

    Parameters
    ----------
    network, grid
        The network and the grid.
    folder
        Where to keep what was computed, for later runs: a folder of this network alone.
    """
    n_voxels, known = len(grid.coordinates_mm), network.reliability.known
    shapes = {"mean": (n_voxels, network.config.n_maps), "noise": (n_voxels, 1 + network.config.n_conditions)}
    if known:
        shapes |= {"r_mean": (n_voxels, len(GROUPS)), "r_log_variance": (n_voxels, 1 + len(GROUPS))}
    path = None if folder is None else folder / f"{_digest(grid)}.npz"
    fields = kept_arrays(path, shapes, lambda: _all_fields(network, grid, known=known))
    mean, noise = fields["mean"], fields["noise"]
    atlas = load_atlas()
    averaging = atlas.averaging_matrix(grid.coordinates_mm)
    voxel_factor = np.asarray(network.voxel_factor[...])[atlas.labels_at(grid.coordinates_mm)]
    parcel_factor = np.asarray(network.parcel_factor[...])
    return GridMaps(
        grid=grid,
        voxels=pad_maps(mean, noise, voxel_factor),
        parcels=pad_maps(averaging @ mean, np.asarray(network.parcel_noise[...]), parcel_factor),
        n_parcels=len(atlas),
        reliability=ReliabilityFields(fields["r_mean"], fields["r_log_variance"]) if known else None,
    )


def _digest(grid: Grid) -> str:
    parts = (np.ascontiguousarray(grid.affine, float), np.array(grid.shape), np.ascontiguousarray(grid.dseg))
    return sha256(b"".join(part.tobytes() for part in parts)).hexdigest()[:32]


def _all_fields(network: NeuralField, grid: Grid, *, known: bool) -> Arrays:
    mean, noise = evaluate_fields(network, grid.coordinates_mm)
    if not known:
        return {"mean": mean, "noise": noise}
    r_mean, r_log_variance = _in_steps(network.reliability.fields, grid.coordinates_mm)
    return {"mean": mean, "noise": noise, "r_mean": r_mean, "r_log_variance": r_log_variance}


def evaluate_fields(
    network: NeuralField, coordinates_mm: Float[np.ndarray, "points 3"]
) -> tuple[Float[np.ndarray, "points maps"], Float[np.ndarray, "points noise"]]:
    """Maps of the mean and of the log noise variance at MNI coordinates, in steps of one compiled shape."""
    mean, noise = _in_steps(lambda *points: _fields(network, *points), coordinates_mm)
    return mean, noise


def _in_steps(
    evaluate: Callable[[Array, Array], tuple[Any, ...]], coordinates_mm: Float[np.ndarray, "points 3"]
) -> list[np.ndarray]:
    """Fields at points, given the grey fraction there, too."""
    grey = grey_fraction(coordinates_mm)
    n_points = len(coordinates_mm)
    step = min(_POINTS_PER_STEP, n_points)
    parts = []
    for start in range(0, n_points, step):
        index = np.minimum(np.arange(start, start + step), n_points - 1)
        parts.append(evaluate(jnp.asarray(coordinates_mm[index]), jnp.asarray(grey[index])))
    return [np.concatenate(column)[:n_points] for column in zip(*parts, strict=True)]


@nnx.jit
def _fields(network: NeuralField, coordinates_mm: Array, grey: Array) -> tuple[Array, Array]:
    return network.field(coordinates_mm, grey), network.noise(coordinates_mm, grey)
