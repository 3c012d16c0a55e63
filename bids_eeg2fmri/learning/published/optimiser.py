"""Adam with a warm-up, a cosine schedule and clipped gradients."""

from __future__ import annotations

import optax

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
    """Adam behind a limit on the gradient's global norm."""
    return optax.chain(
        optax.clip_by_global_norm(options.clip_norm),
        optax.adam(learning_rate(options, n_steps), eps=_EPSILON),
    )
