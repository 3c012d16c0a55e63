"""Linear discriminants with a ridge, on the features or on their powers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from .rotated import Rotated


@dataclass(frozen=True)
class Discriminant:
    """Fisher's linear discriminant with a ridge, the classes weighing the same.

    Its direction is (S + penalty x trace(S) / rank I)^-1 (m1 - m0), with S the covariance of the training units
    whatever their class: as S does not look at labels, one decomposition serves all labellings (as in Treder 2018,
    arXiv 1803.10016). With the covariance within classes instead, the direction without a ridge would be the same.
    Decision values are scaled so that the means of the classes in training lie at 1 and -1.
    """

    name: str
    degree: int = 1
    penalties: tuple[float, ...] = (100.0, 10.0, 1.0, 0.1, 0.01)
    max_permutations: int = 1_000_000

    def decide(
        self,
        rotated: Rotated,
        positive: Float[np.ndarray, "labellings units"],
        weights: Float[np.ndarray, "labellings units"],
        penalty: float,
        seed: int,
    ) -> Float[np.ndarray, "labellings units"]:
        """See :meth:`.classifier.Classifier.decide`; nothing is drawn."""
        difference = 2 * weights * (2 * positive - 1)
        axes = rotated.values.shape[1]
        ridge = penalty * rotated.variances.sum() / max(axes, 1)
        direction = (difference @ rotated.values) / (rotated.variances + ridge)
        projected = direction @ rotated.values.T
        middle = (weights * projected).sum(axis=1, keepdims=True)
        half = (difference * projected).sum(axis=1, keepdims=True) / 2
        return np.where(half > 0, (projected - middle) / np.where(half > 0, half, 1), 0.0)


LINEAR = Discriminant("linear")
POLYNOMIAL = Discriminant("polynomial", degree=3)
