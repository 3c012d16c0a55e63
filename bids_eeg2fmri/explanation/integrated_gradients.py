"""Integrated gradients: what each input contributes to the change of an output from a baseline.

Along the straight path from baseline b to input x the gradient is integrated,

    c_i = (x_i - b_i) integral_0^1 df/dx_i (b + a (x - b)) da,

so that the contributions sum to ``f(x) - f(b)``, whatever the function (completeness; Sundararajan, Taly and Yan 2017,
arXiv 1703.01365). The integral is a midpoint sum: gradients of rectified networks jump along the path, and
higher-order quadrature gains nothing there.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

N_STEPS = 20


def integrated_gradients(
    function: Callable[[Array], Float[Array, "batch outputs"]],
    x: Float[Array, "batch *inputs"],
    baseline: Float[Array, "*inputs"],
    n_steps: int = N_STEPS,
) -> Float[Array, "outputs batch *inputs"]:
    """Contributions of every input to every output.

    Parameters
    ----------
    function
        Treats the examples of a batch one by one; traced by JAX.
    x, baseline
        The inputs, and where the paths begin.
    n_steps
        Gradients per path.
    """
    difference = x - baseline

    def add(total: Array, position: Array) -> tuple[Array, None]:
        outputs, pull = jax.vjp(function, baseline + position * difference)
        one_output = jnp.broadcast_to(jnp.eye(outputs.shape[1])[:, None], (outputs.shape[1], *outputs.shape))
        return total + jax.vmap(lambda cotangent: pull(cotangent)[0])(one_output), None

    n_outputs = jax.eval_shape(function, x).shape[1]
    positions = (jnp.arange(n_steps) + 0.5) / n_steps
    total, _ = jax.lax.scan(add, jnp.zeros((n_outputs, *x.shape), x.dtype), positions)
    return total * difference / n_steps
