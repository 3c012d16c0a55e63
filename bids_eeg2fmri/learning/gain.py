"""How much of its amplitude a prediction keeps for people that the linear path did not see."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from jaxtyping import Float


def fit_gain(
    recordings: Iterable[tuple[Float[np.ndarray, "volumes voxels"], Float[np.ndarray, "volumes voxels"]]],
) -> float:
    """The factor on predictions that makes their squared error over all recordings smallest.

    Parameters
    ----------
    recordings
        Prediction and target of every recording.
    """
    agreement = energy = 0.0
    for predicted, target in recordings:
        agreement += float((predicted * target).sum(dtype=np.float64))
        energy += float(np.square(predicted).sum(dtype=np.float64))
    if energy == 0:
        raise ValueError("no recordings to learn from")
    return agreement / energy
