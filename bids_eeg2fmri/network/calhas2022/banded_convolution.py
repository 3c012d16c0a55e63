"""Convolution as one matrix product.

Windows are copied out along two axes, and along the third, the one that the kernel covers most of, the kernel is
written as a banded (Toeplitz) matrix, whose zeros cost less than copies would.
"""

from __future__ import annotations

from functools import partial
from math import prod

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

from .config import Shape3
from .windows import Kernel, Volumes, n_windows, shifted

# Values copied into windows at a time.
_MAX_COPIED = 2**22


def banded_operations(x: Volumes, kernel: Kernel, strides: Shape3) -> float:
    """Operations of the product for a batch, those with the zeros of the banded matrix included."""
    banded = _banded_axis(x, kernel)
    n_outputs = prod(map(n_windows, x.shape[1:4], kernel.shape[:3], strides))
    return 2 * len(x) * n_outputs * prod(kernel.shape) * x.shape[1 + banded] / kernel.shape[banded]


def banded_convolution(x: Volumes, kernel: Kernel, strides: Shape3) -> Volumes:
    """Cross-correlation with a kernel, wherever it lies fully inside the input."""
    # Otherwise what computes the input would be merged into the copying, and computed anew for every copy.
    x = lax.optimization_barrier(x)
    banded = _banded_axis(x, kernel)
    first, second = (axis for axis in range(3) if axis != banded)
    matrix = _banded_matrix(kernel, banded, x.shape[1 + banded], strides[banded])

    def product(x: Volumes) -> Float[Array, "batch p q columns"]:
        rows = jnp.moveaxis(x, 1 + banded, 3)
        rows = rows.reshape(*rows.shape[:3], -1)
        for axis, of in ((2, second), (1, first)):
            rows = _windows(rows, axis, kernel.shape[of], strides[of])
        return rows @ matrix

    n_copied = prod(n_windows(x.shape[1 + axis], kernel.shape[axis], strides[axis]) for axis in (first, second))
    at_once = max(1, _MAX_COPIED // (n_copied * len(matrix)))
    if at_once < len(x):
        # Copies that stay small stay in the cache, and the gradient makes them anew rather than keep them.
        one = jax.checkpoint(lambda sample: product(sample[None])[0])
        y = lax.map(one, x, batch_size=at_once)
    else:
        y = product(x)
    return jnp.moveaxis(y.reshape(*y.shape[:3], -1, kernel.shape[-1]), 3, 1 + banded)


def _banded_axis(x: Volumes, kernel: Kernel) -> int:
    return int(np.argmax(np.divide(kernel.shape[:3], x.shape[1:4])))


@partial(jax.custom_vjp, nondiff_argnums=(1, 2, 3))
def _windows(x: Float[Array, "batch p q values"], axis: int, size: int, stride: int) -> Float[Array, "batch p q more"]:
    """All windows along an axis, each window's values side by side in the last axis."""
    starts = np.arange(0, x.shape[axis] - size + 1, stride)
    where = (*[slice(None)] * axis, starts[:, None] + np.arange(size))
    windows = jnp.moveaxis(x.at[where].get(mode="promise_in_bounds"), axis + 1, -2)
    return windows.reshape(*windows.shape[:3], -1)


def _windows_forward(
    x: Float[Array, "batch p q values"], axis: int, size: int, stride: int
) -> tuple[Float[Array, "batch p q more"], tuple[int, ...]]:
    return _windows(x, axis, size, stride), x.shape


def _windows_backward(
    axis: int, size: int, stride: int, shape: tuple[int, ...], gradient: Float[Array, "batch p q more"]
) -> tuple[Float[Array, "batch p q values"]]:
    # Gathering is the fast way to copy windows, but its own gradient, scattering, is the slow way to add them up.
    def by_slices(x: Array) -> Array:
        return jnp.concatenate(shifted(x, axis, size, stride), axis=-1)

    return jax.linear_transpose(by_slices, jax.ShapeDtypeStruct(shape, gradient.dtype))(gradient)


_windows.defvjp(_windows_forward, _windows_backward)


def _banded_matrix(kernel: Kernel, axis: int, length: int, stride: int) -> Float[Array, "rows columns"]:
    """The kernel as a matrix: rows are (other offsets, input's axis, inputs), columns (output's axis, outputs)."""
    kernel = jnp.moveaxis(kernel, axis, 2)
    size = kernel.shape[2]
    rest = [(0, 0)] * 2
    placed = [
        jnp.pad(kernel, [*rest, (start, length - size - start), *rest]) for start in range(0, length - size + 1, stride)
    ]
    matrix = jnp.stack(placed, axis=4)
    return matrix.reshape(-1, len(placed) * kernel.shape[-1])
