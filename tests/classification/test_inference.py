"""Permutations and intervals: right when there is nothing to find."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from bids_eeg2fmri.classification.cross_validation import plan_folds
from bids_eeg2fmri.classification.discriminant import LINEAR, Discriminant
from bids_eeg2fmri.classification.features import Features
from bids_eeg2fmri.classification.folds import make_folds
from bids_eeg2fmri.classification.inference import people_intervals, permutation_p, permuted_scores
from bids_eeg2fmri.classification.metrics import classification_scores
from bids_eeg2fmri.classification.problem import Problem

_FEW_PENALTIES = Discriminant("linear", penalties=(10.0, 0.1))


def _problem(classes: np.ndarray, people: np.ndarray, folds) -> Problem:
    return Problem(people, classes, tuple(map(str, np.unique(people))), ("no", "yes"), folds)


def _p(problem: Problem, values: np.ndarray, seed: int, n_permutations: int = 19) -> float:
    features = Features(values, tuple(map(str, range(values.shape[1]))), ("all",) * values.shape[1])
    folds = make_folds(problem.people, problem.classes, problem.folds, np.random.default_rng(seed))
    plan = plan_folds(features, folds, 1)
    decisions = problem.decisions(_FEW_PENALTIES, plan, problem.classes[None], seed)[0]
    observed = classification_scores(problem.classes, decisions)["auc"]
    permuted = permuted_scores(_FEW_PENALTIES, features, problem, plan, n_permutations, seed)
    return permutation_p(observed, permuted[:, 1])


@pytest.mark.parametrize(
    ("classes", "people", "folds"),
    [
        pytest.param(np.repeat([0, 1], [7, 4]), np.arange(11), 3, id="between people"),
        pytest.param(np.repeat([0, 1], [6, 4]), np.arange(10), "loso", id="between people, one left out"),
        pytest.param(np.arange(16) % 2, np.arange(16) // 2, 4, id="within people"),
    ],
)
def test_p_is_uniform_where_there_is_nothing(classes, people, folds):
    problem = _problem(classes, people, folds)
    assert problem.within_people == (len(np.unique(people)) < len(people))
    rng = np.random.default_rng(5)
    own = 2 * rng.normal(size=(30, people.max() + 1, 20))
    p = [_p(problem, own[seed][people] + rng.normal(size=(len(people), 20)), seed) for seed in range(30)]
    # p takes steps of 1/20: as continuous values they are uniform when a step's width is drawn in addition.
    spread = np.array(p) - rng.random(30) / 20
    assert scipy.stats.kstest(spread, "uniform").pvalue > 0.005


def test_p_is_small_where_there_is_something():
    problem = _problem(np.arange(24) % 2, np.arange(24), 5)
    values = np.random.default_rng(0).normal(size=(24, 20)) + 1.5 * (np.arange(24) % 2)[:, None]
    assert _p(problem, values, 0, 99) <= 0.03


def test_permutations_keep_what_they_must():
    rng = np.random.default_rng(0)
    within = _problem(np.array([0, 1, 1, 0, 1, 0, 0]), np.array([0, 0, 0, 1, 1, 2, 2]), "loso")
    for _ in range(20):
        permuted = within.permuted(rng)
        for person in range(3):
            assert sorted(permuted[within.people == person]) == sorted(within.classes[within.people == person])
    between = _problem(np.array([0, 0, 1, 1, 0, 1]), np.array([0, 0, 1, 1, 2, 3]), 2)
    for _ in range(20):
        permuted = between.permuted(rng)
        assert (permuted[[0, 2]] == permuted[[1, 3]]).all()
        assert permuted[[0, 2, 4, 5]].sum() == 2


def test_intervals_are_over_people_and_not_over_their_many_units():
    rng = np.random.default_rng(0)
    once = np.arange(20) % 2
    decisions = np.where(once, 1.0, -1.0) + 1.2 * rng.normal(size=20)
    few = people_intervals(_problem(once, np.arange(20), 5), decisions[None], np.random.default_rng(0))
    many = people_intervals(
        _problem(np.repeat(once, 10), np.repeat(np.arange(20), 10), 5),
        np.repeat(decisions, 10)[None],
        np.random.default_rng(0),
    )
    assert few == many
    low, high = few["auc"]
    assert low < classification_scores(once, decisions[None])["auc"] < high
    assert high - low > 0.1


def test_p_without_a_score_is_not_known():
    assert np.isnan(permutation_p(float("nan"), np.ones(3)))
    assert permutation_p(0.5, np.array([0.4, 0.5, 0.6])) == 0.75


def test_more_than_two_classes_are_each_told_from_the_rest():
    classes = np.arange(18) % 3
    problem = Problem(np.arange(18), classes, tuple(map(str, range(18))), ("a", "b", "c"), 3)
    values = np.random.default_rng(0).normal(size=(18, 9))
    values[np.arange(18), classes] += 6
    features = Features(values, tuple("abcdefghi"), ("all",) * 9)
    folds = make_folds(problem.people, classes, 3, np.random.default_rng(0))
    decisions = problem.decisions(LINEAR, plan_folds(features, folds, 1), classes[None], 0)[0]
    assert decisions.shape == (3, 18)
    assert classification_scores(classes, decisions)["accuracy"] > 0.9
