"""Attention over the spatial axes of a latent representation."""

from __future__ import annotations

from math import prod

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float


class LatentSpatialAttention(nnx.Module):
    """Weighted sums over the spatial positions of a latent representation, one per head and time.

    With two spatial axes (channels and frequencies) it is the published attention on latent EEG, with three the one
    on latent fMRI. The published synthesis network uses neither.

    Parameters
    ----------
    spatial_shape
        Lengths of the axes that are attended to.
    n_heads
        Number of sums per time.
    """

    def __init__(self, spatial_shape: tuple[int, ...], n_heads: int, *, rngs: nnx.Rngs) -> None:
        positions = prod(spatial_shape)
        self.n_heads = n_heads
        self.kernel = nnx.Param(nnx.initializers.glorot_uniform()(rngs.params(), (positions, positions * n_heads)))

    def __call__(self, z: Float[Array, "batch *spatial times"]) -> Float[Array, "batch heads times"]:
        """Attended latent representation."""
        x = jnp.swapaxes(z.reshape(len(z), -1, z.shape[-1]), 1, 2)
        logits = (x @ self.kernel[...]).reshape(*x.shape, self.n_heads)
        return jnp.einsum("btn,btnh->bht", x, jax.nn.softmax(logits, axis=2))
