"""Batches on the devices, read and sent ahead of their use."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import jax
import numpy as np
from jax.sharding import NamedSharding
from jaxtyping import Array, Float

from .batches import BatchIndices
from .volumes import Volumes

_AHEAD = 2


class Batch(NamedTuple):
    """What a step computes with.

    Attributes
    ----------
    spectra
        Spectra before each volume, oldest first.
    targets
        The volumes, in half precision.
    weights
        1, or 0 for a volume that only fills the batch up.
    """

    spectra: Float[Array, "batch windows channels bins"]
    targets: Float[Array, "batch x y z"]
    weights: Float[Array, " batch"]


def feed(
    volumes: Volumes, indices: Callable[[int], BatchIndices], steps: Iterable[int], sharding: NamedSharding
) -> Iterator[Batch]:
    """Batches of the given steps, in order.

    A thread reads the next ones from the files and sends them while the devices compute; nothing but the windows of
    these few batches is ever in memory, and each process reads only the rows of its own devices.
    """
    waiting: deque[Future[Batch]] = deque()
    with ThreadPoolExecutor(1, thread_name_prefix="feed") as reader:
        try:
            for step in steps:
                waiting.append(reader.submit(_load, volumes, indices(step), sharding))
                if len(waiting) > _AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _load(volumes: Volumes, indices: BatchIndices, sharding: NamedSharding) -> Batch:
    numbers = indices.numbers

    def sent(row_shape: tuple[int, ...], read: Callable[[np.ndarray], np.ndarray]) -> Array:
        shape = (len(numbers), *row_shape)
        return jax.make_array_from_callback(shape, sharding, lambda index: read(numbers[index[0]]))  # type: ignore[index]

    return Batch(
        sent(volumes.spectra_shape, volumes.spectra),
        sent(volumes.target_shape, volumes.targets),
        jax.make_array_from_callback(numbers.shape, sharding, lambda index: indices.weights[index]),
    )
