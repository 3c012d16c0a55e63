"""Penalties on activations and weights of the published network.

A penalty on activations is a mean over the batch, so that it does not depend on the batch's size.
"""

from __future__ import annotations

from collections.abc import Iterable

import jax.numpy as jnp
from jaxtyping import Array, Float

_TINY = 1e-9


def max_norm(
    x: Float[Array, "batch features"],
    *,
    centre: float = jnp.pi / 2,
    weight: float = 0.5 * (2 / jnp.pi) ** 0.5,
    order: float = 2.0,
) -> Float[Array, ""]:
    """Distance of Fourier phases from the middle of the cosine's monotone range, as a mean over the batch.

    Parameters
    ----------
    x
        Phases in radians.
    centre
        Where they should lie.
    weight
        Factor of the penalty.
    order
        Order p of the norm.
    """
    return weight * jnp.mean(jnp.linalg.norm(x - centre, ord=order, axis=-1))


def organise_channels(scores: Float[Array, "batch channels channels"], *, weight: float = 1.0) -> Float[Array, ""]:
    """Penalty on attention scores that leave a channel unseen: minus the log of the attention each channel receives.

    Parameters
    ----------
    scores
        Attention scores; rows sum to one.
    weight
        Factor of the penalty.
    """
    received = jnp.sum(scores, axis=-2)
    return -weight * jnp.mean(jnp.sum(jnp.log(received + _TINY), axis=-1))


def in_of_distribution(x: Float[Array, " values"], *, weight: float = 1.0) -> Float[Array, ""]:
    """Departure of phases from spanning 0 to pi: sum of differences between min-max scaled values and x / pi.

    Parameters
    ----------
    x
        Phases in radians.
    weight
        Factor of the penalty.
    """
    span = jnp.max(x) - jnp.min(x)
    return weight * jnp.sum(jnp.abs((x - jnp.min(x)) / span - x / jnp.pi))


def weight_decay(weights: Iterable[Float[Array, "..."]], weight: float) -> Float[Array, ""]:
    """Sum of squares of the given weights, times ``weight``."""
    return weight * sum((jnp.sum(jnp.square(values)) for values in weights), start=jnp.zeros(()))
