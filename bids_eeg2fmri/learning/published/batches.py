"""Which volumes a training step sees: a function of seed and step, so that nothing needs to be remembered."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int


@dataclass(frozen=True)
class BatchIndices:
    """Numbers of the volumes of one batch.

    Attributes
    ----------
    numbers
        Which volumes.
    weights
        1, or 0 for a volume that only fills the batch up.
    """

    numbers: Int[np.ndarray, " batch"]
    weights: Float[np.ndarray, " batch"]


@dataclass(frozen=True)
class ShuffledEpochs:
    """Every volume once per epoch, in an order that ``seed`` and the epoch decide.

    All batches have one size, for which one program is compiled: the last one of an epoch is filled up with volumes of
    weight 0.
    """

    n_volumes: int
    batch_size: int
    seed: int

    @property
    def steps_per_epoch(self) -> int:
        """Batches of an epoch."""
        return -(-self.n_volumes // self.batch_size)

    def __call__(self, step: int) -> BatchIndices:
        """The batch of a step, counted from the start of training."""
        epoch, position = divmod(step, self.steps_per_epoch)
        return _slice(_shuffled(self.n_volumes, self.seed, epoch), position, self.batch_size)


@dataclass(frozen=True)
class InOrder:
    """Every volume once, in order; the last batch is filled up as in :class:`ShuffledEpochs`."""

    n_volumes: int
    batch_size: int

    @property
    def n_steps(self) -> int:
        """Batches that hold all volumes."""
        return -(-self.n_volumes // self.batch_size)

    def __call__(self, step: int) -> BatchIndices:
        """The batch of a step."""
        return _slice(np.arange(self.n_volumes), step, self.batch_size)


@lru_cache(maxsize=2)
def _shuffled(n_volumes: int, seed: int, epoch: int) -> Int[np.ndarray, " volumes"]:
    return np.random.default_rng([seed, epoch]).permutation(n_volumes)


def _slice(order: Int[np.ndarray, " volumes"], position: int, size: int) -> BatchIndices:
    places = np.arange(position * size, (position + 1) * size)
    return BatchIndices(order[places % len(order)], (places < len(order)).astype(np.float32))
