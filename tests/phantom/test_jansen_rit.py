from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from scipy import signal
from scipy.integrate import solve_ivp

from bids_eeg2fmri.phantom.jansen_rit import TICK_HZ, Masses, integrate
from bids_eeg2fmri.phantom.sources import STEP_S

DURATION_S = 12.0
SETTLED = slice(4 * TICK_HZ, None)


def published_potential(input_rate):
    """Potential of the pyramidal cells by the equations as published, solved by an adaptive method."""

    def firing(potential):
        return 5.0 / (1 + np.exp(0.56 * (6.0 - potential)))

    def rates(_, y):
        y0, y1, y2, dy0, dy1, dy2 = y
        return [
            dy0,
            dy1,
            dy2,
            3.25 * 100 * firing(y1 - y2) - 200 * dy0 - 100**2 * y0,
            3.25 * 100 * (input_rate + 108 * firing(135 * y0)) - 200 * dy1 - 100**2 * y1,
            22 * 50 * 33.75 * firing(33.75 * y0) - 100 * dy2 - 50**2 * y2,
        ]

    times_s = np.arange(round(DURATION_S * TICK_HZ)) / TICK_HZ
    y = solve_ivp(rates, (0, DURATION_S), np.zeros(6), t_eval=times_s, rtol=1e-8, atol=1e-10).y
    return y[1] - y[2]


def run(input_rates, *, noise_rate=0.0, slowness=1.0, shared_noise=0.5, parcels=None, seed=1):
    """One mass per source, with the published constants but for its speed."""
    n_sources = len(input_rates)
    column = jnp.ones((1, 1))
    masses = Masses(
        slowness=slowness * column,
        connectivity=135.0 * column,
        input_rate=jnp.asarray([input_rates], jnp.float32),
        swing_rate=0.0 * column,
        noise_rate=noise_rate * column,
        shared_noise=jnp.asarray(shared_noise),
        weights=jnp.ones((1, n_sources)),
    )
    slow = np.zeros((n_sources, round(DURATION_S / STEP_S) + 1))
    parcels = np.zeros(n_sources, int) if parcels is None else np.array(parcels)
    return integrate(masses, parcels, slow, np.random.default_rng(seed))


def peak_hz(series):
    freqs, power = signal.welch(series, TICK_HZ, nperseg=4 * TICK_HZ)
    return freqs[4:][power[4:].argmax()]


@pytest.mark.parametrize("input_rate", [150.0, 220.0, 290.0])
def test_masses_follow_the_published_equations(input_rate):
    potential = run([input_rate])[0][SETTLED, 0]
    expected = published_potential(input_rate)[SETTLED]
    assert peak_hz(potential) == pytest.approx(peak_hz(expected), abs=0.25)
    for of in (np.mean, np.std, np.max, np.min):
        assert of(potential) == pytest.approx(of(expected), rel=0.05)


def test_published_constants_and_noise_make_alpha():
    assert 8 <= peak_hz(run([220.0], noise_rate=58.0)[0][SETTLED, 0]) <= 12


def test_rhythm_shrinks_and_ends_beyond_the_second_hopf_bifurcation_while_firing_rises():
    """Grimbert and Faugeras place it at an input of 315.7 pulses/s."""
    potentials, firing = run([230.0, 290.0, 350.0])
    swings = potentials[8 * TICK_HZ :].std(axis=0)
    assert swings[0] > 1.2 * swings[1] > 0.5
    assert swings[2] < 0.05 * swings[0]
    assert np.all(np.diff(firing[:, -8:].mean(axis=1)) > 0)


def test_kinetics_set_the_rhythm():
    """Frequency goes with the inverse of the time constants, amplitude stays: gain times time constant is kept."""
    usual, fast = (run([220.0], slowness=slowness)[0][SETTLED, 0] for slowness in (1.0, 0.5))
    assert peak_hz(fast) == pytest.approx(2 * peak_hz(usual), rel=0.03)
    assert fast.std() == pytest.approx(usual.std(), rel=0.1)


def test_noise_is_shared_as_said():
    """By sources of one parcel, and not with one far away."""

    def alike(shared_noise):
        parcels = [0, 0, 0, 150]
        potentials, _ = run([500.0] * 4, noise_rate=30.0, slowness=0.25, shared_noise=shared_noise, parcels=parcels)
        correlation = np.corrcoef(potentials[SETTLED].T)
        return correlation[[0, 0, 1], [1, 2, 2]].mean(), correlation[:3, 3].mean()

    (all_near, all_far), (half_near, _), (none_near, _) = (alike(share) for share in (1.0, 0.5, 0.0))
    assert all_near > 0.99
    assert half_near == pytest.approx(0.5, abs=0.15)
    assert abs(none_near) < 0.15
    assert abs(all_far) < 0.15


def test_firing_stays_between_nothing_and_the_maximum():
    _, firing = run([0.0, 1000.0])
    assert firing.shape == (2, round(DURATION_S / STEP_S))
    assert np.all((firing >= 0) & (firing <= 5))
    assert firing[0, -1] < 0.5 < 4 < firing[1, -1]
