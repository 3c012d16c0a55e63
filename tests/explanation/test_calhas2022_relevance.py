"""Explanations of the published network: they add up, have their axes in order, and do not survive randomisation."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from scipy.stats import spearmanr

from bids_eeg2fmri.eeg.leadfield import template_directions
from bids_eeg2fmri.explanation.calhas2022_relevance import explain_calhas2022
from bids_eeg2fmri.network.calhas2022.trained import Calhas2022Facts, TrainedCalhas2022

NAMES = ("Fp1", "Fp2", "C3", "C4", "P3", "P4", "O1", "O2")
TR_S = 2.0
ONSETS_S = TR_S * np.arange(6, 16)
REGIONS = ("one", "other")
_DIRECTIONS = template_directions(NAMES)


class _Spectra:
    """Random windows; those asked for again are the same."""

    cap = SimpleNamespace(channel_names=NAMES, directions=_DIRECTIONS)

    def before(self, onsets_s, n_windows):
        draws = [np.random.default_rng(int(onset)).standard_normal((8, 20, n_windows)) for onset in onsets_s]
        return np.array(draws, np.float32), np.ones((len(onsets_s), n_windows), bool)


@pytest.fixture(scope="module")
def trained(small_published):
    network = small_published()
    facts = Calhas2022Facts(NAMES, tuple(map(tuple, 0.09 * _DIRECTIONS)), TR_S, tuple(map(tuple, np.eye(4))))
    return TrainedCalhas2022(network, facts)


@pytest.fixture(scope="module")
def weights():
    return np.random.default_rng(0).standard_normal((2, 6 * 6 * 4)).astype(np.float32)


@pytest.fixture(scope="module")
def explanation(trained, weights):
    return explain_calhas2022(trained, _Spectra(), weights, REGIONS, ONSETS_S)


def test_shares_sum_to_one(explanation):
    np.testing.assert_allclose(explanation.relevance.shares.sum(axis=(1, 2, 3)), 1, atol=0.02)
    propagated = explanation.propagated
    np.testing.assert_allclose(propagated.shares.sum(axis=(1, 2, 3)) + propagated.unassigned, 1, atol=1e-3)


def test_axes(explanation):
    relevance = explanation.relevance
    assert relevance.shares.shape == (2, 8, 4, 6)
    # Bins lie at 0.5 to 10 Hz.
    assert relevance.bands_hz == ((0.0, 1.0), (1.0, 4.0), (4.0, 8.0), (8.0, 13.0))
    np.testing.assert_array_equal(relevance.lag_edges_s, [0, 2, 4, 6, 8, 10, 12])
    assert relevance.n_volumes == 10


def test_the_graph_is_the_mean_attention(explanation, trained):
    windows, _ = _Spectra().before(ONSETS_S, 6)
    expected = np.asarray(trained.network.attention_scores(jnp.asarray(windows))).mean(axis=0)
    np.testing.assert_allclose(explanation.graph.weights, expected, rtol=1e-4)
    assert explanation.graph.relevance.shape == (2, 8, 8)


def test_randomised_weights_destroy_the_maps(explanation, trained, weights):
    likeness = []
    for seed in range(3):
        other = explain_calhas2022(_shuffled(trained, seed), _Spectra(), weights, REGIONS, ONSETS_S)
        for name in ("relevance", "propagated"):
            one, randomised = getattr(explanation, name).shares, getattr(other, name).shares
            likeness.append(spearmanr(one.ravel(), randomised.ravel()).statistic)
    assert abs(np.mean(likeness)) < 0.15
    assert np.max(np.abs(likeness)) < 0.4


def _shuffled(trained, seed):
    """Every kernel in random order."""
    graph, state = nnx.split(trained)

    def shuffle(array):
        order = np.random.default_rng([seed, array.size]).permutation(array.size)
        return array.ravel()[order].reshape(array.shape) if array.ndim > 1 else array

    return nnx.merge(graph, jax.tree.map(shuffle, state))
