"""Windows that move over an array."""

from __future__ import annotations

from jax import lax
from jaxtyping import Array, Float

Volumes = Float[Array, "batch a b c filters"]
Kernel = Float[Array, "p q r inputs outputs"]


def n_windows(length: int, size: int, stride: int) -> int:
    """How many windows lie fully inside an axis."""
    return (length - size) // stride + 1


def shifted(x: Array, axis: int, size: int, stride: int) -> list[Array]:
    """For every offset inside a window, its value in all windows along an axis."""
    last = (x.shape[axis] - size) // stride * stride
    return [lax.slice_in_dim(x, start, start + last + 1, stride, axis) for start in range(size)]
