"""The constraints of the search space stated for a satisfiability solver (z3), independently of the counting.

Kernels and strides are bit vectors; a Boolean per layer says whether it is there, and layers are there from the first
on. Bits suffice for all products, so that nothing wraps around.
"""

from __future__ import annotations

from collections.abc import Iterator

import z3  # type: ignore[import-untyped]

from ...network.calhas2022.config import Blocks
from .space import SearchSpace


class Solver:
    """z3 with the constraints of one search space.

    Parameters
    ----------
    space
        The shapes, the pooling, and how many layers there may be.
    """

    def __init__(self, space: SearchSpace) -> None:
        self._space = space
        self._n_bits = 2 * max(space.in_shape).bit_length() + 1
        layers = range(space.max_layers)
        self._exists = [z3.Bool(f"exists_{layer}") for layer in layers]
        self._kernels = [[self._number(f"kernel_{layer}_{axis}") for axis in range(3)] for layer in layers]
        self._strides = [[self._number(f"stride_{layer}_{axis}") for axis in range(3)] for layer in layers]
        self._solver = z3.Solver()
        self._solver.add(*self._exists[: space.min_layers])
        self._solver.add(
            *(z3.Implies(after, before) for before, after in zip(self._exists, self._exists[1:], strict=False))
        )
        for axis in range(3):
            self._add_axis(axis)

    def admits(self, blocks: Blocks) -> bool:
        """Whether some blocks are a solution."""
        space = self._space
        if len(blocks.kernels) > space.max_layers or (blocks.pool, blocks.pool_stride) != (
            space.pool,
            space.pool_stride,
        ):
            return False
        assumed = []
        for layer, exists in enumerate(self._exists):
            is_there = layer < len(blocks.kernels)
            assumed.append(exists if is_there else z3.Not(exists))
            if is_there:
                pairs = (*zip(self._kernels[layer], blocks.kernels[layer], strict=True),)
                pairs += (*zip(self._strides[layer], blocks.strides[layer], strict=True),)
                assumed += [variable == value for variable, value in pairs]
        return self._solver.check(*assumed) == z3.sat

    def solutions(self) -> Iterator[Blocks]:
        """Every solution, each once; one that was found is excluded by a clause."""
        self._solver.push()
        try:
            while self._solver.check() == z3.sat:
                model = self._solver.model()
                kernels, strides = self._values(model, self._kernels), self._values(model, self._strides)
                yield Blocks(kernels, strides, self._space.pool, self._space.pool_stride)
                variables = [variable for layer in (*self._kernels, *self._strides) for variable in layer]
                self._solver.add(
                    z3.Or([variable != model.eval(variable, model_completion=True) for variable in variables])
                )
        finally:
            self._solver.pop()

    def _number(self, name: str) -> z3.BitVecRef:
        return z3.BitVec(name, self._n_bits)

    def _add_axis(self, axis: int) -> None:
        """Exact arithmetic along one axis: every layer ends with the last sample of its input."""
        space = self._space
        pool, pool_stride = space.pooling[axis]
        size = z3.BitVecVal(space.in_shape[axis], self._n_bits)
        for layer, exists in enumerate(self._exists):
            kernel, stride = self._kernels[layer][axis], self._strides[layer][axis]
            convolved, pooled = (self._number(f"{name}_{layer}_{axis}") for name in ("convolved", "pooled"))
            # Bounds first: they keep the products within the bits.
            bounds = [z3.ULE(value, space.in_shape[axis]) for value in (kernel, stride, convolved, pooled)]
            there = z3.And(
                *(z3.ULT(0, stride), z3.ULT(stride, kernel), z3.ULE(kernel, size)),
                *(z3.UGE(convolved, pool), z3.UGE(pooled, 1)),
                (convolved - 1) * stride == size - kernel,
                (pooled - 1) * pool_stride == convolved - pool,
            )
            absent = z3.And(kernel == 0, stride == 0, convolved == size, pooled == size)
            self._solver.add(*bounds, z3.If(exists, there, absent))
            size = pooled
        self._solver.add(size == space.out_shape[axis])

    def _values(self, model: z3.ModelRef, layers: list[list[z3.BitVecRef]]) -> tuple[tuple[int, int, int], ...]:
        values = []
        for exists, variables in zip(self._exists, layers, strict=True):
            if z3.is_true(model.eval(exists, model_completion=True)):
                a, b, c = (model.eval(variable, model_completion=True).as_long() for variable in variables)
                values.append((a, b, c))
        return tuple(values)
