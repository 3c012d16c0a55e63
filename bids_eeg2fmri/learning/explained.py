"""How much of people's BOLD linear predictions explain, whatever their amplitude."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np
from jaxtyping import Float

from .inputs import Inputs
from .people import Person, examples_of


def explained_share(
    inputs: Inputs, factors: Sequence[Float[np.ndarray, "inputs outputs"]], people: Sequence[Person]
) -> float:
    """Share of the variance over all recordings that predictions explain at the amplitude that suits them best.

    Zero for predictions that point the wrong way.

    Parameters
    ----------
    inputs
        What the network makes of an example.
    factors
        Matrices that take inputs, one after the other, to the sample voxels.
    people
        Whose recordings are predicted.
    """
    agreement = energy = variance = 0.0
    for example in examples_of(people):
        known = np.isfinite(example.targets)
        predicted = reduce(np.matmul, factors, inputs(example))[known]
        target = example.targets[known].astype(np.float32)
        agreement += float((predicted * target).sum(dtype=np.float64))
        energy += float(np.square(predicted).sum(dtype=np.float64))
        variance += float(np.square(target).sum(dtype=np.float64))
    return max(agreement, 0.0) ** 2 / (energy * variance) if energy * variance > 0 else 0.0
