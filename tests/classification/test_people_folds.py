"""Folds of people: nobody on both sides, every class in its share."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bids_eeg2fmri.classification.folds import check_folds, inner_folds, make_folds
from bids_eeg2fmri.errors import BadDataError, UsageError


@st.composite
def _people(draw):
    """Units of 4 to 20 people, 1 to 4 of each, of one or of several classes."""
    n_people = draw(st.integers(4, 20))
    counts = draw(st.lists(st.integers(1, 4), min_size=n_people, max_size=n_people))
    people = np.repeat(np.arange(n_people), counts)
    between = draw(st.booleans())
    of_people = np.array(draw(st.lists(st.integers(0, 1), min_size=n_people, max_size=n_people)))
    classes = of_people[people] if between else np.arange(len(people)) % 2
    return people, classes, draw(st.one_of(st.just("loso"), st.integers(2, n_people)))


@settings(max_examples=60, deadline=None)
@given(_people(), st.integers(0, 2**31))
def test_nobody_trains_and_tests(drawn, seed):
    people, classes, count = drawn
    folds = make_folds(people, classes, count, np.random.default_rng(seed))
    assert len(folds) == (len(np.unique(people)) if count == "loso" else count)
    assert (folds.sum(axis=0) == 1).all()
    for number, test in enumerate(folds):
        assert not set(people[test]) & set(people[~test])
        inner = inner_folds(folds, number)
        np.testing.assert_array_equal(inner.sum(axis=0), ~test)
        for held in inner:
            assert not set(people[held]) & set(people[~held])


@settings(max_examples=30, deadline=None)
@given(st.integers(3, 9), st.integers(3, 9), st.integers(0, 2**31))
def test_every_fold_has_its_share_of_both_classes(n_first, n_second, seed):
    classes = np.repeat([0, 1], [n_first, n_second])
    count = min(n_first, n_second)
    folds = make_folds(np.arange(len(classes)), classes, count, np.random.default_rng(seed))
    for label in (0, 1):
        shares = (folds & (classes == label)).sum(axis=1)
        assert shares.min() >= 1
        assert np.ptp(shares) <= 1


def test_what_cannot_be_cross_validated_is_refused():
    people = np.arange(6)
    with pytest.raises(BadDataError, match="two classes are needed"):
        check_folds(people, np.zeros(6, int), ("only",), 5)
    with pytest.raises(BadDataError, match="3 people per class"):
        check_folds(people, np.array([0, 0, 0, 0, 1, 1]), ("many", "few"), "loso")
    with pytest.raises(UsageError, match=r"--folds 5.*3 folds"):
        check_folds(people, np.array([0, 0, 0, 1, 1, 1]), ("a", "b"), 5)
    check_folds(people, np.array([0, 0, 0, 1, 1, 1]), ("a", "b"), 3)
    check_folds(people, np.array([0, 0, 0, 1, 1, 1]), ("a", "b"), "loso")
