"""How sure one may be of scores: intervals over people, and what permuted labels reach."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from .classifier import Classifier
from .cross_validation import Fold, plan_folds
from .features import Features
from .folds import make_folds
from .metrics import METRICS, classification_scores
from .problem import Problem

TESTED = ("balanced_accuracy", "auc")
N_RESAMPLES = 1000
_CONFIDENCE_PERCENT = (2.5, 97.5)
# Partitions of the people that permutations share where classes differ between people.
_PARTITIONS = 20


def people_intervals(
    problem: Problem, decisions: Float[np.ndarray, "targets units"], rng: np.random.Generator
) -> dict[str, tuple[float, float]]:
    """Intervals of 95 % (percentiles) over bootstrap samples of people, each with all of their units.

    Decisions stay as they are: how classifiers vary with the people that they are fitted to is not in the interval.
    NaN where half the samples or more lack a class.
    """
    n_people = len(problem.people_names)
    drawn = []
    for _ in range(N_RESAMPLES):
        times = np.bincount(rng.integers(n_people, size=n_people), minlength=n_people)
        scores = classification_scores(problem.classes, decisions, times[problem.people])
        drawn.append([scores[name] for name in METRICS])
    table = np.array(drawn)
    intervals = {}
    for name, values in zip(METRICS, table.T, strict=True):
        known = values[np.isfinite(values)]
        enough = 2 * len(known) > N_RESAMPLES
        low, high = np.percentile(known, _CONFIDENCE_PERCENT) if enough else (np.nan, np.nan)
        intervals[name] = (float(low), float(high))
    return intervals


def permuted_scores(
    classifier: Classifier,
    features: Features,
    problem: Problem,
    plan: tuple[Fold, ...],
    n_permutations: int,
    seed: int,
) -> Float[np.ndarray, "permutations tested"]:
    """Scores of :data:`TESTED` with permuted labels; everything is done again, the choice of the penalty included.

    Within people, folds do not depend on labels and stay. Between people, folds share out the classes: permuted
    labels get folds of their own, made as the true ones were.

    Parameters
    ----------
    classifier, features, problem
        What was fitted to what.
    plan
        The folds of the true labels.
    n_permutations
        How many.
    seed
        Decides the permutations.
    """
    rng = np.random.default_rng([0xC1A55, seed])
    if problem.within_people or problem.folds == "loso":
        labellings = np.stack([problem.permuted(rng) for _ in range(n_permutations)])
        return _scores(classifier, problem, plan, labellings, seed)
    scores = []
    for count in np.diff(np.linspace(0, n_permutations, min(_PARTITIONS, n_permutations) + 1).round().astype(int)):
        start = problem.permuted(rng)
        folds = make_folds(problem.people, start, problem.folds, rng)
        labellings = np.stack([problem.permuted_in(start, folds, rng) for _ in range(count)])
        scores.append(_scores(classifier, problem, plan_folds(features, folds, classifier.degree), labellings, seed))
    return np.concatenate(scores)


def permutation_p(observed: float, permuted: Float[np.ndarray, " permutations"]) -> float:
    """Share of labellings, the true one among them, that score as well as the true one; NaN without a score."""
    if not np.isfinite(observed) or not len(permuted):
        return float("nan")
    return float((1 + (permuted >= observed - 1e-12).sum()) / (1 + len(permuted)))


def _scores(
    classifier: Classifier,
    problem: Problem,
    plan: tuple[Fold, ...],
    labellings: Int[np.ndarray, "labellings units"],
    seed: int,
) -> Float[np.ndarray, "labellings tested"]:
    decisions = problem.decisions(classifier, plan, labellings, seed)
    scored = (classification_scores(*pair) for pair in zip(labellings, decisions, strict=True))
    return np.array([[scores[name] for name in TESTED] for scores in scored])
