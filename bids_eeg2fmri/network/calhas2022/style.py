"""What the features of the latent representation are multiplied by."""

from __future__ import annotations

from math import sqrt

import jax
from flax import nnx
from jaxtyping import Array, Float

from .attention import Scores

Features = Float[Array, "batch features"]


class GraphStyle(nnx.Module):
    """A linear function of the attention scores as factors: how channels relate decides which features count.

    Parameters
    ----------
    n_channels
        Number of channels.
    n_features
        Number of features.
    """

    def __init__(self, n_channels: int, n_features: int, *, rngs: nnx.Rngs) -> None:
        self.dense = nnx.Linear(
            n_channels**2, n_features, use_bias=False, kernel_init=nnx.initializers.glorot_uniform(), rngs=rngs
        )

    def __call__(self, features: Features, scores: Scores) -> Features:
        """Styled features."""
        return features * self.dense(scores.reshape(len(scores), -1))


class StylePrior(nnx.Module):
    """Learned factors, the same for every input.

    Parameters
    ----------
    n_features
        Number of features.
    """

    def __init__(self, n_features: int, *, rngs: nnx.Rngs) -> None:
        # Glorot's draw for a vector, whose fan-in and fan-out are both its length.
        limit = sqrt(3 / n_features)
        self.factors = nnx.Param(jax.random.uniform(rngs.params(), (n_features,), minval=-limit, maxval=limit))

    def __call__(self, features: Features, scores: Scores | None) -> Float[Array, "batch features"]:
        """Styled features."""
        return features * self.factors[...]
