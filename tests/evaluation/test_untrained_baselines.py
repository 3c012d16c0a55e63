"""What each baseline may see, and what it scores on known series."""

import numpy as np
import pytest
from scipy.signal import lfilter

from bids_eeg2fmri.evaluation import baselines
from bids_eeg2fmri.evaluation.forecast import Forecast, Observed
from bids_eeg2fmri.evaluation.scores import temporal_correlation


def observe(series, tr_s=2.0):
    n_points = series.shape[1]
    return Observed(series, series[:, :3], np.ones(n_points, bool), np.ones(3, bool), tr_s)


@pytest.fixture
def slow():
    white = np.random.default_rng(0).standard_normal((500, 8))
    return lfilter([1], [1, -0.8], white, axis=0)


def test_previous_volume_scores_the_autocorrelation(slow):
    forecast = baselines.previous_volume(observe(slow))
    np.testing.assert_array_equal(forecast.mean_z[1:], slow[:-1])
    assert not forecast.mean_z[0].any()
    assert temporal_correlation(forecast.mean_z, slow).mean() == pytest.approx(0.8, abs=0.05)


def test_neighbours_score_more_than_any_eeg_could(slow):
    forecast = baselines.interpolated_neighbours(observe(slow))
    np.testing.assert_allclose(forecast.mean_z[7], (slow[6] + slow[8]) / 2)
    np.testing.assert_allclose(forecast.mean_z[[0, -1]], slow[[1, -2]])
    assert temporal_correlation(forecast.mean_z, slow).mean() > 0.85
    assert not baselines.interpolated_neighbours(observe(slow[:1])).mean_z.any()


def test_time_only_finds_the_common_course():
    rng = np.random.default_rng(1)
    task = rng.standard_normal((100, 8))
    people = [observe((task + rng.standard_normal(task.shape))[: 100 - 10 * number]) for number in range(5)]
    forecast = baselines.time_only(iter(people), 120)
    assert temporal_correlation(forecast.mean_z[:100], task).mean() > 0.8
    assert not forecast.mean_z[100:].any()
    np.testing.assert_allclose(forecast.mean_z[95], people[0].z[95], rtol=1e-5)


def test_time_only_ignores_points_without_signal():
    series = np.ones((10, 4))
    broken = np.full((10, 4), np.nan)
    one = observe(series)
    other = Observed(broken, broken[:, :3], np.zeros(4, bool), np.zeros(3, bool), 2.0)
    np.testing.assert_array_equal(baselines.time_only([one, other], 10).mean_z, 1)
    assert not baselines.time_only([other], 10).mean_z.any()


def test_time_only_refuses_unlike_clocks(slow):
    with pytest.raises(ValueError, match="repetition time"):
        baselines.time_only([observe(slow), observe(slow, 1.5)], 10)
    with pytest.raises(ValueError, match="at least one"):
        baselines.time_only([], 10)


def test_source_power_takes_the_signs():
    power = np.random.default_rng(2).standard_normal((50, 3, 6))
    forecast = baselines.source_power(power, np.array([0, 1, 1, 2, 3]))
    expected = power[..., 5] - power[..., 2] - power[..., 3] - power[..., 4]
    np.testing.assert_allclose(temporal_correlation(forecast.parcel_mean_z, expected), 1)
    np.testing.assert_allclose(forecast.parcel_mean_z.std(axis=0), 1)
    np.testing.assert_array_equal(forecast.mean_z[:, 1], forecast.mean_z[:, 2])
    assert not forecast.mean_z[:, 0].any()


def test_shuffled_and_zeroed_eeg_reach_the_model():
    eeg = np.arange(24.0).reshape(8, 3)
    seen = []

    def predict(given):
        seen.append(given)
        return Forecast(given, None, given)

    baselines.eeg_shuffled(predict, eeg, seed=1)
    baselines.eeg_shuffled(predict, eeg.T, seed=1, time_axis=1)
    baselines.eeg_zeroed(predict, eeg)
    assert not np.array_equal(seen[0], eeg)
    np.testing.assert_array_equal(seen[0][np.argsort(seen[0][:, 0])], eeg)
    np.testing.assert_array_equal(seen[1], seen[0].T)
    assert not seen[2].any()
    np.testing.assert_array_equal(eeg, np.arange(24.0).reshape(8, 3))


def test_a_model_that_reads_the_eeg_loses_by_the_shuffle():
    rng = np.random.default_rng(3)
    eeg = rng.standard_normal((300, 4))
    bold = eeg + rng.standard_normal(eeg.shape)

    def predict(given):
        return Forecast(given, None, given)

    assert temporal_correlation(predict(eeg).mean_z, bold).mean() > 0.6
    assert abs(temporal_correlation(baselines.eeg_shuffled(predict, eeg).mean_z, bold).mean()) < 0.1
    assert not temporal_correlation(baselines.eeg_zeroed(predict, eeg).mean_z, bold).any()
