"""Three-dimensional convolution and pooling, in forms that compile to fast code.

XLA's own 3-D convolution on a CPU is slow, and its gradient slower by another two orders of magnitude. There a
convolution becomes a matrix product or a product of Fourier coefficients, whichever takes less time.
"""

from __future__ import annotations

from functools import partial

import jax.numpy as jnp
from jax import lax

from .banded_convolution import banded_convolution, banded_cost
from .config import ArchitectureError, Shape3
from .spectral_convolution import spectral_convolution, spectral_operations
from .windows import Kernel, Volumes, n_windows, shifted

_AXES = ("first", "second", "third")
_CHANNELS_LAST = ("NDHWC", "DHWIO", "NDHWC")
# Matrix products do about so many multiplications in the time that a transform needs for one operation (on two cores;
# for the published network's convolutions this takes what is fastest, or with its gradients a tenth slower at most).
_FASTER_IN_PRODUCTS = 4


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
    a, b, c = map(n_windows, shape, kernel, strides)
    return a, b, c


def valid_convolution(x: Volumes, kernel: Kernel, strides: Shape3) -> Volumes:
    """Cross-correlation with a kernel, wherever it lies fully inside the input."""
    direct = partial(
        lax.conv_general_dilated, window_strides=strides, padding="VALID", dimension_numbers=_CHANNELS_LAST
    )
    return lax.platform_dependent(x, kernel, cpu=partial(_on_cpu, strides=strides), default=direct)


def same_convolution(x: Volumes, kernel: Kernel) -> Volumes:
    """Cross-correlation with a kernel of odd lengths over the input padded with zeros, which keeps its shape."""
    padding = [(0, 0), *((size // 2, size // 2) for size in kernel.shape[:3]), (0, 0)]
    return valid_convolution(jnp.pad(x, padding), kernel, (1, 1, 1))


def max_pool(x: Volumes, window: Shape3, strides: Shape3) -> Volumes:
    """Maximum over windows that lie fully inside the input.

    Axis by axis as maxima of shifted slices, whose gradient is far cheaper than that of a windowed reduction.
    """
    for axis, (size, stride) in enumerate(zip(window, strides, strict=True), start=1):
        slices = shifted(x, axis, size, stride)
        x = slices[0]
        for other in slices[1:]:
            x = jnp.maximum(x, other)
    return x


def _on_cpu(x: Volumes, kernel: Kernel, *, strides: Shape3) -> Volumes:
    if banded_cost(x, kernel, strides) < _FASTER_IN_PRODUCTS * spectral_operations(x, kernel, strides):
        return banded_convolution(x, kernel, strides)
    # There are no transforms of numbers of less than 32 bits.
    y = spectral_convolution(x.astype(jnp.float32), kernel.astype(jnp.float32), strides)
    return y.astype(x.dtype)
