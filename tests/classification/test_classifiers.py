"""What the classifiers compute, and that a planted difference is found in new people and nothing elsewhere."""

from __future__ import annotations

from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from bids_eeg2fmri.classification.cross_validation import cross_validate, plan_folds, training_weights
from bids_eeg2fmri.classification.discriminant import LINEAR, POLYNOMIAL, Discriminant
from bids_eeg2fmri.classification.features import Features, standardised
from bids_eeg2fmri.classification.folds import make_folds
from bids_eeg2fmri.classification.metrics import classification_scores
from bids_eeg2fmri.classification.rotated import rotate
from bids_eeg2fmri.classification.siamese import FourierClassifier, Siamese
from bids_eeg2fmri.classification.variational import VariationalLinear

_PARITY = Path(__file__).parents[1] / "data" / "parity"
_PEOPLE = np.repeat(np.arange(24), 2)
_CLASSES = _PEOPLE % 2


def _features(values: np.ndarray) -> Features:
    n_features = values.shape[1]
    return Features(values, tuple(f"f{index}" for index in range(n_features)), ("all",) * n_features)


def _table(effect: float, seed: int = 0, n_features: int = 60) -> Features:
    """Units of 24 people, whose own offset is as large as the noise; ten features differ between the classes."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(48, n_features)) + rng.normal(size=(24, n_features))[_PEOPLE]
    values[:, :10] += effect * _CLASSES[:, None]
    return _features(values)


def _scores(classifier, features, seed=0):
    folds = make_folds(_PEOPLE, _CLASSES, 4, np.random.default_rng(seed))
    plan = plan_folds(features, folds, classifier.degree)
    decisions = cross_validate(classifier, plan, (_CLASSES == 1)[None], _PEOPLE, seed)
    return classification_scores(_CLASSES, decisions)


@pytest.mark.parametrize("classifier", [LINEAR, VariationalLinear(), Siamese()], ids=lambda item: item.name)
def test_a_planted_difference_is_found_and_nothing_is_found_without_one(classifier):
    assert _scores(classifier, _table(3.0))["auc"] > 0.85
    without = [_scores(classifier, _table(0.0, seed), seed)["auc"] for seed in range(3)]
    assert abs(np.mean(without) - 0.5) < 0.2


def test_only_powers_find_a_difference_in_spread():
    rng = np.random.default_rng(1)
    values = rng.normal(size=(48, 8)) * np.where(_CLASSES, 3.0, 0.5)[:, None]
    assert _scores(POLYNOMIAL, _features(values))["auc"] > 0.85
    assert _scores(LINEAR, _features(values))["auc"] < 0.75


def test_without_a_ridge_it_is_fishers_discriminant():
    features, training = _table(1.0, n_features=6), _PEOPLE < 16
    rotated = rotate(features, training)
    positive = (_CLASSES == 1)[None]
    # Every unit as a person of its own: scikit-learn knows no people.
    weights = training_weights(positive, np.arange(48), training)
    decided = Discriminant("test").decide(rotated, positive.astype(float), weights, 1e-10, 0)[0]
    fitted = LinearDiscriminantAnalysis(solver="lsqr", priors=[0.5, 0.5]).fit(
        features.values[training], _CLASSES[training]
    )
    expected = fitted.decision_function(features.values)
    assert np.corrcoef(decided, expected)[0, 1] > 1 - 1e-9
    np.testing.assert_array_equal(decided > 0, expected > 0)
    for label, mean in ((0, -1.0), (1, 1.0)):
        np.testing.assert_allclose(decided[training & (label == _CLASSES)].mean(), mean, atol=1e-8)


def test_labels_of_tested_people_change_nothing_for_them():
    features = _table(1.0)
    folds = make_folds(_PEOPLE, _CLASSES, 4, np.random.default_rng(0))
    plan = plan_folds(features, folds, 1)
    labels = np.stack([_CLASSES == 1, np.where(folds[0], _CLASSES == 0, _CLASSES == 1)])
    decisions = cross_validate(LINEAR, plan, labels, _PEOPLE, 0)
    np.testing.assert_array_equal(decisions[0, folds[0]], decisions[1, folds[0]])
    assert (decisions[0, folds[1]] != decisions[1, folds[1]]).any()


def test_classes_weigh_the_same_and_people_within_them():
    people = np.array([0, 0, 0, 1, 2, 3, 3])
    positive = np.array([[1, 1, 0, 1, 0, 0, 0]], bool)
    weights = training_weights(positive, people, np.arange(7) < 6)[0]
    np.testing.assert_allclose(weights, [0.125, 0.125, 1 / 6, 0.25, 1 / 6, 1 / 6, 0.0])


def test_features_are_standardised_by_the_training_units_and_blocks_weigh_the_same():
    rng = np.random.default_rng(0)
    values = rng.normal(3.0, 5.0, (20, 5))
    values[:, 3], values[2, 1] = 7.0, np.nan
    features = Features(values, tuple("abcde"), ("one",) * 4 + ("other",))
    training = np.arange(20) < 12
    table = standardised(features, training)
    np.testing.assert_allclose(table[training].var(axis=0)[[0, 2, 4]], [1 / 3, 1 / 3, 1])
    assert table[2, 1] == 0
    assert (table[:, 3] == 0).all()
    values[15:] += 100
    np.testing.assert_array_equal(standardised(features, training)[training], table[training])


def test_the_loss_of_pairs_is_the_published_one():
    recorded = np.load(_PARITY / "losses_contrastive.npz")

    class Recorded(FourierClassifier):
        """Hands on phases, and the recorded logits."""

        def phases(self, values):
            return values

        def logits(self, phases):
            return jnp.concatenate([recorded["logit1"], recorded["logit2"]])[:, 0]

    network = Recorded(4, rngs=nnx.Rngs(0))
    distance, labels = jnp.asarray(recorded["dist"]), jnp.asarray(recorded["y3"][:, 1:, 1])
    same = jnp.asarray(recorded["y3"][:, 0].argmax(axis=1), jnp.float32)
    loss = network.pair_loss(distance, jnp.zeros_like(distance), same, labels, 0.0)
    np.testing.assert_allclose(loss, recorded["contrastive_classification"], rtol=1e-6)
    penalised = network.pair_loss(distance, jnp.zeros_like(distance), same, labels, 2.0)
    np.testing.assert_allclose(penalised - loss, 2 * np.abs(network.classifier.kernel[...]).sum(), rtol=1e-5)
