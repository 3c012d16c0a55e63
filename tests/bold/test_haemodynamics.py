from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from bids_eeg2fmri.bold.haemodynamics import Balloon, balloon_bold, convolve_hrf, hrf

STEP_S = 0.01


@pytest.mark.parametrize("peak_s", [4.0, 5.0, 7.0])
def test_response_peaks_where_asked_and_has_unit_area(peak_s):
    times = np.arange(0, 60, STEP_S)
    response = hrf(times, peak_s)
    assert times[response.argmax()] == pytest.approx(peak_s, abs=0.02)
    assert response.sum() * STEP_S == pytest.approx(1.0, abs=1e-3)
    assert response.min() < 0
    assert (hrf(np.array([-1.0, 0.0]), peak_s) == 0).all()


def test_one_second_pulse_peaks_half_a_second_later():
    pulse = np.zeros((2, 4000))
    pulse[:, 0:100] = 1.0
    bold = convolve_hrf(pulse, STEP_S, np.array([5.0, 6.0]))
    peaks = bold.argmax(1) * STEP_S
    np.testing.assert_allclose(peaks, [5.5, 6.5], atol=0.05)


def test_convolution_matches_numpy():
    states = np.random.default_rng(0).standard_normal((3, 200)).astype(np.float32)
    kernel = 0.5 * hrf(0.5 * np.arange(64))
    expected = np.stack([np.convolve(row, kernel)[:200] for row in states])
    np.testing.assert_allclose(convolve_hrf(states, 0.5), expected, atol=1e-5)


def test_balloon_matches_an_adaptive_solver_and_peaks_between_3_and_5_s():
    pulse = np.zeros((1, 600))
    pulse[0, :20] = 1.0
    ours = balloon_bold(pulse, 0.05)[0]
    kappa, gamma, tau, alpha, rho = 0.65, 0.41, 0.98, 0.32, 0.34

    def rates(t, y):
        s, f, v, q = y
        return [
            0.54 * (t < 1.0) - kappa * s - gamma * (f - 1),
            s,
            (f - v ** (1 / alpha)) / tau,
            (f * (1 - (1 - rho) ** (1 / f)) / rho - v ** (1 / alpha - 1) * q) / tau,
        ]

    times = 0.05 * np.arange(600)
    _, _, v, q = solve_ivp(rates, (0, 30), [0, 1, 1, 1], t_eval=times, max_step=0.02, rtol=1e-8).y
    expected = 0.02 * (7 * rho * (1 - q) + 2 * (1 - q / v) + (2 * rho - 0.2) * (1 - v))
    np.testing.assert_allclose(ours, expected, atol=2e-5)
    assert 3.0 < times[ours.argmax()] < 5.0
    assert ours.min() < 0
    assert abs(ours[-1]) < 1e-3


def test_balloon_rests_without_input_and_survives_strong_inputs():
    assert np.abs(balloon_bold(np.zeros((2, 50)), 0.1)).max() < 1e-12
    strong = np.random.default_rng(0).standard_normal((5, 600)) * 2
    assert np.isfinite(balloon_bold(strong, 0.1, Balloon())).all()
