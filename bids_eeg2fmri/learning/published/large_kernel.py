"""The kernel of the layer to the voxels, which has nine tenths of all weights: its gradient as factors."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from ...network.calhas2022.factored_dense import FactoredLinear, Factors, no_factors
from .optimiser import global_norm

_PATH = ("decoder", "voxel_dense", "kernel")


def apart(parameters: nnx.State) -> tuple[nnx.State, nnx.State]:
    """The kernel, if there is one, and all other parameters."""
    kernel, others = nnx.split_state(parameters, lambda path, _: path == _PATH, ...)
    return kernel, others


def zero_factors(kernel: nnx.State, batch_size: int) -> Factors | None:
    """Zeros in place of the factors of the kernel's gradient; nothing without a kernel."""
    leaves = jax.tree.leaves(kernel)
    return no_factors(batch_size, leaves[0]) if leaves else None


def collect_factors(network: Any, factors: Factors | None) -> None:
    """Let the layer pass on the factors of its gradient."""
    if factors is not None:
        network.decoder.voxel_dense = FactoredLinear(network.decoder.voxel_dense, factors)


def total_norm(gradient: nnx.State, factors: Factors | None) -> Float[Array, ""]:
    """Norm of the gradient of all parameters, of which the kernel's part is given by its factors."""
    norm = global_norm(gradient)
    return norm if factors is None else jnp.sqrt(norm**2 + factors.squared_norm())


def with_kernel(gradient: nnx.State, kernel: nnx.State, factors: Factors | None) -> nnx.State:
    """The gradient of all parameters."""
    if factors is None:
        return gradient
    whole: nnx.State = nnx.merge_state(jax.tree.map(lambda _: factors.product(), kernel), gradient)
    return whole
