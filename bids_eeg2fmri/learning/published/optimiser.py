"""Adam with a warm-up, a cosine schedule and clipped gradients."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float

from ..options import TrainingOptions

# Keras's value, with which the network was published.
_EPSILON = 1e-7


def learning_rate(options: TrainingOptions, n_steps: int) -> optax.Schedule:
    """Rate of every step: a linear rise to the peak, then half a cosine to zero at the last step."""
    warmup = min(max(1, round(options.warmup_share * n_steps)), n_steps - 1) if n_steps > 1 else 0
    return optax.warmup_cosine_decay_schedule(
        init_value=options.learning_rate / (warmup + 1),
        peak_value=options.learning_rate,
        warmup_steps=warmup,
        decay_steps=n_steps,
    )


def make_optimiser(options: TrainingOptions, n_steps: int) -> optax.GradientTransformation:
    """Adam; the step scales the gradients down to the limit of their norm (:func:`within_norm`) before."""
    return optax.adam(learning_rate(options, n_steps), eps=_EPSILON)


def global_norm(gradient: Any) -> Float[Array, ""]:
    """Root of the sum of all squares; inner products, because XLA sums squares slowly on a CPU."""
    return jnp.sqrt(sum((jnp.vdot(leaf, leaf) for leaf in jax.tree.leaves(gradient)), start=jnp.zeros(())))


def within_norm(norm: Float[Array, ""], limit: float) -> Float[Array, ""]:
    """The factor that scales gradients of a norm down to a limit, one for those within it."""
    return limit / jnp.maximum(norm, limit)
