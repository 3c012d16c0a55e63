"""What a candidate has to beat: the error of predicting zero, the mean of every series, all the time."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from ...network.calhas2022.config import Loss
from ...network.calhas2022.losses import absolute_error, half_squared_error
from ..published.volumes import Volumes

_AT_ONCE = 64
_ERRORS = {"absolute": absolute_error, "squared": half_squared_error}


def error_of_zero(volumes: Volumes, loss: Loss) -> float | None:
    """Mean over people of the mean error of their volumes; ``None`` for losses that also judge a stated scale.

    Parameters
    ----------
    volumes
        Of the validation people.
    loss
        The error that candidates are compared by.
    """
    if loss not in _ERRORS:
        return None
    errors = []
    for first in range(0, len(volumes), _AT_ONCE):
        numbers = np.arange(first, min(first + _AT_ONCE, len(volumes)))
        targets = jnp.asarray(volumes.targets(numbers), jnp.float32)
        errors.append(_ERRORS[loss](targets, jnp.zeros_like(targets)))
    owner = volumes.person_of_volume
    return float(np.mean(np.bincount(owner, np.concatenate(errors)) / np.bincount(owner)))
