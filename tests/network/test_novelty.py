"""The novelty score on features whose distribution is known."""

from types import SimpleNamespace

import jax.numpy as jnp
import numpy as np
import pytest

from bids_eeg2fmri.learning.novelty import fit_novelty_axes, fit_novelty_scale
from bids_eeg2fmri.network.novelty import MAX_WIDENING, Novelty

N_FEATURES, N_PROFILE = 60, 12


def _recordings(n, seed, scale=1.0):
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(99).standard_normal((8, N_FEATURES))
    for _ in range(n):
        features = scale * (rng.standard_normal((120, 8)) @ mixing + 0.5 * rng.standard_normal((120, N_FEATURES)))
        yield SimpleNamespace(
            features=features.astype(np.float16), evidence=np.ones(120), profile=rng.standard_normal(N_PROFILE)
        )


@pytest.fixture(scope="module")
def novelty():
    training = list(_recordings(30, 0))
    stacked = np.concatenate([r.features for r in training]).astype(np.float32)
    module = Novelty(N_FEATURES, N_PROFILE, n_axes=8)
    profiles = np.stack([r.profile for r in training])
    fit_novelty_axes(module, stacked.T @ stacked, len(stacked), profiles)
    fit_novelty_scale(module, _recordings(20, 1))
    return module


def _score(novelty, recording, evidence=1.0):
    features = jnp.asarray(recording.features, jnp.float32)
    return novelty.score(features, jnp.asarray(recording.profile), jnp.full(len(features), evidence))


def test_people_like_those_of_training_are_not_novel(novelty):
    percentiles = np.concatenate([novelty.percentile(_score(novelty, r)) for r in _recordings(20, 2)])
    assert abs(np.median(percentiles) - 50) < 12
    assert percentiles.min() >= 0
    assert percentiles.max() <= 100


def test_too_much_and_too_little_variation_and_noise_are_novel(novelty):
    rng = np.random.default_rng(3)
    usual = next(_recordings(1, 4))
    noise = SimpleNamespace(features=3 * rng.standard_normal((120, N_FEATURES)), profile=usual.profile)
    for strange in (next(_recordings(1, 4, scale=4)), next(_recordings(1, 4, scale=0.2)), noise):
        score = _score(novelty, strange)
        assert np.median(novelty.percentile(score)) > 95
        assert np.median(novelty.widening(score)) > 1.1
        assert float(novelty.widening(score).max()) <= MAX_WIDENING


def test_a_strange_spectrum_is_novel(novelty):
    usual = next(_recordings(1, 5))
    usual.profile = usual.profile + 30
    assert np.median(novelty.percentile(_score(novelty, usual))) > 99


def test_without_history_nothing_is_said(novelty):
    score = _score(novelty, next(_recordings(1, 6, scale=10)), evidence=0.1)
    np.testing.assert_allclose(novelty.percentile(score), 50, atol=1e-3)
    np.testing.assert_allclose(novelty.widening(score), 1)
