"""Folds of people: nobody is in training and test at once."""

from __future__ import annotations

from collections import defaultdict
from typing import Literal

import numpy as np
from jaxtyping import Bool, Int

from ..errors import BadDataError, UsageError

MIN_PEOPLE_PER_CLASS = 3
# With two, all training people would be held out at once where a penalty is chosen.
MIN_FOLDS = 3
MAX_INNER_FOLDS = 4


def make_folds(
    people: Int[np.ndarray, " units"],
    classes: Int[np.ndarray, " units"],
    folds: int | Literal["loso"],
    rng: np.random.Generator,
) -> Bool[np.ndarray, "folds units"]:
    """Units to test in each fold; every person is tested once, with all of their units.

    People who have the same classes are dealt out in turn, so that every fold has its share of them. Where one person
    is left out at a time there is nothing to share, and the order of the folds is random.

    Parameters
    ----------
    people, classes
        Person and class of every unit.
    folds
        Number of folds, or ``"loso"``: one per person.
    rng
        Shuffles the people.
    """
    if folds == "loso":
        return np.stack([people == person for person in rng.permutation(np.unique(people))])
    alike: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for person in np.unique(people):
        alike[tuple(np.unique(classes[people == person]))].append(int(person))
    dealt = [person for key in sorted(alike) for person in rng.permutation(alike[key])]
    return np.stack([np.isin(people, dealt[fold::folds]) for fold in range(folds)])


def inner_folds(folds: Bool[np.ndarray, "folds units"], outer: int) -> Bool[np.ndarray, "inner units"]:
    """The folds other than ``outer``, joined to :data:`MAX_INNER_FOLDS` or fewer: a penalty is chosen on them."""
    others = np.delete(folds, outer, axis=0)
    count = min(MAX_INNER_FOLDS, len(others))
    return np.stack([others[group::count].any(axis=0) for group in range(count)])


def check_folds(
    people: Int[np.ndarray, " units"],
    classes: Int[np.ndarray, " units"],
    names: tuple[str, ...],
    folds: int | Literal["loso"],
) -> None:
    """Refuse what cannot be cross-validated over people.

    Raises
    ------
    BadDataError
        Fewer than two classes, or a class of too few people.
    UsageError
        More folds than the smallest class has people, or so few that none are left to choose a penalty on.
    """
    counts = {name: len(np.unique(people[classes == number])) for number, name in enumerate(names)}
    told = ", ".join(f"{name}: {count}" for name, count in counts.items()) or "none"
    if len(names) < 2:
        raise BadDataError(
            f"two classes are needed to tell apart; the people have: {told}.",
            remedy="Choose a column with two values, or widen the selection.",
        )
    smallest = min(counts.values())
    if smallest < MIN_PEOPLE_PER_CLASS:
        raise BadDataError(
            f"{MIN_PEOPLE_PER_CLASS} people per class are needed to cross-validate over people; there are {told}.",
            remedy="Add people, or choose another column.",
        )
    if folds != "loso" and not MIN_FOLDS <= folds <= smallest:
        raise UsageError(
            f"--folds {folds} does not fit the people per class ({told}).",
            remedy=f"Use loso, or {MIN_FOLDS} to {smallest} folds.",
        )
