"""Draws: as wide as stated, centred, correlated over time and between parcels as stated, and reproducible."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from bids_eeg2fmri.synthesis.parcel_forecast import ParcelForecast
from bids_eeg2fmri.synthesis.samples import NOISE_TIME_CONSTANT_S, draw_parcels

N_SAMPLES, N_VOLUMES, N_PARCELS, TR_S = 400, 60, 5, 2.0
CORRELATION = 0.4 + 0.6 * np.eye(N_PARCELS)


@pytest.fixture(scope="module")
def forecast():
    rng = np.random.default_rng(0)
    shape = (N_VOLUMES, N_PARCELS)
    return ParcelForecast(
        mean_z=rng.standard_normal(shape),
        aleatoric_sd_z=rng.uniform(0.3, 1.0, shape),
        deviations_z=0.3 * rng.standard_normal((3, *shape)),
        correlation=CORRELATION,
    )


@pytest.fixture(scope="module")
def draws(forecast):
    return np.stack(list(draw_parcels(forecast, N_SAMPLES, TR_S, 1, "sub-01")))


def test_the_mean_is_the_prediction_within_monte_carlo_error(forecast, draws):
    error = (draws.mean(axis=0) - forecast.mean_z) / (forecast.sd_z / np.sqrt(N_SAMPLES))
    assert np.abs(error).max() < 4.5
    assert np.square(error).mean() == pytest.approx(1, abs=0.35)


@pytest.mark.parametrize("level", [0.5, 0.8, 0.95])
def test_intervals_of_the_stated_sd_hold_their_share_of_draws(forecast, draws, level):
    inside = np.abs(draws - forecast.mean_z) <= norm.ppf((1 + level) / 2) * forecast.sd_z
    assert inside.mean() == pytest.approx(level, abs=0.015)
    assert np.abs(inside.mean(axis=0) - level).max() < 0.12


def test_the_ends_of_a_series_are_as_uncertain_as_its_middle(forecast, draws):
    ratio = draws.std(axis=0) / forecast.sd_z
    assert ratio[0].mean() == pytest.approx(1, abs=0.06)
    assert ratio[-1].mean() == pytest.approx(1, abs=0.06)


def test_noise_goes_together_over_time_and_between_parcels(forecast):
    alone = ParcelForecast(
        forecast.mean_z, forecast.aleatoric_sd_z, np.zeros((1, N_VOLUMES, N_PARCELS)), forecast.correlation
    )
    noise = np.stack(list(draw_parcels(alone, N_SAMPLES, TR_S, 2, "x"))) - alone.mean_z
    noise /= alone.aleatoric_sd_z
    for lag in (1, 3):
        expected = np.exp(-lag * TR_S / NOISE_TIME_CONSTANT_S)
        assert (noise[:, lag:] * noise[:, :-lag]).mean() == pytest.approx(expected, abs=0.03)
    np.testing.assert_allclose(np.corrcoef(noise.reshape(-1, N_PARCELS).T), CORRELATION, atol=0.05)


def test_a_members_deviation_lasts(forecast):
    certain = ParcelForecast(
        forecast.mean_z, 0 * forecast.aleatoric_sd_z, np.ones((1, N_VOLUMES, N_PARCELS)), forecast.correlation
    )
    (draw,) = draw_parcels(certain, 1, TR_S, 3, "x")
    np.testing.assert_allclose(np.ptp(draw - certain.mean_z), 0, atol=1e-5)


def test_seed_recording_and_number_decide_a_draw(forecast, draws):
    few = np.stack(list(draw_parcels(forecast, 3, TR_S, 1, "sub-01")))
    np.testing.assert_array_equal(few, draws[:3])
    for seed, name in ((2, "sub-01"), (1, "sub-02")):
        assert not np.allclose(next(draw_parcels(forecast, 1, TR_S, seed, name)), draws[0])


def test_parcels_that_err_as_one_are_drawn_as_one(forecast):
    together = ParcelForecast(
        forecast.mean_z, np.ones((N_VOLUMES, N_PARCELS)), forecast.deviations_z * 0, np.ones((N_PARCELS, N_PARCELS))
    )
    (draw,) = draw_parcels(together, 1, TR_S, 4, "x")
    error = draw - together.mean_z
    np.testing.assert_allclose(error, np.repeat(error[:, :1], N_PARCELS, axis=1), atol=1e-5)
