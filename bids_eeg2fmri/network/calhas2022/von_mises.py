"""The von Mises distribution: draws that pass gradients to the mean direction and to the concentration."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import i0e, i1e
from jaxtyping import Array, Bool, Float, PRNGKeyArray

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(32)
# Above it the quotient of two Bessel functions loses its digits in float32.
_LARGE_CONCENTRATION = 30.0


def sample_von_mises(
    key: PRNGKeyArray, direction: Float[Array, "..."], concentration: Float[Array, "..."]
) -> Float[Array, "..."]:
    """One angle in radians per element of ``direction``; ``concentration`` has the same shape and is not negative.

    Drawn by the rejection method of Best and Fisher (1979, doi 10.2307/2346732). Gradients with respect to the
    concentration follow from the implicit function theorem (Figurnov et al. 2018, arXiv 1805.08498).
    """
    return direction + _centred_sample(key, concentration)


def one_minus_mean_cosine(concentration: Float[Array, "..."]) -> Float[Array, "..."]:
    """One minus the mean resultant length I1/I0, exact in float32 for concentrations of any size."""
    large = jnp.maximum(concentration, _LARGE_CONCENTRATION)
    small = jnp.minimum(concentration, _LARGE_CONCENTRATION)
    series = (1 + (1 + 1 / large) / (4 * large)) / (2 * large)
    return jnp.where(concentration > _LARGE_CONCENTRATION, series, 1 - i1e(small) / i0e(small))


def von_mises_divergence(concentration: Float[Array, "..."]) -> Float[Array, ""]:
    """Sum of the Kullback-Leibler divergences of von Mises distributions from the uniform one, in nats."""
    return -jnp.sum(concentration * one_minus_mean_cosine(concentration) + jnp.log(i0e(concentration)))


@jax.custom_jvp
def _centred_sample(key: PRNGKeyArray, concentration: Float[Array, "..."]) -> Float[Array, "..."]:
    # The envelope is a wrapped Cauchy distribution with parameter rho. Written with tangents of half angles and
    # without differences of near-equal numbers, so that float32 holds from concentration 0 to 1e8.
    root = jnp.sqrt(1 + 4 * concentration**2)
    tau = 1 + root
    spread = tau + jnp.sqrt(2 * tau)
    rho = 2 * concentration / spread
    one_minus_rho = (1 + 1 / (root + 2 * concentration) + jnp.sqrt(2 * tau)) / spread

    def propose(state: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        key, angle, accepted = state
        key, angle_key, accept_key = jax.random.split(key, 3)
        turn = jax.random.uniform(angle_key, concentration.shape, minval=-1.0)
        tangent = one_minus_rho / (1 + rho) * jnp.tan(jnp.pi / 2 * turn)
        excess = spread * one_minus_rho**2 / 4 + 2 * concentration * tangent**2 / (1 + tangent**2)
        uniform = jax.random.uniform(accept_key, concentration.shape)
        accept = jnp.log(excess) + 1 - excess >= jnp.log(uniform)
        return key, jnp.where(accepted, angle, 2 * jnp.arctan(tangent)), accepted | accept

    def pending(state: tuple[Array, Array, Bool[Array, "..."]]) -> Bool[Array, ""]:
        return ~jnp.all(state[2])

    start = (key, jnp.zeros_like(concentration), jnp.zeros(concentration.shape, bool))
    return jax.lax.while_loop(pending, propose, start)[1]


@_centred_sample.defjvp
def _centred_sample_jvp(primals: tuple[Any, Any], tangents: tuple[Any, Any]) -> tuple[Array, Array]:
    key, concentration = primals
    angle = _centred_sample(key, concentration)
    return angle, _slope(angle, concentration) * tangents[1]


def _slope(angle: Float[Array, "..."], concentration: Float[Array, "..."]) -> Float[Array, "..."]:
    """Derivative of a draw with respect to the concentration: -(dF/dk) / (dF/dangle), F the distribution function.

    dF/dk is the integral of (cos t - I1/I0) exp(k cos t) from 0 to the angle: the part below 0 integrates to zero.
    """
    share = jnp.asarray((_NODES + 1) / 2, angle.dtype)
    weights = jnp.asarray(_WEIGHTS / 2, angle.dtype)
    t = angle[..., None] * share
    drop = 2 * jnp.sin(t / 2) ** 2
    growth = jnp.exp(concentration[..., None] * (2 * jnp.sin(angle[..., None] / 2) ** 2 - drop))
    return -angle * jnp.sum(weights * (one_minus_mean_cosine(concentration)[..., None] - drop) * growth, axis=-1)
