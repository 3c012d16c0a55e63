"""One axis of the search space: every chain of convolutions and poolings from one length to another."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple


class Move(NamedTuple):
    """One layer along one axis.

    Attributes
    ----------
    kernel, stride
        Of the convolution.
    out
        Length behind the pooling.
    """

    kernel: int
    stride: int
    out: int


@dataclass(frozen=True)
class Axis:
    """Chains of layers along one axis; each layer must use its whole input, and ``kernel > stride > 0``.

    Attributes
    ----------
    size, target
        Length of the input, and of what the last layer puts out.
    pool, pool_stride
        Window and stride of the pooling behind every convolution; both 1: no pooling.
    max_layers
        Longest chain.
    """

    size: int
    target: int
    pool: int
    pool_stride: int
    max_layers: int

    def count(self, n_layers: int) -> int:
        """Chains of exactly this many layers."""
        return self._ways[n_layers].get(self.size, 0)

    def chain(self, n_layers: int, index: int) -> tuple[Move, ...]:
        """The chain with a number from 0 to ``count(n_layers) - 1``; another number is another chain."""
        chain, size = [], self.size
        for left in reversed(range(n_layers)):
            for move in self._moves[size]:
                ways = self._ways[left].get(move.out, 0)
                if index < ways:
                    chain.append(move)
                    size = move.out
                    break
                index -= ways
        return tuple(chain)

    @cached_property
    def _moves(self) -> dict[int, tuple[Move, ...]]:
        return {size: tuple(_moves(size, self.pool, self.pool_stride)) for size in range(1, self.size + 1)}

    @cached_property
    def _ways(self) -> list[dict[int, int]]:
        """By number of layers and length of the input: how many chains end at the target."""
        ways = [{self.target: 1}]
        for _ in range(self.max_layers):
            following = ways[-1]
            counts = {size: sum(following.get(move.out, 0) for move in moves) for size, moves in self._moves.items()}
            ways.append({size: count for size, count in counts.items() if count})
        return ways


def _moves(size: int, pool: int, pool_stride: int) -> list[Move]:
    """Every layer that fits an input exactly."""
    moves = []
    for kernel in range(2, size + 1):
        for stride in range(1, kernel):
            convolved, unused = divmod(size - kernel, stride)
            pooled, unpooled = divmod(1 + convolved - pool, pool_stride)
            if unused == 0 and unpooled == 0 and pooled >= 0:
                moves.append(Move(kernel, stride, 1 + pooled))
    return moves
