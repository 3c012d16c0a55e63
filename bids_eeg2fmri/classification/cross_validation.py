"""Nested cross-validation over people, of many labellings at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from .classifier import Classifier
from .features import Features
from .folds import inner_folds
from .metrics import auc
from .rotated import Rotated, rotate


@dataclass(frozen=True)
class Part:
    """Units to test, and all units on the axes of those that train."""

    test: Bool[np.ndarray, " units"]
    rotated: Rotated


@dataclass(frozen=True)
class Fold:
    """A test on people that nothing is fitted to, and the parts of the others that a penalty is chosen on."""

    outer: Part
    inner: tuple[Part, ...]


def plan_folds(features: Features, folds: Bool[np.ndarray, "folds units"], degree: int) -> tuple[Fold, ...]:
    """Everything of a nested cross-validation that does not depend on labels.

    Parameters
    ----------
    features
        Features of the units.
    folds
        Units to test in each fold.
    degree
        Highest power of the features.
    """
    # The training people of an inner fold are often those of another outer fold's inner fold.
    known: dict[bytes, Rotated] = {}

    def part(test: Bool[np.ndarray, " units"], training: Bool[np.ndarray, " units"]) -> Part:
        key = training.tobytes()
        if key not in known:
            known[key] = rotate(features, training, degree)
        return Part(test, known[key])

    return tuple(
        Fold(part(test, ~test), tuple(part(held, ~test & ~held) for held in inner_folds(folds, number)))
        for number, test in enumerate(folds)
    )


def cross_validate(
    classifier: Classifier,
    plan: Sequence[Fold],
    positive: Bool[np.ndarray, "labellings units"],
    people: Int[np.ndarray, " units"],
    seed: int,
) -> Float[np.ndarray, "labellings units"]:
    """Decision values of every unit by a classifier that was fitted, penalty and all, to other people.

    The penalty of a fold is that of the largest AUC over its inner folds, the strongest of equals; a labelling is
    treated as if there were no other.

    Parameters
    ----------
    classifier
        What to fit.
    plan
        The folds, for this classifier's degree.
    positive
        Which units are of the class.
    people
        Person of every unit.
    seed
        Decides what classifiers draw.
    """
    decisions = np.zeros(positive.shape)
    for fold in plan:
        chosen = _choose(classifier, fold, positive, people, seed)
        for index in np.unique(chosen):
            rows = chosen == index
            decided = _decide(classifier, fold.outer, positive[rows], people, index, seed)
            decisions[np.ix_(rows, fold.outer.test)] = decided
    return decisions


def refit(
    classifier: Classifier,
    features: Features,
    plan: Sequence[Fold],
    positive: Bool[np.ndarray, " units"],
    people: Int[np.ndarray, " units"],
    seed: int,
) -> Float[np.ndarray, " units"]:
    """Decision values by a classifier fitted to these very units, its penalty chosen on the folds of ``plan``."""
    everybody = np.ones(len(people), bool)
    whole = Part(everybody, rotate(features, everybody, classifier.degree))
    fold = Fold(whole, tuple(fold.outer for fold in plan))
    index = int(_choose(classifier, fold, positive[None], people, seed)[0])
    return _decide(classifier, whole, positive[None], people, index, seed)[0]


def _choose(
    classifier: Classifier,
    fold: Fold,
    positive: Bool[np.ndarray, "labellings units"],
    people: Int[np.ndarray, " units"],
    seed: int,
) -> Int[np.ndarray, " labellings"]:
    """Index of the penalty for every labelling."""
    if len(classifier.penalties) == 1:
        return np.zeros(len(positive), int)
    training = fold.outer.rotated.training
    areas = np.zeros((len(positive), len(classifier.penalties)))
    for index in range(len(classifier.penalties)):
        decisions = np.zeros(positive.shape)
        for part in fold.inner:
            decisions[:, part.test] = _decide(classifier, part, positive, people, index, seed)
        areas[:, index] = [
            auc(*row) for row in zip(positive[:, training], decisions[:, training].round(9), strict=True)
        ]
    return np.nan_to_num(areas, nan=0.5).argmax(axis=1)


def _decide(
    classifier: Classifier,
    part: Part,
    positive: Bool[np.ndarray, "labellings units"],
    people: Int[np.ndarray, " units"],
    index: int,
    seed: int,
) -> Float[np.ndarray, "labellings tested"]:
    """Decision values of the tested units; zero where the training people are all of one class."""
    training = part.rotated.training
    known = positive[:, training].any(axis=1) & ~positive[:, training].all(axis=1)
    decided = np.zeros((len(positive), int(part.test.sum())))
    if known.any():
        rows = positive[known]
        weights = training_weights(rows, people, training)
        values = classifier.decide(part.rotated, rows.astype(float), weights, classifier.penalties[index], seed)
        decided[known] = values[:, part.test]
    return decided


def training_weights(
    positive: Bool[np.ndarray, "labellings units"],
    people: Int[np.ndarray, " units"],
    training: Bool[np.ndarray, " units"],
) -> Float[np.ndarray, "labellings units"]:
    """Weights by which both classes count one half, and within a class every person the same."""
    of_person = people[:, None] == np.unique(people)
    weights = np.zeros(positive.shape)
    for side in (positive & training, ~positive & training):
        count = (side.astype(float) @ of_person)[:, of_person.argmax(axis=1)]
        share = np.where(side, 1 / np.maximum(count, 1), 0.0)
        weights += 0.5 * share / np.maximum(share.sum(axis=1, keepdims=True), np.finfo(float).tiny)
    return weights
