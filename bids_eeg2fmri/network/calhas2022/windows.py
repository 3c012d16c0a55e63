"""Windows that move over an array."""

from __future__ import annotations

from jax import lax
from jaxtyping import Array


def shifted(x: Array, axis: int, size: int, stride: int) -> list[Array]:
    """For every offset inside a window, its value in all windows along an axis."""
    last = (x.shape[axis] - size) // stride * stride
    return [lax.slice_in_dim(x, start, start + last + 1, stride, axis) for start in range(size)]
