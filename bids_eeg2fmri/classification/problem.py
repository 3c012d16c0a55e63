"""A question of classification: whose units, which classes, and how labels may be permuted."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int

from .classifier import Classifier
from .cross_validation import Fold, cross_validate


@dataclass(frozen=True)
class Problem:
    """Units with their people and classes.

    Attributes
    ----------
    people, classes
        Person and class of every unit, by number.
    people_names, class_names
        What the numbers stand for; with two classes the second one is the positive one.
    folds
        Number of folds over people, or one per person.
    """

    people: Int[np.ndarray, " units"]
    classes: Int[np.ndarray, " units"]
    people_names: tuple[str, ...]
    class_names: tuple[str, ...]
    folds: int | Literal["loso"]

    @cached_property
    def within_people(self) -> bool:
        """Whether people have units of several classes; labels are then permuted within people."""
        return any(len(np.unique(self.classes[self.people == person])) > 1 for person in np.unique(self.people))

    @property
    def targets(self) -> tuple[int, ...]:
        """The classes that are told from the rest: the second of two, or each of more."""
        return (1,) if len(self.class_names) == 2 else tuple(range(len(self.class_names)))

    def decisions(
        self, classifier: Classifier, plan: tuple[Fold, ...], classes: Int[np.ndarray, "labellings units"], seed: int
    ) -> Float[np.ndarray, "labellings targets units"]:
        """Decision values of units by classifiers that were fitted to other people, for every labelling."""
        return np.stack(
            [cross_validate(classifier, plan, classes == target, self.people, seed) for target in self.targets], axis=1
        )

    def permuted(self, rng: np.random.Generator) -> Int[np.ndarray, " units"]:
        """The classes, permuted within people if people have several, else between people."""
        if self.within_people:
            return shuffled_within(self.classes, self.people, rng)
        known, first = np.unique(self.people, return_index=True)
        return rng.permutation(self.classes[first])[np.searchsorted(known, self.people)]

    def permuted_in(
        self, classes: Int[np.ndarray, " units"], folds: Bool[np.ndarray, "folds units"], rng: np.random.Generator
    ) -> Int[np.ndarray, " units"]:
        """Classes of people, permuted so that each fold keeps its share of every class."""
        known, first = np.unique(self.people, return_index=True)
        of_people = shuffled_within(classes[first], folds.argmax(axis=0)[first], rng)
        return of_people[np.searchsorted(known, self.people)]


def shuffled_within(
    values: Int[np.ndarray, " units"], groups: Int[np.ndarray, " units"], rng: np.random.Generator
) -> Int[np.ndarray, " units"]:
    """Values, shuffled among the units of each group."""
    shuffled = values.copy()
    for group in np.unique(groups):
        shuffled[groups == group] = rng.permutation(values[groups == group])
    return shuffled
