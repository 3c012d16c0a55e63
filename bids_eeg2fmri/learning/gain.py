"""How much of its amplitude a prediction keeps for people that the linear path did not see."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from jaxtyping import Float


def fit_gain(recordings: Iterable[tuple[Float[np.ndarray, "*shape"], Float[np.ndarray, "*shape"]]]) -> float:
    """The factor on predictions that makes their squared error over all recordings smallest.

    Predictions that point the wrong way, or nowhere, get zero: they are turned off, not around.

    Parameters
    ----------
    recordings
        Prediction and target of every recording.
    """
    agreement = energy = 0.0
    n_recordings = 0
    for predicted, target in recordings:
        agreement += float((predicted * target).sum(dtype=np.float64))
        energy += float(np.square(predicted).sum(dtype=np.float64))
        n_recordings += 1
    if n_recordings == 0:
        raise ValueError("no recordings to learn from")
    return max(agreement, 0.0) / energy if energy > 0 else 0.0
