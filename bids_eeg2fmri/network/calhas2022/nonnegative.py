"""Parameters that an optimiser step must not leave below zero."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import nnx


class NonNegative(nnx.Param):
    """A trainable parameter that :func:`project_nonnegative` keeps at zero or above."""


def project_nonnegative(module: nnx.Module) -> None:
    """Raise every negative :class:`NonNegative` value of a module to zero, in place; call it after each step.

    The projection comes after the step, rather than a rectifier inside the network, because a parameter at zero
    must still receive its gradient.
    """
    state = nnx.state(module, NonNegative)
    nnx.update(module, jax.tree.map(lambda value: jnp.maximum(value, 0), state))
