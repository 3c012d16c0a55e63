"""The closed forms of the linear path against scikit-learn and explicit loops."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from bids_eeg2fmri.learning.ridge import accumulate, jackknife, leading_maps, solve


@pytest.fixture(scope="module")
def recordings():
    rng = np.random.default_rng(0)
    weights = rng.standard_normal((12, 3)) @ rng.standard_normal((3, 20))
    features = [rng.standard_normal((40, 12)).astype(np.float32) for _ in range(6)]
    return [(x, (x @ weights + rng.standard_normal((40, 20))).astype(np.float32)) for x in features]


def test_equals_scikit_learn(recordings):
    moments = accumulate(recordings)
    features, targets = (np.concatenate(part) for part in zip(*recordings, strict=True))
    assert moments.n_volumes == len(features)
    alpha = 0.1 * np.trace(moments.gram) / 12
    expected = Ridge(alpha=alpha, fit_intercept=False).fit(features, targets).coef_.T
    np.testing.assert_allclose(solve(moments.gram, moments.cross, 0.1), expected, rtol=1e-3, atol=1e-4)


def test_leading_maps_span_the_predictions(recordings):
    moments = accumulate(recordings)
    weights = solve(moments.gram, moments.cross, 0.01)
    maps = leading_maps(moments, weights, 3)
    np.testing.assert_allclose(maps.T @ maps, np.eye(3), atol=1e-4)
    predicted = np.concatenate([x for x, _ in recordings]) @ weights
    _, _, axes = np.linalg.svd(predicted, full_matrices=False)
    np.testing.assert_allclose(np.abs(np.linalg.svd(axes[:3] @ maps)[1]), 1, atol=1e-3)


def _fit(moments):
    return solve(moments.gram, moments.cross, 0.05)[:, :4]


def test_members_vary_as_the_jackknife_says(recordings):
    folds = [accumulate([pair]) for pair in recordings]
    members = jackknife(folds, _fit)
    left_out = np.stack([_fit(accumulate([p for j, p in enumerate(recordings) if j != i])) for i in range(6)])
    tukey = 5 / 6 * np.square(left_out - left_out.mean(axis=0)).sum(axis=0)
    np.testing.assert_allclose(members.var(axis=0, ddof=1), tukey, rtol=2e-2, atol=1e-7)
    np.testing.assert_allclose(members.mean(axis=0), _fit(accumulate(recordings)), atol=1e-5)


def test_nothing_to_learn_from():
    with pytest.raises(ValueError, match="no recordings"):
        accumulate([])
