"""Layer-wise relevance propagation: how a layer hands the relevance of its outputs on to its inputs.

An output is a sum of contributions, ``z_j = sum_i x_i w_ij + b_j``. The epsilon rule (Bach et al. 2015, PLoS ONE
10:e0130140, equation 58; Montavon et al. 2019, doi 10.1007/978-3-030-28954-6_10) shares an output's relevance in
proportion to them,

    R_i = sum_j x_i w_ij s_j,    s_j = R_j / (z_j + epsilon sign(z_j)),

with ``sign(0) = 1``: the stabiliser never brings a denominator nearer to zero. What the biases contributed,
``sum_j b_j s_j``, is not spread over the inputs, which had no part in it: it is kept in the layer's account, so that
what a layer receives is what it passes on, plus the biases' part, plus what the stabiliser takes.

The contributions are those of a layer's piecewise linear function: convolution, pooling (the winner takes all) and
batch normalisation in use (a factor and an offset per filter) are one such function.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeAlias, cast

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from ..network.calhas2022.config import Shape3
from ..network.calhas2022.convolution import max_pool, same_convolution, valid_convolution

# Share of the root mean square of a layer's outputs.
EPSILON = 1e-5

Values: TypeAlias = Float[Array, "batch *units"]
Linear: TypeAlias = Callable[[Array], Array]


class Account(NamedTuple):
    """Sums of relevance of one layer, one per example.

    Attributes
    ----------
    received, passed
        Relevance of the layer's outputs and of its inputs.
    biases
        Relevance that belongs to biases and offsets.
    """

    received: Float[Array, " batch"]
    passed: Float[Array, " batch"]
    biases: Float[Array, " batch"]


Handed: TypeAlias = tuple[Array, Account]


@dataclass(frozen=True)
class Convolution:
    """One convolution of a residual block with the pooling and the normalisation that follow it.

    Attributes
    ----------
    conv, norm
        The layers; ``norm=None`` where there is none.
    strides
        Of a convolution over valid windows; ``None`` for one that keeps the shape.
    pool, pool_stride
        Window and stride of the pooling; ``pool=None`` where there is none.
    """

    conv: nnx.Conv
    norm: nnx.BatchNorm | None
    strides: Shape3 | None
    pool: Shape3 | None
    pool_stride: Shape3

    def convolved(self, x: Array) -> Array:
        """The convolution without its bias."""
        kernel = self.conv.kernel[...]
        return same_convolution(x, kernel) if self.strides is None else valid_convolution(x, kernel, self.strides)

    def pooled(self, x: Array) -> Array:
        """The pooling."""
        return x if self.pool is None else max_pool(x, self.pool, self.pool_stride)

    @property
    def bias(self) -> Float[Array, " filters"]:
        """Bias of the convolution."""
        return jnp.zeros(self.conv.out_features) if self.conv.bias is None else self.conv.bias[...]

    @property
    def factor(self) -> Float[Array, " filters"]:
        """Factor of the normalisation."""
        if self.norm is None:
            return jnp.ones(self.conv.out_features)
        return value_of(self.norm.scale) / jnp.sqrt(value_of(self.norm.var) + self.norm.epsilon)

    @property
    def offset(self) -> Float[Array, " filters"]:
        """What the normalisation makes of the bias, and its own offset."""
        if self.norm is None:
            return self.bias
        return value_of(self.norm.bias) + self.factor * (self.bias - value_of(self.norm.mean))

    def linear(self, x: Array) -> Array:
        """All three layers without their offsets, which pooling does not mix: they are the same in every window."""
        return self.factor * self.pooled(self.convolved(x))

    def __call__(self, x: Array) -> Array:
        """All three layers."""
        return self.linear(x) + self.offset


class Rule(Protocol):
    """How relevance goes through the kinds of layers of the published network."""

    def affine(self, linear: Linear, x: Array, bias: Array, relevance: Array) -> Handed:
        """Through ``linear(x) + bias``; ``linear`` is piecewise linear and 0 at 0."""
        ...

    def convolution(self, layer: Convolution, x: Array, relevance: Array) -> Handed:
        """Through a convolution, pooling and normalisation."""
        ...

    def rectifier(self, x: Array, relevance: Array) -> Array:
        """Through ``max(x, 0)``."""
        ...

    def addition(self, left: Array, right: Array, relevance: Array) -> tuple[Array, Array]:
        """To both summands."""
        ...

    def fourier(self, features: nnx.Module, x: Array, relevance: Array) -> Handed:
        """From the cosines of the Fourier features, or what stands in their place, to the latent representation."""
        ...


def epsilon_affine(linear: Linear, x: Array, bias: Array, relevance: Array) -> Handed:
    """The epsilon rule with the signed stabiliser."""
    linear_part, pull = jax.vjp(linear, x)
    z = linear_part + bias
    share = relevance / stabilised(z)
    passed = x * pull(share)[0]
    return passed, Account(summed(relevance), summed(passed), summed(jnp.broadcast_to(bias, z.shape) * share))


def stabilised(z: Array) -> Array:
    """Outputs, moved away from zero by a share of their root mean square."""
    epsilon = EPSILON * jnp.sqrt(jnp.mean(jnp.square(z)) + jnp.finfo(z.dtype).tiny)
    return z + jnp.where(z >= 0, epsilon, -epsilon)


def summed(relevance: Array) -> Float[Array, " batch"]:
    """Sum over everything but the examples."""
    return relevance.reshape(len(relevance), -1).sum(axis=1)


def around(function: Callable[[Array], Array], x: Array) -> tuple[Linear, Array, Array]:
    """A function's linear part at ``x``, ``x``, and the offset that makes it exact there: for :meth:`Rule.affine`."""
    output, linear = jax.linearize(function, x)
    return linear, x, output - linear(x)


def value_of(parameter: nnx.Variable[Array] | None) -> Array:
    """Array of a parameter that this network's layers all have."""
    return cast("nnx.Variable[Array]", parameter)[...]
