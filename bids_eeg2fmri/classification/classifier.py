"""What all classifiers have in common."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from jaxtyping import Float

from .rotated import Rotated


class Classifier(Protocol):
    """Tells a class from the rest, for many labellings of the same units at a time.

    Attributes
    ----------
    name
        As it stands in the table of scores.
    degree
        Highest power of the features that it looks at.
    penalties
        To choose from by cross-validation within the training people, the strongest first.
    max_permutations
        More permutations than this would take too long.
    """

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def degree(self) -> int: ...  # noqa: D102
    @property
    def penalties(self) -> tuple[float, ...]: ...  # noqa: D102
    @property
    def max_permutations(self) -> int: ...  # noqa: D102

    def decide(
        self,
        rotated: Rotated,
        positive: Float[np.ndarray, "labellings units"],
        weights: Float[np.ndarray, "labellings units"],
        penalty: float,
        seed: int,
    ) -> Float[np.ndarray, "labellings units"]:
        """Decision values of all units, from classifiers fitted to the training units.

        Parameters
        ----------
        rotated
            The units, and which of them train.
        positive
            1 for a unit of the class, 0 for one of the rest; every labelling has both among the training units.
        weights
            Weights of the units; those of each side of ``positive`` add up to one half over the training units, and
            the others' are zero.
        penalty
            One of :attr:`penalties`.
        seed
            Decides what is drawn, where anything is.
        """
        ...
