"""The epsilon rule for every kind of layer of the published network; relevance is conserved through each.

A rectifier and a cosine act on one unit each and hand its relevance on unchanged. Where the cosine is zero the
contribution of its phase is zero as well only if phases are counted from the nearest zero, pi / 2 + k pi: this is the
root point of the deep Taylor decomposition (Montavon et al. 2017, doi 10.1016/j.patcog.2016.11.008), and the root
itself counts as a bias. Layer normalisation divides by a standard deviation that is held constant (Ali et al. 2022,
arXiv 2202.07304), which leaves an affine function: it is folded into the phases.
"""

from __future__ import annotations

from math import pi

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array

from ..network.calhas2022.fourier import FixedFourierFeatures, RandomFourierFeatures
from .lrp_rules import Convolution, Handed, Linear, around, epsilon_affine, stabilised, value_of


class EpsilonRule:
    """The conservative rule; see :class:`.lrp_rules.Rule` for the methods."""

    def affine(self, linear: Linear, x: Array, bias: Array, relevance: Array) -> Handed:
        """In proportion to the contributions; the bias' part stays in the account."""
        return epsilon_affine(linear, x, bias, relevance)

    def convolution(self, layer: Convolution, x: Array, relevance: Array) -> Handed:
        """Convolution, pooling and normalisation as one piecewise affine layer."""
        return epsilon_affine(layer.linear, x, layer.offset, relevance)

    def rectifier(self, x: Array, relevance: Array) -> Array:
        """Unchanged: what was rectified away has no relevance."""
        return relevance

    def addition(self, left: Array, right: Array, relevance: Array) -> tuple[Array, Array]:
        """In proportion to the summands."""
        share = relevance / stabilised(left + right)
        return left * share, right * share

    def fourier(self, features: nnx.Module, x: Array, relevance: Array) -> Handed:
        """From the cosines through the phases, or from what a dense layer makes, to the latent representation."""
        if isinstance(features, RandomFourierFeatures):
            return _random(features, x, relevance)
        if isinstance(features, FixedFourierFeatures):
            # Twice a cosine; the outer one of the inner, which lies in [-1, 1], has no zero.
            angles: Linear = lambda values: values @ features.frequencies[...]  # noqa: E731
            return epsilon_affine(angles, x, -_root(angles(x)), relevance)
        return epsilon_affine(*around(features, x), relevance)


def _random(features: RandomFourierFeatures, x: Array, relevance: Array) -> Handed:
    frequencies = features.frequencies[...] / features.scale[...]
    offsets = features.offsets[...]
    if features.norm is None:
        # A phase is pi / 2 (tanh(angle) + 1): at the cosine's zero where the angle is zero.
        return epsilon_affine(lambda values: values @ frequencies, x, offsets, relevance)
    gain = value_of(features.norm.scale) / _spread(x @ frequencies + offsets, features.norm.epsilon)
    offset = gain * _centred(offsets[None]) + value_of(features.norm.bias)
    phases: Linear = lambda values: gain * _centred(values @ frequencies)  # noqa: E731
    return epsilon_affine(phases, x, offset - _root(phases(x) + offset), relevance)


def _spread(angles: Array, epsilon: float) -> Array:
    return jnp.sqrt(angles.var(axis=-1, keepdims=True) + epsilon)


def _centred(angles: Array) -> Array:
    return angles - angles.mean(axis=-1, keepdims=True)


def _root(phases: Array) -> Array:
    """The cosine's zero nearest to each phase."""
    return pi / 2 + pi * jnp.round((phases - pi / 2) / pi)
