"""Whether an encoder's blocks use all of their input and end at the wanted shape, and if not, where they fail."""

from __future__ import annotations

from ...network.calhas2022.config import Blocks, Shape3

_AXES = ("first", "second", "third")


def faults(in_shape: Shape3, blocks: Blocks, out_shape: Shape3) -> tuple[str, ...]:
    """Why some blocks are no solution of the search space; nothing for a solution.

    Parameters
    ----------
    in_shape, out_shape
        Shape of the input, and the wanted one behind the last block.
    blocks
        Kernels, strides and pooling.
    """
    found: list[str] = []
    shape = list(in_shape)
    for number, (kernel, strides) in enumerate(zip(blocks.kernels, blocks.strides, strict=True), start=1):
        layers = [("convolution", kernel, strides)]
        if blocks.pool is not None:
            layers.append(("pooling", blocks.pool, blocks.pool_stride))
        for layer, windows, steps in layers:
            for axis, (size, window, step) in enumerate(zip(tuple(shape), windows, steps, strict=True)):
                where = f"block {number}, {_AXES[axis]} axis, {layer}"
                if step < 1 or not 0 < window <= size or (layer == "convolution" and step >= window):
                    return (*found, f"{where}: window {window} and stride {step} on a length of {size}")
                count, remainder = divmod(size - window, step)
                if remainder:
                    found.append(f"{where}: ({size} - {window}) / {step} leaves a remainder of {remainder}")
                shape[axis] = 1 + count
    if tuple(shape) != tuple(out_shape):
        found.append(f"ends at {tuple(shape)}, not {tuple(out_shape)}")
    return tuple(found)
