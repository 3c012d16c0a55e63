"""The novelty score on features and descriptions whose distribution is known."""

from dataclasses import dataclass, replace

import jax.numpy as jnp
import numpy as np
import pytest

from bids_eeg2fmri.learning.novelty import fit_novelty_axes, fit_novelty_scale
from bids_eeg2fmri.network.novelty import (
    MAX_WIDENING,
    N_DESCRIPTION_AXES,
    Axes,
    Description,
    Novelty,
    as_description,
)

N_FEATURES, N_PROFILE, N_CONDITION, N_VOLUMES = 60, 12, 8, 120


@dataclass(frozen=True)
class _Recorded:
    features: np.ndarray
    evidence: np.ndarray
    description: Description

    def described(self, **changes):
        return replace(self, description=self.description._replace(**changes))


def _recordings(n, seed, scale=1.0):
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(99).standard_normal((8, N_FEATURES))
    for _ in range(n):
        own = rng.standard_normal((N_VOLUMES, 8)) @ mixing + 0.5 * rng.standard_normal((N_VOLUMES, N_FEATURES))
        description = as_description(
            rng.standard_normal(N_PROFILE), rng.standard_normal(N_CONDITION), rng.uniform(0, 0.03)
        )
        yield _Recorded((scale * own).astype(np.float16), np.ones(N_VOLUMES), description)


@pytest.fixture(scope="module")
def novelty():
    training = list(_recordings(30, 0))
    stacked = np.concatenate([r.features for r in training]).astype(np.float32)
    module = Novelty(N_FEATURES, N_PROFILE, n_axes=8, n_condition=N_CONDITION)
    fit_novelty_axes(module, stacked.T @ stacked, len(stacked), [r.description for r in training])
    fit_novelty_scale(module, _recordings(20, 1))
    return module


def _score(novelty, recording, evidence=1.0):
    features = jnp.asarray(recording.features, jnp.float32)
    return novelty.score(features, recording.description, jnp.full(len(features), evidence))


def test_people_like_those_of_training_are_not_novel(novelty):
    percentiles = np.concatenate([novelty.percentile(_score(novelty, r)) for r in _recordings(20, 2)])
    assert abs(np.median(percentiles) - 50) < 12
    assert percentiles.min() >= 0
    assert percentiles.max() <= 100


def test_too_much_and_too_little_variation_and_noise_are_novel(novelty):
    rng = np.random.default_rng(3)
    usual = next(_recordings(1, 4))
    noise = replace(usual, features=3 * rng.standard_normal((N_VOLUMES, N_FEATURES)))
    for strange in (next(_recordings(1, 4, scale=4)), next(_recordings(1, 4, scale=0.2)), noise):
        score = _score(novelty, strange)
        assert np.median(novelty.percentile(score)) > 95
        assert np.median(novelty.widening(score)) > 1.1
        assert float(novelty.widening(score).max()) <= MAX_WIDENING


@pytest.mark.parametrize("part", ["profile", "condition", "missing"])
def test_a_strange_recording_is_novel_whatever_its_volumes_are(novelty, part):
    usual = next(_recordings(1, 5))
    value = getattr(usual.description, part)
    strange = usual.described(**{part: jnp.asarray(0.6) if part == "missing" else value + 30})
    assert np.median(novelty.percentile(_score(novelty, usual))) < 97
    assert np.median(novelty.percentile(_score(novelty, strange))) > 99
    # Also where a volume's own history says nothing.
    assert np.median(novelty.percentile(_score(novelty, strange, evidence=0.1))) > 99


def test_nothing_missing_is_not_novel(novelty):
    usual = next(_recordings(1, 5)).described(missing=jnp.zeros(()))
    assert np.median(novelty.percentile(_score(novelty, usual))) < 97


def test_without_history_volumes_say_nothing(novelty):
    """Ten times the usual variation is not seen; what counts is the recording, or the median if that is more."""
    score = _score(novelty, next(_recordings(1, 6, scale=10)), evidence=0.1)
    assert np.ptp(score) == 0
    as_usual = _score(novelty, next(_recordings(1, 6)), evidence=0.1)
    np.testing.assert_allclose(score, as_usual)
    assert 50 - 1e-3 <= float(novelty.percentile(score)[0]) < 97
    np.testing.assert_allclose(novelty.widening(score), 1)
    silent = novelty.score(jnp.zeros((3, N_FEATURES)), _at_the_centre(novelty), jnp.zeros(3))
    np.testing.assert_allclose(novelty.percentile(silent), 50, atol=1e-3)


def _at_the_centre(novelty):
    return as_description(novelty.profile.mean[...], novelty.condition.mean[...])


def test_axes_measure_distances_in_standard_deviations():
    """The Mahalanobis distance per axis; a profile has as many numbers here as there are axes."""
    assert N_PROFILE == N_DESCRIPTION_AXES
    rng = np.random.default_rng(7)
    rows = rng.standard_normal((500, N_PROFILE)) @ rng.standard_normal((N_PROFILE, N_PROFILE)) + 5
    module = Novelty(N_FEATURES, N_PROFILE, n_axes=8)
    fit_novelty_axes(module, np.eye(N_FEATURES, dtype=np.float32), 1, [as_description(row) for row in rows])
    precision = np.linalg.inv(np.cov(rows.T))
    for point in rows[:5] + 1:
        away = point - rows.mean(axis=0)
        distance = float(module.profile.distance(jnp.asarray(point, jnp.float32)))
        assert distance == pytest.approx(np.log(away @ precision @ away / N_PROFILE), abs=0.02)


def test_few_recordings_give_numbers():
    for count in (1, 2):
        training = list(_recordings(count, 9))
        stacked = np.concatenate([r.features for r in training]).astype(np.float32)
        module = Novelty(N_FEATURES, N_PROFILE, n_axes=8, n_condition=N_CONDITION)
        fit_novelty_axes(module, stacked.T @ stacked, len(stacked), [r.description for r in training])
        fit_novelty_scale(module, _recordings(1, 10))
        assert np.isfinite(_score(module, next(_recordings(1, 11)))).all()


def test_networks_without_an_idea_of_the_head_need_no_condition():
    training = [r.described(condition=jnp.zeros(0)) for r in _recordings(12, 0)]
    stacked = np.concatenate([r.features for r in training]).astype(np.float32)
    module = Novelty(N_FEATURES, N_PROFILE, n_axes=8)
    fit_novelty_axes(module, stacked.T @ stacked, len(stacked), [r.description for r in training])
    fit_novelty_scale(module, training[6:])
    assert not module.condition.axes[...].size
    assert np.isfinite(_score(module, training[0])).all()
    assert isinstance(module.profile, Axes)
