"""Dense layers whose weights are distributions."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float, PRNGKeyArray

from .mean_field import MeanFieldNormal


class DenseVariational(nnx.Module):
    """Dense layer that moves its weights along one learned direction.

    Kernel = mu + sigma e with a single standard normal number e per call, and the bias likewise with its own: the
    published low-resolution decoder. Sigma is not constrained and has no prior: the weights lie on a line, where they
    have no density that a divergence could compare. The draw is shared by the batch.

    Parameters
    ----------
    in_features, out_features
        Length of the input and of the output vector.
    """

    def __init__(self, in_features: int, out_features: int, *, rngs: nnx.Rngs) -> None:
        glorot = nnx.initializers.glorot_uniform()
        self.kernel_mu = nnx.Param(glorot(rngs.params(), (in_features, out_features)))
        self.kernel_sigma = nnx.Param(glorot(rngs.params(), (in_features, out_features)))
        self.bias_mu = nnx.Param(_glorot_vector(rngs, out_features))
        self.bias_sigma = nnx.Param(_glorot_vector(rngs, out_features))

    def __call__(self, x: Float[Array, "batch inputs"], key: PRNGKeyArray | None) -> Float[Array, "batch outputs"]:
        """Output with one draw of the weights, or with their means when ``key`` is ``None``."""
        kernel, bias = self.kernel_mu[...], self.bias_mu[...]
        if key is not None:
            kernel_draw, bias_draw = jax.random.normal(key, (2,))
            kernel = kernel + kernel_draw * self.kernel_sigma[...]
            bias = bias + bias_draw * self.bias_sigma[...]
        return x @ kernel + bias


class DenseFlipout(nnx.Module):
    """Dense layer with a normal distribution over every weight, sampled with Flipout.

    Each example of a batch sees its own signs of the shared perturbation (Wen et al. 2018, arXiv 1803.04386), so
    that gradients of different examples decorrelate; with ``shared``, all see the same weights. The bias is a plain
    parameter.

    Parameters
    ----------
    in_features, out_features
        Length of the input and of the output vector.
    """

    def __init__(self, in_features: int, out_features: int, *, rngs: nnx.Rngs) -> None:
        self.kernel = MeanFieldNormal((in_features, out_features), rngs=rngs)
        self.bias = nnx.Param(0.1 * jax.random.normal(rngs.params(), (out_features,)))

    def __call__(
        self, x: Float[Array, "batch inputs"], key: PRNGKeyArray | None, *, shared: bool = False
    ) -> Float[Array, "batch outputs"]:
        """Output with one draw of the weights, or with their means when ``key`` is ``None``."""
        output = x @ self.kernel.mean[...] + self.bias[...]
        if key is None:
            return output
        noise_key, in_key, out_key = jax.random.split(key, 3)
        noise = self.kernel.sd * jax.random.normal(noise_key, self.kernel.mean.shape)
        if shared:
            return output + x @ noise
        signs_in = jax.random.rademacher(in_key, x.shape, x.dtype)
        signs_out = jax.random.rademacher(out_key, output.shape, x.dtype)
        return output + ((x * signs_in) @ noise) * signs_out

    def divergence(self) -> Float[Array, ""]:
        """Kullback-Leibler divergence of the kernel from the standard normal distribution, in nats."""
        return self.kernel.divergence()


def _glorot_vector(rngs: nnx.Rngs, size: int) -> Float[Array, " size"]:
    """Glorot's uniform draw for a vector, whose fan-in and fan-out are both its length."""
    limit = jnp.sqrt(3.0 / size)
    return jax.random.uniform(rngs.params(), (size,), minval=-limit, maxval=limit)
