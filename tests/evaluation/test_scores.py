"""Scores against numerical integration, NumPy and known answers."""

import numpy as np
from scipy.integrate import quad
from scipy.stats import norm

from bids_eeg2fmri.evaluation.scores import crps_gaussian, skill, temporal_correlation


def test_correlation_equals_numpy_and_constants_give_zero():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 50, 4))
    expected = [np.corrcoef(a[:, i], b[:, i])[0, 1] for i in range(4)]
    np.testing.assert_allclose(temporal_correlation(a, b), expected)
    assert not temporal_correlation(np.ones((50, 4)), b).any()


def test_crps_equals_its_integral():
    for mean, sd, observed in [(0.0, 1.0, 0.3), (2.0, 0.5, 1.0), (-1.0, 3.0, 4.0)]:
        below, _ = quad(lambda x, m=mean, s=sd: norm.cdf(x, m, s) ** 2, -60, observed)
        above, _ = quad(lambda x, m=mean, s=sd: norm.sf(x, m, s) ** 2, observed, 60)
        np.testing.assert_allclose(crps_gaussian(mean, sd, observed), below + above, rtol=1e-6)


def test_skill_of_the_baseline_and_of_the_truth():
    rng = np.random.default_rng(0)
    truth, baseline = rng.standard_normal((2, 30))
    assert skill(baseline, truth, baseline) == 0
    assert skill(truth, truth, baseline) == 1
