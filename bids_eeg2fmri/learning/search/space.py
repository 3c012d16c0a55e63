"""The generated search space of an encoder (Calhas, Manquinho and Henriques, openreview TCvkaP15O7e).

All stacks of residual blocks whose valid convolutions and poolings map the shape of the input exactly, with nothing
left over at any border, to a wanted shape.

The three axes of an encoder constrain each other only by the number of layers. Counting the chains of one axis by
dynamic programming and multiplying gives the size of the space; turning the count around gives the solution with any
number (:meth:`SearchSpace.blocks`). A number drawn uniformly is therefore a solution drawn uniformly, exactly, which
hashing samplers such as UniWit (Chakraborty et al. 2013), which the authors used behind a satisfiability solver, only
approach. The solver (:mod:`.solver`) states the same constraints independently and checks what was drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from ...network.calhas2022.config import Blocks, Shape3
from .axis import Axis


@dataclass(frozen=True)
class SearchSpace:
    """The stacks of blocks between two shapes.

    Attributes
    ----------
    in_shape, out_shape
        Shape of the input, and behind the last block.
    pool, pool_stride
        Pooling of all blocks; ``pool=None``: none.
    min_layers, max_layers
        Fewest and most blocks.
    """

    in_shape: Shape3
    out_shape: Shape3
    pool: Shape3 | None = (2, 2, 1)
    pool_stride: Shape3 = (1, 1, 1)
    min_layers: int = 1
    max_layers: int = 4

    @property
    def pooling(self) -> tuple[tuple[int, int], ...]:
        """Window and stride of the pooling by axis, (1, 1) where there is none."""
        if self.pool is None:
            return ((1, 1),) * 3
        return tuple(zip(self.pool, self.pool_stride, strict=True))

    @property
    def depths(self) -> range:
        """Numbers of blocks."""
        return range(self.min_layers, self.max_layers + 1)

    @cached_property
    def counts(self) -> dict[int, int]:
        """Solutions by number of blocks."""
        counts = {}
        for n_layers in self.depths:
            first, second, third = (axis.count(n_layers) for axis in self._axes)
            counts[n_layers] = first * second * third
        return counts

    @property
    def size(self) -> int:
        """Number of solutions."""
        return sum(self.counts.values())

    def blocks(self, index: int) -> Blocks:
        """The solution with a number from 0 to ``size - 1``; another number is another solution.

        Raises
        ------
        IndexError
            There are fewer solutions.
        """
        if not 0 <= index < self.size:
            raise IndexError(f"solution {index} of {self.size}")
        for n_layers, count in self.counts.items():
            if index < count:
                return self._of_depth(n_layers, index)
            index -= count
        raise AssertionError("unreachable")

    def _of_depth(self, n_layers: int, index: int) -> Blocks:
        chains = []
        for axis in self._axes:
            index, number = divmod(index, axis.count(n_layers))
            chains.append(axis.chain(n_layers, number))
        layers = list(zip(*chains, strict=True))
        return Blocks(
            kernels=tuple((a.kernel, b.kernel, c.kernel) for a, b, c in layers),
            strides=tuple((a.stride, b.stride, c.stride) for a, b, c in layers),
            pool=self.pool,
            pool_stride=self.pool_stride,
        )

    @cached_property
    def _axes(self) -> tuple[Axis, Axis, Axis]:
        first, second, third = (
            Axis(size, target, pool, stride, self.max_layers)
            for size, target, (pool, stride) in zip(self.in_shape, self.out_shape, self.pooling, strict=True)
        )
        return first, second, third
