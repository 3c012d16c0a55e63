"""From coefficients to volumes: one matrix product per step of voxels, inside one compiled loop."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Shaped
from scipy.linalg import helmert

from ..derivatives.encoding import Encoding
from ..network.neuralfield import log_variance

# What a step computes stays within a core's cache.
VOXELS_PER_STEP = 2048


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


class Encoded(NamedTuple):
    """Volumes as images store them.

    Attributes
    ----------
    mean, total_sd
        The stored numbers.
    aleatoric, epistemic
        As in :class:`Rendered`.
    sd_sum
        The sum over points of every volume's total sd, standardised.
    fits
        Whether the stored types can hold every value; the numbers are of no use otherwise.
    """

    mean: Shaped[Array, "volumes points"]
    total_sd: Shaped[Array, "volumes points"]
    aleatoric: Float[Array, " points"]
    epistemic: Float[Array, " points"]
    sd_sum: Float[Array, " volumes"]
    fits: Bool[Array, ""]


def pad_maps(
    mean: Float[np.ndarray, "points maps"],
    noise: Float[np.ndarray, "points noise"],
    factor: Float[np.ndarray, " points"],
) -> RenderMaps:
    """Zero-pad maps to a whole number of steps; a few points take one short step."""
    missing = -len(factor) % min(VOXELS_PER_STEP, _round_up(len(factor), 256))
    over_points, as_they_are = (0, missing), (0, 0)
    padded = (np.pad(part, (over_points, as_they_are)[: part.ndim]) for part in (mean, noise, factor))
    return RenderMaps(*map(jax.device_put, padded))


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
    """
    as_they_are = Encoding("float32")
    inputs = (coefficients, conditions, widening, counted, maps)
    encoded = render_encoded(*inputs, bold=as_they_are, total_sd=as_they_are)
    return Rendered(encoded.mean, encoded.total_sd, encoded.aleatoric, encoded.epistemic)


@partial(jax.jit, static_argnames=("bold", "total_sd"))
def render_encoded(
    coefficients: Float[Array, "members volumes maps"],
    conditions: Float[Array, "volumes conditions"],
    widening: Float[Array, " volumes"],
    counted: Float[Array, " volumes"],
    maps: RenderMaps,
    *,
    bold: Encoding,
    total_sd: Encoding,
) -> Encoded:
    """The volumes of :func:`render` as images with these encodings store them."""
    n_members, n_volumes, n_maps = coefficients.shape
    stacked = _mean_and_contrasts(coefficients).reshape(-1, n_maps)
    n_points = len(maps.factor)
    width = min(VOXELS_PER_STEP, n_points)

    def one_step(step: Array, filled: Encoded) -> Encoded:
        start = step * width
        piece = RenderMaps(*(jax.lax.dynamic_slice_in_dim(part, start, width) for part in maps))
        rendered = (stacked @ piece.mean.T).reshape(n_members, n_volumes, width)
        squared = jnp.square(widening[:, None] * piece.factor)
        # Written out, the sum is one pass with all that follows; XLA makes a slow one of a reduction.
        epistemic = sum((jnp.square(contrast) for contrast in rendered[1:]), start=jnp.zeros(())) * squared
        aleatoric = jnp.exp(log_variance(conditions, piece.noise)) * squared
        sd = jnp.sqrt(aleatoric + epistemic)
        mean_numbers, mean_fits = _numbers(rendered[0], bold)
        sd_numbers, sd_fits = _numbers(sd, total_sd)
        return Encoded(
            jax.lax.dynamic_update_slice(filled.mean, mean_numbers, (0, start)),
            jax.lax.dynamic_update_slice(filled.total_sd, sd_numbers, (0, start)),
            jax.lax.dynamic_update_slice(filled.aleatoric, counted @ aleatoric, (start,)),
            jax.lax.dynamic_update_slice(filled.epistemic, counted @ epistemic, (start,)),
            filled.sd_sum + sd.sum(axis=1),
            filled.fits & mean_fits & sd_fits,
        )

    means, sds = (jnp.zeros((n_volumes, n_points), encoding.dtype) for encoding in (bold, total_sd))
    points = jnp.zeros(n_points)
    empty = Encoded(means, sds, points, points, jnp.zeros(n_volumes), jnp.array(True))
    return jax.lax.fori_loop(0, n_points // width, one_step, empty)


def _mean_and_contrasts(
    coefficients: Float[Array, "members volumes maps"],
) -> Float[Array, "members volumes maps"]:
    """The members' mean, and their spread in orthonormal contrasts, one fewer than there are members.

    The sum of the contrasts' squares is the variance between members.
    """
    n_members = len(coefficients)
    contrasts = jnp.asarray(helmert(n_members), coefficients.dtype) / np.sqrt(max(n_members - 1, 1))
    spread = jnp.einsum("km,mvr->kvr", contrasts, coefficients)
    return jnp.concatenate([coefficients.mean(axis=0)[None], spread])


def _numbers(
    values: Float[Array, "volumes points"], encoding: Encoding
) -> tuple[Shaped[Array, "volumes points"], Bool[Array, ""]]:
    """Values as the encoding stores them, and whether it can."""
    numbers = values * (encoding.gain / encoding.slope) + (encoding.offset - encoding.intercept) / encoding.slope
    if encoding.is_integer:
        numbers = jnp.round(numbers)
    lowest, highest = encoding.limits
    # NaN fails both comparisons.
    fits = ((numbers >= lowest) & (numbers <= highest)).all()
    return numbers.astype(encoding.dtype), fits
