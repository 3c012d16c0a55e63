"""From coefficients to volumes: one matrix product per step of voxels, inside one compiled loop."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy.linalg import helmert

from ..network.neuralfield import log_variance

VOXELS_PER_STEP = 8192


class RenderMaps(NamedTuple):
    """Maps over points (voxels or parcels), padded to a whole number of steps.

    Attributes
    ----------
    mean
        Maps of the mean.
    noise
        Maps of the log noise variance.
    factor
        Calibration of the sd.
    """

    mean: Float[Array, "points maps"]
    noise: Float[Array, "points noise"]
    factor: Float[Array, " points"]


class Rendered(NamedTuple):
    """Volumes over the points of :class:`RenderMaps`; the variances are summed over the counted volumes."""

    mean: Float[Array, "volumes points"]
    total_sd: Float[Array, "volumes points"]
    aleatoric: Float[Array, " points"]
    epistemic: Float[Array, " points"]


def pad_maps(
    mean: Float[np.ndarray, "points maps"],
    noise: Float[np.ndarray, "points noise"],
    factor: Float[np.ndarray, " points"],
) -> RenderMaps:
    """Zero-pad maps to a whole number of steps; a few points take one short step."""
    missing = -len(factor) % min(VOXELS_PER_STEP, _round_up(len(factor), 256))
    return RenderMaps(
        jnp.pad(mean, ((0, missing), (0, 0))), jnp.pad(noise, ((0, missing), (0, 0))), jnp.pad(factor, (0, missing))
    )


def _round_up(count: int, multiple: int) -> int:
    return -(-count // multiple) * multiple


@jax.jit
def render(
    coefficients: Float[Array, "members volumes maps"],
    conditions: Float[Array, "volumes conditions"],
    widening: Float[Array, " volumes"],
    counted: Float[Array, " volumes"],
    maps: RenderMaps,
) -> Rendered:
    """Mean and total sd of a block of volumes, and the two variances summed over the counted ones.

    ``widening`` multiplies the sd of a volume.

    The members' spread is expressed in orthonormal contrasts, one fewer than there are members; the sum of their
    squares is the variance between members.
    """
    n_members, n_volumes, n_maps = coefficients.shape
    contrasts = jnp.asarray(helmert(n_members), coefficients.dtype) / np.sqrt(max(n_members - 1, 1))
    spread = jnp.einsum("km,mvr->kvr", contrasts, coefficients)
    stacked = jnp.concatenate([coefficients.mean(axis=0)[None], spread]).reshape(-1, n_maps)
    n_points = len(maps.factor)
    width = min(VOXELS_PER_STEP, n_points)

    def one_step(step: Array, filled: Rendered) -> Rendered:
        start = step * width
        piece = RenderMaps(*(jax.lax.dynamic_slice_in_dim(part, start, width) for part in maps))
        rendered = (stacked @ piece.mean.T).reshape(n_members, n_volumes, width)
        squared = jnp.square(widening[:, None] * piece.factor)
        epistemic = jnp.square(rendered[1:]).sum(axis=0) * squared
        aleatoric = jnp.exp(log_variance(conditions, piece.noise)) * squared
        return Rendered(
            jax.lax.dynamic_update_slice(filled.mean, rendered[0], (0, start)),
            jax.lax.dynamic_update_slice(filled.total_sd, jnp.sqrt(aleatoric + epistemic), (0, start)),
            jax.lax.dynamic_update_slice(filled.aleatoric, counted @ aleatoric, (start,)),
            jax.lax.dynamic_update_slice(filled.epistemic, counted @ epistemic, (start,)),
        )

    volumes, points = jnp.zeros((n_volumes, n_points)), jnp.zeros(n_points)
    return jax.lax.fori_loop(0, n_points // width, one_step, Rendered(volumes, volumes, points, points))
