"""Intervals over people against SciPy."""

import numpy as np
from scipy import stats

from bids_eeg2fmri.evaluation.people import mean_over_people, parcels_above_zero


def test_interval_of_a_mean_is_students():
    values = np.random.default_rng(0).standard_normal((9, 3)) + 2
    found = mean_over_people(values, correlation=False)
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    np.testing.assert_allclose(found.mean, values.mean(axis=0))
    np.testing.assert_allclose(found.low, expected.low)
    np.testing.assert_allclose(found.high, expected.high)


def test_correlations_are_averaged_in_fishers_z():
    r = np.array([0.1, 0.5, 0.9])
    found = mean_over_people(r, correlation=True)
    interval = stats.ttest_1samp(np.arctanh(r), 0).confidence_interval(0.95)
    np.testing.assert_allclose(found, [np.tanh(np.arctanh(r).mean()), *np.tanh(interval), 3])
    assert -1 < found.low < found.high < 1
    assert np.isfinite(mean_over_people(np.ones(3), correlation=True).mean)


def test_one_person_has_a_mean_and_no_interval():
    found = mean_over_people(np.array([0.3]), correlation=True)
    np.testing.assert_allclose(found.mean, 0.3)
    assert np.isnan([found.low, found.high]).all()


def test_people_without_a_value_are_left_out():
    found = mean_over_people(np.array([[1.0, np.nan], [3.0, np.nan], [np.nan, np.nan]]), correlation=False)
    np.testing.assert_array_equal(found.n_people, [2, 0])
    assert found.mean[0] == 2
    assert np.isnan(found.mean[1])


def test_intervals_cover_the_true_mean():
    rng = np.random.default_rng(1)
    values = np.tanh(0.3 + 0.2 * rng.standard_normal((8, 4000)))
    found = mean_over_people(values, correlation=True)
    covered = ((found.low <= np.tanh(0.3)) & (np.tanh(0.3) <= found.high)).mean()
    assert abs(covered - 0.95) < 0.015


def test_parcels_above_zero_is_one_sided():
    rng = np.random.default_rng(2)
    r = np.tanh(0.1 * rng.standard_normal((12, 3)) + [0, 0.4, -0.4])
    p_values = parcels_above_zero(r)
    assert p_values[1] < 0.001
    assert p_values[2] > 0.999
    np.testing.assert_allclose(p_values, stats.ttest_1samp(np.arctanh(r), 0, alternative="greater").pvalue)
    assert np.isnan(parcels_above_zero(r[:1])).all()
