"""Independent normal distributions, one per weight, with learned means and standard deviations."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float, PRNGKeyArray


class MeanFieldNormal(nnx.Module):
    """Normal distribution with a diagonal covariance over an array of weights.

    Means start as N(0, 0.1), standard deviations as softplus(N(-3, 0.1)), as in TensorFlow Probability's
    ``default_mean_field_normal_fn``.

    Parameters
    ----------
    shape
        Shape of the weights.
    mean_type
        Kind of the means' parameter: :class:`~.nonnegative.NonNegative` where they may not fall below zero.
    """

    def __init__(self, shape: tuple[int, ...], *, mean_type: type[nnx.Param] = nnx.Param, rngs: nnx.Rngs) -> None:
        self.mean = mean_type(0.1 * jax.random.normal(rngs.params(), shape))
        self.raw_sd = nnx.Param(0.1 * jax.random.normal(rngs.params(), shape) - 3.0)

    @property
    def sd(self) -> Float[Array, "..."]:
        """Standard deviation of every weight."""
        return jnp.finfo(jnp.float32).eps + jax.nn.softplus(self.raw_sd[...])

    def sample(self, key: PRNGKeyArray | None) -> Float[Array, "..."]:
        """One draw of the weights, or their means when ``key`` is ``None``."""
        if key is None:
            return self.mean[...]
        return self.mean[...] + self.sd * jax.random.normal(key, self.mean.shape)

    def divergence(self) -> Float[Array, ""]:
        """Kullback-Leibler divergence from the standard normal distribution, in nats, summed over the weights."""
        return normal_divergence(self.mean[...], self.sd)


def normal_divergence(mean: Float[Array, "..."], sd: Float[Array, "..."]) -> Float[Array, ""]:
    """Sum of the Kullback-Leibler divergences of normal distributions from the standard one, in nats."""
    return 0.5 * jnp.sum(sd**2 + mean**2 - 1 - 2 * jnp.log(sd))
