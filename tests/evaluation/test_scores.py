"""Scores against numerical integration, NumPy and known answers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm
from sklearn.metrics import r2_score

from bids_eeg2fmri.evaluation.scores import (
    crps_gaussian,
    r_squared,
    skill,
    spatial_correlation,
    temporal_correlation,
)


def test_correlation_equals_numpy_and_constants_give_zero():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 50, 4))
    expected = [np.corrcoef(a[:, i], b[:, i])[0, 1] for i in range(4)]
    np.testing.assert_allclose(temporal_correlation(a, b), expected)
    assert not temporal_correlation(np.ones((50, 4)), b).any()


@settings(deadline=None, max_examples=50)
@given(value=st.floats(-1e6, 1e6), dtype=st.sampled_from([np.float32, np.float64]))
def test_any_constant_forecast_correlates_with_nothing(value, dtype):
    noise = np.random.default_rng(0).standard_normal((40, 3)).astype(dtype)
    assert not temporal_correlation(np.full((40, 3), value, dtype), noise).any()


def test_spatial_correlation_is_over_points():
    a, b = np.random.default_rng(1).standard_normal((2, 5, 30))
    np.testing.assert_allclose(spatial_correlation(a, b), [np.corrcoef(x, y)[0, 1] for x, y in zip(a, b, strict=True)])
    np.testing.assert_allclose(spatial_correlation(a, 3 * a + 2), 1)


def test_crps_equals_its_integral():
    for mean, sd, observed in [(0.0, 1.0, 0.3), (2.0, 0.5, 1.0), (-1.0, 3.0, 4.0)]:
        below, _ = quad(lambda x, m=mean, s=sd: norm.cdf(x, m, s) ** 2, -60, observed)
        above, _ = quad(lambda x, m=mean, s=sd: norm.sf(x, m, s) ** 2, observed, 60)
        np.testing.assert_allclose(crps_gaussian(mean, sd, observed), below + above, rtol=1e-6)


def test_crps_without_uncertainty_is_the_absolute_error():
    np.testing.assert_allclose(crps_gaussian(np.array([1.0, 2.0]), np.zeros(2), np.array([3.0, 2.0])), [2, 0])


@pytest.mark.parametrize("sd", [0.5, 1.0, 2.0])
def test_expected_crps_of_the_true_gaussian(sd):
    observed = sd * np.random.default_rng(2).standard_normal(200_000)
    np.testing.assert_allclose(
        crps_gaussian(0 * observed, sd + 0 * observed, observed).mean(), sd / np.sqrt(np.pi), rtol=0.01
    )


def test_skill_of_the_baseline_and_of_the_truth():
    rng = np.random.default_rng(0)
    truth, baseline = rng.standard_normal((2, 30))
    assert skill(baseline, truth, baseline) == 0
    assert skill(truth, truth, baseline) == 1
    assert np.isnan(skill(truth, truth, truth))


def test_r_squared_equals_scikit_learn():
    a, b = np.random.default_rng(3).standard_normal((2, 60, 5)) * [1, 2, 3, 4, 5]
    np.testing.assert_allclose(r_squared(a, b), r2_score(b, a, multioutput="variance_weighted"))
    assert r_squared(np.broadcast_to(b.mean(axis=0), b.shape), b) == 0
