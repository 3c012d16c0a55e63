"""A training set turned to its principal axes: all that a classifier with a rotation-invariant penalty needs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from .features import Features, standardised

_LEAST_SHARE = 1e-9


@dataclass(frozen=True)
class Rotated:
    """Units along the principal axes of the training units.

    Attributes
    ----------
    training
        Units that the axes come from.
    values
        All units along the axes that the training units span, the one of largest variance first.
    variances
        Variance of the training units along each axis.
    """

    training: Bool[np.ndarray, " units"]
    values: Float[np.ndarray, "units axes"]
    variances: Float[np.ndarray, " axes"]


def rotate(features: Features, training: Bool[np.ndarray, " units"], degree: int = 1) -> Rotated:
    """Standardise by the training units (see :func:`.features.standardised`) and turn to their principal axes."""
    values = standardised(features, training, degree)
    _, singular, axes = np.linalg.svd(values[training], full_matrices=False)
    variances = np.square(singular) / training.sum()
    kept = variances > _LEAST_SHARE * max(variances.max(initial=0.0), np.finfo(float).tiny)
    return Rotated(training, values @ axes[kept].T, variances[kept])
