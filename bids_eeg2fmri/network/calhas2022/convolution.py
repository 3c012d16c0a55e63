"""Three-dimensional convolution and pooling, in forms that compile to fast code.

XLA's own 3-D convolution on a CPU is slow, and its gradient slower by another two orders of magnitude. There a
convolution becomes one matrix product: windows are copied out along two axes, and along the third, the one that the
kernel covers most of, the kernel is written as a banded (Toeplitz) matrix, whose zeros cost less than copies would.
"""

from __future__ import annotations

from functools import partial
from math import prod

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

from .config import ArchitectureError, Shape3

_AXES = ("first", "second", "third")
# Values copied into windows at a time.
_MAX_COPIED = 2**22
_CHANNELS_LAST = ("NDHWC", "DHWIO", "NDHWC")

Volumes = Float[Array, "batch a b c filters"]
Kernel = Float[Array, "p q r inputs outputs"]


def valid_shape(shape: Shape3, kernel: Shape3, strides: Shape3, layer: str) -> Shape3:
    """Shape of a convolution or pooling that only uses windows inside its input.

    Raises
    ------
    ArchitectureError
        The kernel is longer than the input; the message names the layer and the axis.
    """
    for axis, size, window, stride in zip(_AXES, shape, kernel, strides, strict=True):
        if not 1 <= window <= size or stride < 1:
            raise ArchitectureError(
                f"{layer} does not fit: its {axis} axis has length {size}, window {window} and stride {stride}.",
                remedy="Windows must not be longer than what they move over, and strides positive.",
            )
    a, b, c = ((n - k) // s + 1 for n, k, s in zip(shape, kernel, strides, strict=True))
    return a, b, c


def valid_convolution(x: Volumes, kernel: Kernel, strides: Shape3) -> Volumes:
    """Cross-correlation with a kernel, wherever it lies fully inside the input."""
    direct = partial(
        lax.conv_general_dilated, window_strides=strides, padding="VALID", dimension_numbers=_CHANNELS_LAST
    )
    return lax.platform_dependent(x, kernel, cpu=partial(_matrix_product, strides=strides), default=direct)


def same_convolution(x: Volumes, kernel: Kernel) -> Volumes:
    """Cross-correlation with a kernel of odd lengths over the input padded with zeros, which keeps its shape."""
    padding = [(0, 0), *((size // 2, size // 2) for size in kernel.shape[:3]), (0, 0)]
    return valid_convolution(jnp.pad(x, padding), kernel, (1, 1, 1))


def max_pool(x: Volumes, window: Shape3, strides: Shape3) -> Volumes:
    """Maximum over windows that lie fully inside the input.

    Axis by axis as maxima of shifted slices, whose gradient is far cheaper than that of a windowed reduction.
    """
    for axis, (size, stride) in enumerate(zip(window, strides, strict=True), start=1):
        slices = _shifted(x, axis, size, stride)
        x = slices[0]
        for other in slices[1:]:
            x = jnp.maximum(x, other)
    return x


def _matrix_product(x: Volumes, kernel: Kernel, *, strides: Shape3) -> Volumes:
    # Otherwise what computes the input would be merged into the copying, and computed anew for every copy.
    x = lax.optimization_barrier(x)
    covered = np.divide(kernel.shape[:3], x.shape[1:4])
    banded = int(np.argmax(covered))
    first, second = (axis for axis in range(3) if axis != banded)
    matrix = _banded_matrix(kernel, banded, x.shape[1 + banded], strides[banded])

    def product(x: Volumes) -> Float[Array, "batch p q columns"]:
        rows = jnp.moveaxis(x, 1 + banded, 3)
        rows = rows.reshape(*rows.shape[:3], -1)
        for axis, of in ((2, second), (1, first)):
            rows = _windows(rows, axis, kernel.shape[of], strides[of])
        return rows @ matrix

    n_windows = prod((x.shape[1 + axis] - kernel.shape[axis]) // strides[axis] + 1 for axis in (first, second))
    at_once = max(1, _MAX_COPIED // (n_windows * len(matrix)))
    if at_once < len(x):
        # Copies that stay small stay in the cache, and the gradient makes them anew rather than keep them.
        one = jax.checkpoint(lambda sample: product(sample[None])[0])
        y = lax.map(one, x, batch_size=at_once)
    else:
        y = product(x)
    return jnp.moveaxis(y.reshape(*y.shape[:3], -1, kernel.shape[-1]), 3, 1 + banded)


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
        return jnp.concatenate(_shifted(x, axis, size, stride), axis=-1)

    return jax.linear_transpose(by_slices, jax.ShapeDtypeStruct(shape, gradient.dtype))(gradient)


_windows.defvjp(_windows_forward, _windows_backward)


def _banded_matrix(kernel: Kernel, axis: int, length: int, stride: int) -> Float[Array, "rows columns"]:
    """The kernel as a matrix: rows are (other offsets, input's axis, inputs), columns (output's axis, outputs)."""
    kernel = jnp.moveaxis(kernel, axis, 2)
    size = kernel.shape[2]
    rest = [(0, 0)] * 2
    shifted = [
        jnp.pad(kernel, [*rest, (start, length - size - start), *rest]) for start in range(0, length - size + 1, stride)
    ]
    matrix = jnp.stack(shifted, axis=4)
    return matrix.reshape(-1, len(shifted) * kernel.shape[-1])


def _shifted(x: Array, axis: int, size: int, stride: int) -> list[Array]:
    """For every offset inside a window, its value in all windows along an axis."""
    last = (x.shape[axis] - size) // stride * stride
    return [lax.slice_in_dim(x, start, start + last + 1, stride, axis) for start in range(size)]
