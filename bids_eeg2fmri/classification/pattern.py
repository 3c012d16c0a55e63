"""Where in the brain a decision comes from: the pattern that goes along with it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from .classifier import Classifier
from .cross_validation import Fold, refit
from .features import Features
from .problem import Problem


@dataclass(frozen=True)
class Pattern:
    """Correlation of every feature with the decision, and means of the classes.

    Attributes
    ----------
    names, blocks
        Of the features.
    classes
        The class that each row of ``correlation`` is told from the rest.
    correlation
        Correlation over units with the decision value: the activation pattern of Haufe et al. (2014, doi
        10.1016/j.neuroimage.2013.10.067) of a linear classifier, for features and decision of unit variance. Weights
        would also be large where a feature only helps to cancel the noise of others.
    means
        Mean of every feature in every class; a person's units are averaged first.
    """

    names: tuple[str, ...]
    blocks: tuple[str, ...]
    classes: tuple[str, ...]
    correlation: Float[np.ndarray, "targets features"]
    means: Float[np.ndarray, "classes features"]


def decision_pattern(
    classifier: Classifier, features: Features, problem: Problem, plan: tuple[Fold, ...], seed: int
) -> Pattern:
    """Fit a classifier to everybody and correlate features with its decisions.

    Parameters
    ----------
    classifier, features, problem
        What is fitted to what.
    plan
        Folds to choose the penalty on.
    seed
        Decides what the classifier draws.
    """
    rows = []
    for target in problem.targets:
        decided = refit(classifier, features, plan, problem.classes == target, problem.people, seed)
        rows.append(_correlation(features.values, decided))
    means = [_mean_of_class(features.values, problem, number) for number in range(len(problem.class_names))]
    classes = tuple(problem.class_names[target] for target in problem.targets)
    return Pattern(features.names, features.blocks, classes, np.stack(rows), np.stack(means))


def _correlation(
    values: Float[np.ndarray, "units features"], decided: Float[np.ndarray, " units"]
) -> Float[np.ndarray, " features"]:
    """Correlation of columns with a vector over the units that have a value; zero where there is none."""
    correlations = np.zeros(values.shape[1])
    for index, column in enumerate(values.T):
        known = np.isfinite(column)
        if known.sum() > 2 and np.ptp(column[known]) > 0 and np.ptp(decided[known]) > 0:
            correlations[index] = np.corrcoef(column[known], decided[known])[0, 1]
    return correlations


def _mean_of_class(
    values: Float[np.ndarray, "units features"], problem: Problem, number: int
) -> Float[np.ndarray, " features"]:
    mine = problem.classes == number
    people = [values[mine & (problem.people == person)] for person in np.unique(problem.people[mine])]
    of_people = np.array([rows.mean(axis=0) for rows in people])
    known = np.isfinite(of_people)
    total = np.where(known, of_people, 0.0).sum(axis=0)
    return np.where(known.any(axis=0), total / np.maximum(known.sum(axis=0), 1), np.nan)
