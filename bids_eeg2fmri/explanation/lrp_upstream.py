"""The rule of the published package, for comparison with it: it does not conserve relevance.

Stated in the notes on the published package and written anew: ``z = layer(x) + 1e-9`` for every layer, whatever the
sign of its output, and ``R_in = x dz/dx R / z``. Normalisation hands relevance on unchanged, so that its factor and
offset are not accounted for; a sum hands the whole of its relevance to either summand, which doubles it; and the cosine
goes by the generic rule, ``-phase sin(phase) R / cos(phase)``, before the phases are taken for ``min(1 - u, 3 - u)``
with ``u`` in units of pi and without their normalisation.
"""

from __future__ import annotations

from math import pi

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array

from ..network.calhas2022.fourier import FixedFourierFeatures, RandomFourierFeatures
from .lrp_rules import Account, Convolution, Handed, Linear, around, summed

OFFSET = 1e-9


class UpstreamRule:
    """The published package's rule; see :class:`.lrp_rules.Rule` for the methods."""

    def affine(self, linear: Linear, x: Array, bias: Array, relevance: Array) -> Handed:
        """``x`` times the gradient of the output, times relevance over output; the bias' part is lost."""
        linear_part, pull = jax.vjp(linear, x)
        z = linear_part + bias + OFFSET
        share = relevance / z
        passed = x * pull(share)[0]
        return passed, Account(summed(relevance), summed(passed), summed(jnp.broadcast_to(bias, z.shape) * share))

    def convolution(self, layer: Convolution, x: Array, relevance: Array) -> Handed:
        """Normalisation hands relevance on; pooling and convolution follow, each by the generic rule."""
        convolved = layer.convolved(x) + layer.bias
        pooled, _ = self.affine(layer.pooled, convolved, jnp.zeros(()), relevance)
        passed, account = self.affine(layer.convolved, x, layer.bias, pooled)
        return passed, account._replace(received=summed(relevance))

    def rectifier(self, x: Array, relevance: Array) -> Array:
        """By the generic rule: what was rectified away loses its relevance."""
        positive = jnp.maximum(x, 0)
        return relevance * positive / (positive + OFFSET)

    def addition(self, left: Array, right: Array, relevance: Array) -> tuple[Array, Array]:
        """All of it to both."""
        total = left + right
        whole = relevance * total / (total + OFFSET)
        return whole, whole

    def fourier(self, features: nnx.Module, x: Array, relevance: Array) -> Handed:
        """Cosine, then phases."""
        phases = features(x)
        if not isinstance(features, RandomFourierFeatures | FixedFourierFeatures):
            return self.affine(*around(features, x), relevance)
        at_phases = -phases * jnp.sin(phases) * relevance / (jnp.cos(phases) + OFFSET)
        if isinstance(features, FixedFourierFeatures):
            passed, account = self.affine(*around(features, x), at_phases)
            return passed, account._replace(received=summed(relevance))
        frequencies = features.frequencies[...] / features.scale[...]
        u = (x @ frequencies + features.offsets[...]) / pi
        share = at_phases / (jnp.minimum(1 - u, 3 - u) + OFFSET)
        passed = -x * (share @ frequencies.T) / pi
        return passed, Account(summed(relevance), summed(passed), jnp.zeros(len(x)))
