"""Fourier features of the latent representation."""

from __future__ import annotations

from math import pi, sqrt

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from .config import FourierNormalization
from .nonnegative import NonNegative

Features = Float[Array, "batch features"]


class RandomFourierFeatures(nnx.Module):
    """Phases of random Fourier features, brought to the cosine's monotone range, 0 to pi.

    Frequencies and offsets are drawn once and kept; their scale is learned. Upstream takes no factor sqrt(2 / D)
    (Rahimi and Recht 2007; Tancik et al. 2020).

    Parameters
    ----------
    n_features
        Length of the input and of the output.
    normalization
        ``"layer"``: layer normalisation with a learned gain and offset, both pi / 2 at first. ``"tanh"``: a hyperbolic
        tangent between 0 and pi.
    """

    def __init__(self, n_features: int, *, normalization: FourierNormalization, rngs: nnx.Rngs) -> None:
        self.frequencies = nnx.Variable(jax.random.normal(rngs.params(), (n_features, n_features)))
        self.offsets = nnx.Variable(jax.random.uniform(rngs.params(), (n_features,), maxval=2 * pi))
        self.scale = NonNegative(jnp.full((1,), sqrt(n_features / 2)))
        start = nnx.initializers.constant(pi / 2)
        self.norm = (
            nnx.LayerNorm(
                n_features, epsilon=1e-3, scale_init=start, bias_init=start, use_fast_variance=False, rngs=rngs
            )
            if normalization == "layer"
            else None
        )

    def __call__(self, x: Features) -> Features:
        """Phases in radians; their cosine is the feature."""
        phases = x @ (self.frequencies[...] / self.scale[...]) + self.offsets[...]
        return self.norm(phases) if self.norm is not None else pi / 2 * (jnp.tanh(phases) + 1)


class FixedFourierFeatures(nnx.Module):
    """Cosines of the input's sum at frequencies that rise from pi to 2 pi in equal ratios.

    All rows of the published kernel are equal, so that the features depend on the sum of the input only.

    Parameters
    ----------
    n_features
        Length of the input and of the output.
    """

    def __init__(self, n_features: int) -> None:
        frequencies = pi * 2 ** (jnp.arange(n_features) / n_features)
        self.frequencies = nnx.Variable(jnp.tile(frequencies, (n_features, 1)))

    def __call__(self, x: Features) -> Features:
        """The features; the network takes their cosine once more, as published."""
        return jnp.cos(x @ self.frequencies[...])
