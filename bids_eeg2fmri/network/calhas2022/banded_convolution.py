"""Convolution as one matrix product, each axis treated in its own way.

Along one axis, windows are copied out. Along a second, the outputs are taken in blocks: what a block's windows cover
together is copied out once, and the kernel is written as a banded (Toeplitz) matrix with a column for every output of
the block, whose zeros cost less than more copies would. Along the third nothing is copied: every offset of the kernel
has columns of its own, whose products are shifted and summed.
"""

from __future__ import annotations

from functools import reduce
from itertools import permutations
from math import prod
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from .config import Shape3
from .windows import Kernel, Volumes, n_windows, shifted

# A value copied takes the time of so many multiplications (two cores with AVX-512, where products do 65e9 a second).
_MULTIPLICATIONS_PER_COPY = 30
# Values held at a time, but one sample at least: about what a cache holds.
_MAX_HELD = 2**19


class Plan(NamedTuple):
    """The part of each axis, and the sizes of the matrices then.

    Attributes
    ----------
    copied, summed, banded
        Number of the axis of that part.
    block
        Outputs of a block along the banded axis.
    rows, inner, columns
        Of the product for one sample.
    """

    copied: int
    summed: int
    banded: int
    block: int
    rows: int
    inner: int
    columns: int

    def cost(self, n_samples: int) -> int:
        """Time in multiplications: products, copies into and out of them, and the making of the banded matrix."""
        moved = n_samples * self.rows * (self.inner + self.columns) + self.inner * self.columns
        return n_samples * self.rows * self.inner * self.columns + _MULTIPLICATIONS_PER_COPY * moved


def banded_cost(x: Volumes, kernel: Kernel, strides: Shape3) -> int:
    """Time in multiplications that a batch takes."""
    return best_plan(x, kernel, strides).cost(len(x))


def banded_convolution(x: Volumes, kernel: Kernel, strides: Shape3) -> Volumes:
    """Cross-correlation with a kernel, wherever it lies fully inside the input."""
    plan = best_plan(x, kernel, strides)
    order = (plan.copied, plan.summed, plan.banded)
    axes = (1 + plan.copied, 1 + plan.summed, 1 + plan.banded)
    ordered_kernel = jnp.moveaxis(kernel, order, (0, 1, 2))
    ordered_strides = strides[plan.copied], strides[plan.summed], strides[plan.banded]

    def convolved(x: Volumes) -> Volumes:
        y = _convolved(jnp.moveaxis(x, axes, (1, 2, 3)), ordered_kernel, ordered_strides, plan.block)
        return jnp.moveaxis(y, (1, 2, 3), axes)

    most = max(1, _MAX_HELD // (plan.rows * max(plan.inner, plan.columns)))
    # A power of two, as batches usually are: no remainder to compile for.
    at_once = 1 << (most.bit_length() - 1)
    if at_once >= len(x):
        return convolved(x)
    # What is held stays in the cache, and the gradient makes it anew rather than keep it.
    one = jax.checkpoint(lambda sample: convolved(sample.reshape(1, *x.shape[1:]))[0])
    # Flat, or XLA gives axes of length one an order of their own, and copies all to put them in line.
    return lax.map(one, x.reshape(len(x), -1), batch_size=at_once if at_once > 1 else None)


def best_plan(x: Volumes, kernel: Kernel, strides: Shape3) -> Plan:
    """The cheapest way."""
    return min(plans(x.shape[1:4], kernel.shape, strides), key=lambda plan: plan.cost(len(x)))


def plans(shape: tuple[int, ...], kernel_shape: tuple[int, ...], strides: Shape3) -> list[Plan]:
    """All ways for inputs and a kernel of these shapes."""
    *window, n_inputs, n_filters = kernel_shape
    n_outputs = tuple(map(n_windows, shape, window, strides))
    ways = []
    for copied, summed, banded in permutations(range(3)):
        for block in range(1, n_outputs[banded] + 1):
            n_blocks = -(-n_outputs[banded] // block)
            covered = window[banded] + strides[banded] * (block - 1)
            rows = n_outputs[copied] * shape[summed] * n_blocks
            inner, columns = window[copied] * covered * n_inputs, block * window[summed] * n_filters
            ways.append(Plan(copied, summed, banded, block, rows, inner, columns))
    return ways


def _convolved(x: Volumes, kernel: Kernel, strides: Shape3, block: int) -> Volumes:
    """Cross-correlation of arrays whose axes are in the order copied, summed, banded."""
    _, n_offsets, size, _, n_filters = kernel.shape
    n_outputs = n_windows(x.shape[3], size, strides[2])
    rows = _rows(x, kernel, strides, block)
    matrix = _matrix(kernel, strides[2], block)
    # Half precision is rounded once, after the sum.
    products = jnp.matmul(rows.reshape(-1, len(matrix)), matrix, preferred_element_type=jnp.float32)
    products = products.reshape(*rows.shape[:4], block, n_offsets, n_filters)
    parts = enumerate(shifted(products, 2, n_offsets, strides[1]))
    summed = reduce(jnp.add, [part[..., offset, :] for offset, part in parts]).astype(x.dtype)
    return summed.reshape(*summed.shape[:3], -1, n_filters)[:, :, :, :n_outputs]


def _rows(
    x: Volumes, kernel: Kernel, strides: Shape3, block: int
) -> Float[Array, "batch windows summed blocks offsets values"]:
    """What each block covers, with all of a window's lines side by side."""
    n_blocks = -(-n_windows(x.shape[3], kernel.shape[2], strides[2]) // block)
    step = block * strides[2]
    covered = kernel.shape[2] + step - strides[2]
    missing = (n_blocks - 1) * step + covered - x.shape[3]
    # Otherwise what computes the input would be merged into the copying, and computed anew for every copy.
    x = lax.optimization_barrier(jnp.pad(x, [(0, 0)] * 3 + [(0, max(0, missing)), (0, 0)]))
    lines = x.reshape(*x.shape[:3], -1)
    starts = [number * step * x.shape[4] for number in range(n_blocks)]
    blocks = jnp.stack([lines[..., start : start + covered * x.shape[4]] for start in starts], axis=3)
    return jnp.stack(shifted(blocks, 1, kernel.shape[0], strides[0]), axis=4)


def _matrix(kernel: Kernel, stride: int, block: int) -> Float[Array, "inner columns"]:
    """The kernel as a matrix: rows are (copied offset, covered, input), columns (output, summed offset, filter)."""
    kernel = jnp.moveaxis(kernel, 1, 3)
    free = stride * (block - 1)
    outputs = [jnp.pad(kernel, [(0, 0), (start, free - start), *[(0, 0)] * 3]) for start in range(0, free + 1, stride)]
    matrix = jnp.stack(outputs, axis=3)
    return matrix.reshape(prod(matrix.shape[:3]), -1)
