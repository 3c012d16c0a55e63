"""Who trains, who validates, who tests: people, never windows of one person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..errors import UsageError

VALIDATION_SHARE = 0.2
MIN_PEOPLE = 3


@dataclass(frozen=True)
class Split:
    """Three groups that share nobody.

    Attributes
    ----------
    name
        ``"test"``, ``"fold-1"``, ... or ``"all"``.
    training
        People whose volumes fit the weights.
    validation
        People for early stopping, penalties and calibration.
    test
        People to score the result on; empty for the model that is kept after a cross-validation.
    """

    name: str
    training: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]

    def __post_init__(self) -> None:
        everyone = [*self.training, *self.validation, *self.test]
        if len(set(everyone)) != len(everyone):
            raise ValueError(f"split {self.name}: somebody is in two groups")


def make_splits(
    people: Sequence[str],
    *,
    folds: int | Literal["loso"],
    test: Sequence[str] = (),
    validation: Sequence[str] = (),
    seed: int = 0,
) -> tuple[Split, ...]:
    """The splits to train and score; the last one makes the model that is kept.

    With people named for the test there is one split. Otherwise every person is tested once, and a last split without
    a test uses everybody.

    Parameters
    ----------
    people
        Everyone who has recordings.
    folds
        Parts of the cross-validation, or ``"loso"``: leave one person out.
    test, validation
        People named for a group. Without names, a fifth of those who are not tested validate, drawn by ``seed``.
    seed
        Decides what is drawn.

    Raises
    ------
    UsageError
        Too few people, a name that nobody has, or one in two groups.
    """
    everyone = sorted(people)
    _check(everyone, test, validation)
    rng = np.random.default_rng([0x5B117, seed])
    if test:
        return (_split("test", everyone, test, validation, rng),)
    candidates = [person for person in everyone if person not in validation]
    count = len(candidates) if folds == "loso" else folds
    if count > len(candidates):
        raise UsageError(f"--folds {count}: there are only {len(candidates)} people to test.", remedy="Use loso.")
    shuffled = rng.permutation(candidates)
    parts = [tuple(sorted(str(person) for person in shuffled[fold::count])) for fold in range(count)]
    names = [f"fold-{number}" for number in range(1, count + 1)]
    splits = [_split(name, everyone, part, validation, rng) for name, part in zip(names, parts, strict=True)]
    return (*splits, _split("all", everyone, (), validation, rng))


def _check(everyone: Sequence[str], test: Sequence[str], validation: Sequence[str]) -> None:
    if len(everyone) < MIN_PEOPLE:
        raise UsageError(
            f"training needs recordings of {MIN_PEOPLE} people (to train, to validate, to test); "
            f"there are {len(everyone)}: {', '.join(everyone) or 'nobody'}.",
            remedy="Add people, or look above at why pairs of EEG and BOLD were left out.",
        )
    for option, named in (("--test-participants", test), ("--validation-participants", validation)):
        unknown = sorted(set(named) - set(everyone))
        if unknown:
            raise UsageError(
                f"{option}: nobody with EEG and BOLD is called {', '.join(unknown)}.",
                remedy=f"There are: {', '.join(everyone)}.",
            )
    both = sorted(set(test) & set(validation))
    if both:
        raise UsageError(f"{', '.join(both)} cannot both test and validate.", remedy="Name each person once.")


def _split(
    name: str, everyone: Sequence[str], test: Sequence[str], validation: Sequence[str], rng: np.random.Generator
) -> Split:
    rest = [person for person in everyone if person not in test]
    if not validation:
        count = max(1, round(VALIDATION_SHARE * len(rest)))
        validation = tuple(str(person) for person in rng.permutation(rest)[:count])
    training = tuple(person for person in rest if person not in validation)
    if not training:
        raise UsageError(f"split {name}: nobody is left to train on.", remedy="Name fewer people for the other groups.")
    return Split(name, training, tuple(sorted(validation)), tuple(sorted(test)))
