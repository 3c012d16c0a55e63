"""The whole classification: every classifier on the synthesised view, and what it has to be compared with."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ..settings import Settings
from .classifier import Classifier
from .cross_validation import plan_folds
from .discriminant import LINEAR, POLYNOMIAL
from .features import Features
from .folds import check_folds, make_folds
from .inference import TESTED, people_intervals, permutation_p, permuted_scores
from .labels import class_names
from .metrics import classification_scores
from .pattern import Pattern, decision_pattern
from .problem import Problem
from .siamese import Siamese
from .units import Units, band_power_features, make_units
from .variational import VariationalLinear
from .view import View

SYNTHETIC, EEG, LENGTH, NOTHING = "synthetic_bold", "eeg_band_power", "recording_length", "none"
MAJORITY = "majority"
CLASSIFIERS: tuple[Classifier, ...] = (LINEAR, POLYNOMIAL, VariationalLinear(), Siamese())
# Lengths that differ by less cannot be what tells classes apart.
_SAME_LENGTH = 0.02

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Scored:
    """How a classifier did on one kind of features.

    Attributes
    ----------
    classifier, features
        Names; the majority looks at no features.
    decisions
        Decision values of every unit by a classifier fitted to other people; empty for the majority.
    scores, intervals
        By name of the score: value, and 95 % interval over people.
    p, n_permutations
        By name of the score: share of labellings that do as well, and how many were drawn.
    chance
        95th percentile over permutations, by name of the score.
    """

    classifier: str
    features: str
    decisions: Float[np.ndarray, "targets units"]
    scores: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    p: dict[str, float]
    chance: dict[str, float]
    n_permutations: int


@dataclass(frozen=True)
class Classification:
    """Everything that came out.

    Attributes
    ----------
    column, units, problem
        What was classified.
    scored
        One entry per classifier and kind of features, the majority last.
    pattern
        What the linear classifier's decisions go along with.
    """

    column: str
    units: Units
    problem: Problem
    scored: tuple[Scored, ...]
    pattern: Pattern


def classify(views: Sequence[View], settings: Settings, column: str) -> Classification:
    """Tell the classes of a column apart, cross-validated over people.

    Parameters
    ----------
    views
        The synthetic recordings.
    settings
        ``bids_dir``, ``classify_unit``, ``folds``, ``permutations``, ``random_seed``, and what reading EEG needs.
    column
        Where the labels are.

    Raises
    ------
    Eeg2fmriError
        There are no labels, not two classes of enough people, or recordings are too short.
    """
    units = make_units(views, settings, column)
    problem = _problem(units, settings, column)
    check_folds(problem.people, problem.classes, problem.class_names, problem.folds)
    folds = make_folds(problem.people, problem.classes, problem.folds, np.random.default_rng(settings.random_seed))
    tables = {SYNTHETIC: units.synthetic}
    if (power := band_power_features(units, settings)) is not None:
        tables[EEG] = power
    length = _length_features(units)
    scored = []
    for name, features in tables.items():
        for classifier in CLASSIFIERS:
            logger.info("classification of %s: %s on %s", column, classifier.name, name)
            scored.append(score(classifier, name, features, problem, folds, settings))
    if length is not None:
        scored.append(score(LINEAR, LENGTH, length, problem, folds, settings))
    scored.append(_majority(problem, settings.random_seed))
    plan = plan_folds(units.synthetic, folds, LINEAR.degree)
    pattern = decision_pattern(LINEAR, units.synthetic, problem, plan, settings.random_seed)
    return Classification(column, units, problem, tuple(scored), pattern)


def score(
    classifier: Classifier,
    name: str,
    features: Features,
    problem: Problem,
    folds: np.ndarray,
    settings: Settings,
) -> Scored:
    """Cross-validate a classifier on features, with intervals and permutations.

    Parameters
    ----------
    classifier, name, features, problem
        What is fitted to what; ``name`` is that of the features.
    folds
        Units to test in each fold.
    settings
        ``permutations`` and ``random_seed``.
    """
    plan = plan_folds(features, folds, classifier.degree)
    decisions = problem.decisions(classifier, plan, problem.classes[None], settings.random_seed)[0]
    scores = classification_scores(problem.classes, decisions)
    count = min(settings.permutations, classifier.max_permutations)
    permuted = permuted_scores(classifier, features, problem, plan, count, settings.random_seed)
    columns = dict(zip(TESTED, permuted.T, strict=True))
    return Scored(
        classifier.name,
        name,
        decisions,
        scores,
        people_intervals(problem, decisions, np.random.default_rng([0xB007, settings.random_seed])),
        {key: permutation_p(scores[key], values) for key, values in columns.items()},
        {key: float(np.nanpercentile(values, 95)) for key, values in columns.items()},
        count,
    )


def _problem(units: Units, settings: Settings, column: str) -> Problem:
    names = class_names((unit.label for unit in units.units), column)
    people = tuple(sorted({unit.person for unit in units.units}))
    return Problem(
        people=np.array([people.index(unit.person) for unit in units.units]),
        classes=np.array([names.index(unit.label) for unit in units.units]),
        people_names=people,
        class_names=names,
        folds=settings.folds,
    )


def _length_features(units: Units) -> Features | None:
    """Length of the units' recordings, where they differ: it must not be what tells the classes apart."""
    if units.window_s is None:
        return None
    lengths_s = [
        np.mean([len(units.views[n].series_z) * units.views[n].tr_s for n in unit.views]) for unit in units.units
    ]
    if max(lengths_s) <= (1 + _SAME_LENGTH) * min(lengths_s):
        return None
    return Features(np.log(lengths_s)[:, None], ("log duration",), (LENGTH,))


def _majority(problem: Problem, seed: int) -> Scored:
    """The answer that is most often right, always."""
    n_classes = len(problem.class_names)
    most = np.bincount(problem.classes, minlength=n_classes).argmax()
    n_targets = len(problem.targets)
    decisions = np.zeros((n_targets, len(problem.classes)))
    decisions[0 if n_targets == 1 else most] = 1.0 if n_targets > 1 or most == 1 else -1.0
    intervals = people_intervals(problem, decisions, np.random.default_rng([0xB007, seed]))
    nothing = dict.fromkeys(TESTED, float("nan"))
    scores = classification_scores(problem.classes, decisions)
    return Scored(MAJORITY, NOTHING, decisions, scores, intervals, nothing, nothing, 0)
