"""Inverse cosine transform whose high frequencies are drawn: the published variational decoder."""

from __future__ import annotations

from functools import partial
from typing import get_args

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float, Int, PRNGKeyArray

from .config import ArchitectureError, Distribution, Shape3
from .cosine import inverse_cosine
from .mean_field import MeanFieldNormal, normal_divergence
from .nonnegative import NonNegative
from .von_mises import one_minus_mean_cosine, sample_von_mises, von_mises_divergence

# Projected to zero, a standard deviation would be infinitely far from its prior.
_LEAST_SD = 1e-6


class VariationalInverseCosine(nnx.Module):
    """Volumes from few predicted cosine coefficients and many drawn ones.

    The predicted coefficients are multiplied by one normal draw each. Coefficients of higher frequencies are then
    added along one axis after the other, drawn from learned distributions, and the volume follows by the zero-padded
    inverse transform. A draw is shared by the batch.

    Parameters
    ----------
    in_shape
        Shape of the predicted coefficients.
    out_shape
        Shape of the volume.
    random_shape
        How many coefficients are drawn along each axis.
    dependent
        Mix the drawn coefficients of ``n_heads`` distributions with weights that depend on the input.
    n_heads
        Number of distributions; 1 unless ``dependent``.
    distribution
        ``"Normal"``, or ``"VonMises"``: the cosine of an angle.
    random_padding
        Scatter the predicted coefficients among the drawn ones instead of keeping the lowest frequencies for them.

    Raises
    ------
    ArchitectureError
        If the predicted and drawn coefficients outnumber the voxels along an axis, or heads are asked for that
        nothing mixes, or the distribution does not exist.
    """

    def __init__(
        self,
        in_shape: Shape3,
        out_shape: Shape3,
        random_shape: Shape3,
        *,
        dependent: bool = False,
        n_heads: int = 1,
        distribution: Distribution = "Normal",
        random_padding: bool = False,
        rngs: nnx.Rngs,
    ) -> None:
        _check_shapes(in_shape, out_shape, random_shape)
        if not dependent and n_heads != 1:
            raise ArchitectureError(f"{n_heads} heads need dependent=True, which mixes them.")
        if distribution not in get_args(Distribution):
            raise ArchitectureError(
                f"distribution={distribution!r} does not exist.",
                remedy=f"Choose one of {', '.join(get_args(Distribution))}.",
            )
        self.out_shape = out_shape
        self.distribution = distribution
        self.dependent = dependent
        self.block_shapes = _block_shapes(in_shape, random_shape)
        self.amplitude = MeanFieldNormal(in_shape, mean_type=NonNegative, rngs=rngs)
        size = sum(a * b * c for a, b, c in self.block_shapes)
        glorot = nnx.initializers.glorot_uniform()
        self.loc = nnx.Param(glorot(rngs.params(), (n_heads, size)))
        self.scale = NonNegative(jnp.ones((n_heads, size)))
        if dependent:
            n_known = in_shape[0] * in_shape[1] * in_shape[2]
            self.mixers = nnx.List([nnx.Param(glorot(rngs.params(), (n_known, n_heads))) for _ in range(3)])
            self.biases = nnx.Param(jnp.ones((n_heads, size)))
        self.orders = nnx.List(
            [
                nnx.Variable(_scattered(rngs.params(), known, drawn) if random_padding else jnp.arange(known + drawn))
                for known, drawn in zip(in_shape, random_shape, strict=True)
            ]
        )

    def __call__(self, x: Float[Array, "batch a b c"], key: PRNGKeyArray | None) -> Float[Array, "batch x y z"]:
        """Volumes with one draw of the coefficients, or their expectation when ``key`` is ``None``."""
        amplitude_key, coefficient_key = (None, None) if key is None else jax.random.split(key)
        drawn = self._blocks(x, self._coefficients(coefficient_key))
        z = x * self.amplitude.sample(amplitude_key)
        for axis, (block, shape, order) in enumerate(zip(drawn, self.block_shapes, self.orders, strict=True), start=1):
            block = jnp.broadcast_to(block.reshape(-1, *shape), (len(x), *shape))
            z = jnp.take(jnp.concatenate([z, block], axis=axis), order[...], axis=axis)
        return inverse_cosine(z, self.out_shape)

    def divergence(self) -> Float[Array, ""]:
        """Kullback-Leibler divergence of everything that is drawn from its prior, in nats.

        The prior is the standard normal distribution, and the uniform one for angles.
        """
        if self.distribution == "VonMises":
            drawn = von_mises_divergence(self.scale[...])
        else:
            drawn = normal_divergence(self.loc[...], self.scale[...] + _LEAST_SD)
        return self.amplitude.divergence() + drawn

    def _coefficients(self, key: PRNGKeyArray | None) -> Float[Array, "heads coefficients"]:
        loc, scale = self.loc[...], self.scale[...]
        if self.distribution == "VonMises":
            if key is None:
                return (1 - one_minus_mean_cosine(scale)) * jnp.cos(loc)
            return jnp.cos(sample_von_mises(key, loc, scale))
        return loc if key is None else loc + scale * jax.random.normal(key, loc.shape)

    def _blocks(
        self, x: Float[Array, "batch a b c"], coefficients: Float[Array, "heads coefficients"]
    ) -> list[Float[Array, "mixtures block"]]:
        """Drawn coefficients of the three axes, one row per example, or a single row when they do not depend on it."""
        sizes = [a * b * c for a, b, c in self.block_shapes]
        ends = (sizes[0], sizes[0] + sizes[1])
        if not self.dependent:
            return jnp.split(coefficients, ends, axis=1)
        blocks = jnp.split(self.biases[...] * coefficients, ends, axis=1)
        flat = x.reshape(len(x), -1)
        return [
            jax.nn.softmax(flat @ mixer[...], axis=-1) @ block for mixer, block in zip(self.mixers, blocks, strict=True)
        ]


def _check_shapes(in_shape: Shape3, out_shape: Shape3, random_shape: Shape3) -> None:
    if any(known + drawn > out for known, drawn, out in zip(in_shape, random_shape, out_shape, strict=True)):
        raise ArchitectureError(
            f"{in_shape} predicted and {random_shape} drawn coefficients exceed a volume of {out_shape}.",
            remedy="Draw fewer.",
        )


def _block_shapes(in_shape: Shape3, random_shape: Shape3) -> tuple[Shape3, Shape3, Shape3]:
    """Shapes of what is added along each axis: earlier axes have already grown."""
    (a, b, c), (p, q, r) = in_shape, random_shape
    return (p, b, c), (a + p, q, c), (a + p, b + q, r)


@partial(jax.jit, static_argnames=("n_known", "n_drawn"))
def _scattered(key: PRNGKeyArray, n_known: int, n_drawn: int) -> Int[Array, " coefficients"]:
    """Which of (known, then drawn) coefficients stands at each frequency.

    Frequency k holds a known coefficient with a probability proportional to exp(1 / (k + 1)^2): low ones first.
    """
    n_total = n_known + n_drawn
    weights = jax.nn.softmax(1.0 / jnp.arange(1, n_total + 1) ** 2)
    places = jax.random.choice(key, n_total, (n_known,), replace=False, p=weights)
    is_known = jnp.zeros(n_total, bool).at[places].set(True)
    return jnp.where(is_known, jnp.cumsum(is_known) - 1, n_known + jnp.cumsum(~is_known) - 1)
