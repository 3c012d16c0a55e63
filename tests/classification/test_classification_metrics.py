"""Scores against scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from bids_eeg2fmri.classification.metrics import auc, classification_scores, predict


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**31), st.integers(4, 40), st.booleans())
def test_two_classes(seed, n_units, weighted):
    rng = np.random.default_rng(seed)
    truth = np.concatenate([[0, 1], rng.integers(0, 2, n_units)])
    # Few values, so that there are ties.
    decisions = rng.integers(-2, 3, n_units + 2).astype(float)
    weights = rng.integers(1, 4, n_units + 2) if weighted else None
    scores = classification_scores(truth, decisions[None], weights)
    predicted = (decisions > 0).astype(int)
    given_weights = {"sample_weight": weights}
    assert scores["accuracy"] == pytest.approx(reference.accuracy_score(truth, predicted, **given_weights))
    expected = reference.balanced_accuracy_score(truth, predicted, **given_weights)
    assert scores["balanced_accuracy"] == pytest.approx(expected)
    assert scores["sensitivity"] == pytest.approx(reference.recall_score(truth, predicted, **given_weights))
    assert scores["specificity"] == pytest.approx(
        reference.recall_score(truth, predicted, pos_label=0, **given_weights)
    )
    assert scores["f1"] == pytest.approx(reference.f1_score(truth, predicted, zero_division=0, **given_weights))
    assert scores["auc"] == pytest.approx(reference.roc_auc_score(truth, decisions, **given_weights))


def test_more_classes_are_averaged():
    rng = np.random.default_rng(0)
    truth = np.arange(30) % 3
    decisions = rng.normal(size=(3, 30))
    scores = classification_scores(truth, decisions)
    predicted = predict(decisions)
    assert scores["f1"] == pytest.approx(reference.f1_score(truth, predicted, average="macro"))
    assert scores["balanced_accuracy"] == pytest.approx(reference.balanced_accuracy_score(truth, predicted))
    areas = [reference.roc_auc_score(truth == label, decisions[label]) for label in range(3)]
    assert scores["auc"] == pytest.approx(np.mean(areas))


def test_an_absent_class_has_no_auc():
    assert np.isnan(auc(np.ones(3), np.arange(3.0)))
