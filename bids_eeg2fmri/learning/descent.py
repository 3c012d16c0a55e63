"""Gradient descent as one compiled program: all steps of a fit in one loop on the device."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import jax
import optax
from jaxtyping import Array, PyTree, Shaped


@lru_cache
def adam(learning_rate: float, n_steps: int, *, weight_decay: float = 0.0) -> optax.GradientTransformation:
    """Adam whose rate falls to zero along half a cosine; with decay of the weights, AdamW.

    The same settings give the same object, so that what was compiled for one fit serves the next.
    """
    schedule = optax.cosine_decay_schedule(learning_rate, n_steps)
    return optax.adamw(schedule, weight_decay=weight_decay) if weight_decay else optax.adam(schedule)


@partial(jax.jit, static_argnames=("loss", "optimiser"))
def descend(
    start: PyTree,
    data: PyTree,
    draws: Shaped[Array, " steps"],
    *,
    loss: Callable[[Any, Any, Any], Array],
    optimiser: optax.GradientTransformation,
) -> PyTree:
    """Parameters after the descent.

    Compiled once per shape of the arguments: they hold everything that differs from fit to fit.

    Parameters
    ----------
    start
        The first parameters.
    data
        What the loss needs besides.
    draws
        What the loss receives in each step, such as keys; their number is that of the steps.
    loss
        A function of a module: of the parameters, the data and the step's draw.
    optimiser
        From :func:`adam`.
    """

    def step(carry: tuple[Any, optax.OptState], draw: Array) -> tuple[tuple[Any, optax.OptState], None]:
        parameters, state = carry
        updates, state = optimiser.update(jax.grad(loss)(parameters, data, draw), state, parameters)
        return (optax.apply_updates(parameters, updates), state), None

    (fitted, _), _ = jax.lax.scan(step, (start, optimiser.init(start)), draws)
    return fitted
