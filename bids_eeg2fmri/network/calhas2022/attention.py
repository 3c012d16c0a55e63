"""Topographical attention: each channel becomes a weighted mean of all channels."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

Scores = Float[Array, "batch channels channels"]


class TopographicalAttention(nnx.Module):
    """Attention over channels, whose queries are all features of a channel and whose keys are learned.

    Scores are a softmax over channels of products that are not divided by the root of the number of features
    (Calhas and Henriques 2022, arXiv 2203.03481).

    Parameters
    ----------
    n_channels
        Number of channels.
    n_features
        Features of a channel: frequency bins times windows.
    """

    def __init__(self, n_channels: int, n_features: int, *, rngs: nnx.Rngs) -> None:
        self.keys = nnx.Param(nnx.initializers.glorot_uniform()(rngs.params(), (n_channels, n_features)))

    def __call__(
        self, x: Float[Array, "batch channels features"]
    ) -> tuple[Float[Array, "batch channels features"], Scores]:
        """Attended channels, and the scores: row i holds the weights that make channel i."""
        scores = jax.nn.softmax(jnp.einsum("bif,mf->bim", x, self.keys[...]), axis=-1)
        return scores @ x, scores
