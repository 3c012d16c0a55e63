from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy import signal

from bids_eeg2fmri.bold.haemodynamics import convolve_hrf
from bids_eeg2fmri.phantom.neural_mass import relaxations, simulate_neural_masses, slow_modes
from bids_eeg2fmri.phantom.scanner import simulate_bold
from bids_eeg2fmri.phantom.sources import BURN_IN_S, STEP_S, simulate_sources

SFREQ_HZ = 128.0
DURATION_S = 180.0
ALPHA_HZ, GAMMA_HZ = (8.0, 13.0), (30.0, 45.0)


def some_sources(spec, every=10):
    """The person with a tenth of the sources: the arrays that have one entry per source are thinned."""
    thinned = {}
    for field in dataclasses.fields(spec):
        value = getattr(spec, field.name)
        if isinstance(value, np.ndarray) and spec.n_sources in value.shape:
            axis = value.shape.index(spec.n_sources)
            thinned[field.name] = value.take(np.arange(0, spec.n_sources, every), axis=axis)
    return dataclasses.replace(spec, **thinned)


@pytest.fixture(scope="module")
def small(person):
    return some_sources(person)


@pytest.fixture(scope="module")
def mass_activity(small):
    return simulate_neural_masses(small, DURATION_S, SFREQ_HZ, np.random.default_rng(0))


def peak_hz(series, sfreq_hz, band_hz=(2.0, 60.0)):
    freqs, power = signal.welch(series, sfreq_hz, nperseg=int(4 * sfreq_hz), axis=0)
    power = power.reshape(len(freqs), -1).mean(1)
    inside = (freqs >= band_hz[0]) & (freqs <= band_hz[1])
    return freqs[inside][power[inside].argmax()]


def test_form_is_that_of_the_phantom(small, mass_activity):
    other = simulate_sources(small, DURATION_S, SFREQ_HZ, np.random.default_rng(0))
    assert mass_activity.moments_am.shape == other.moments_am.shape
    assert mass_activity.moments_am.dtype == mass_activity.states.dtype == np.float32
    assert mass_activity.states.shape == other.states.shape
    assert mass_activity.state_times_s[0] == -BURN_IN_S
    assert 0.5 < mass_activity.moments_am.std() / other.moments_am.std() < 2
    np.testing.assert_allclose(mass_activity.states.mean(1), 0, atol=1e-4)
    np.testing.assert_allclose(mass_activity.states.std(1), 1, rtol=1e-4)


def test_spectrum_falls_and_has_an_alpha_peak_behind(small, mass_activity):
    freqs, power = signal.welch(mass_activity.moments_am, SFREQ_HZ, nperseg=512)
    behind = small.coordinates_mm[:, 1] < -60
    assert 8 <= peak_hz(mass_activity.moments_am[behind].T, SFREQ_HZ, (7.0, 14.0)) <= 12
    alpha = (freqs >= 8) & (freqs <= 12)
    share = power[:, alpha].sum(1) / power[:, (freqs >= 1) & (freqs <= 45)].sum(1)
    assert share[behind].mean() > 1.5 * share[small.coordinates_mm[:, 1] > 0].mean()
    outside = (freqs >= 1.5) & (freqs <= 45) & ((freqs < 7) | (freqs > 13))
    slope = np.polyfit(np.log(freqs[outside]), np.log(power.mean(0)[outside]), 1)[0]
    assert -2.5 < slope < -0.7


@pytest.mark.parametrize("sfreq_hz", [100.0, 250.0])
def test_sampling_rate_does_not_change_the_activity(small, sfreq_hz):
    usual = simulate_neural_masses(small, 20.0, SFREQ_HZ, np.random.default_rng(5))
    other = simulate_neural_masses(small, 20.0, sfreq_hz, np.random.default_rng(5))
    assert other.moments_am.shape == (small.n_sources, 20 * sfreq_hz)
    np.testing.assert_array_equal(usual.states, other.states)
    band = [
        signal.sosfiltfilt(signal.butter(4, (2, 30), "bandpass", fs=a.sfreq_hz, output="sos"), a.moments_am[0])
        for a in (usual, other)
    ]
    there = np.interp(np.arange(512, 2048) / SFREQ_HZ, np.arange(len(band[1])) / sfreq_hz, band[1])
    assert np.corrcoef(band[0][512:2048], there)[0, 1] > 0.95


def test_one_seed_gives_one_recording(small):
    first, second, other = (simulate_neural_masses(small, 10.0, SFREQ_HZ, np.random.default_rng(s)) for s in (1, 1, 2))
    np.testing.assert_array_equal(first.moments_am, second.moments_am)
    np.testing.assert_array_equal(first.states, second.states)
    assert abs(np.corrcoef(first.moments_am[0], other.moments_am[0])[0, 1]) < 0.3


def test_the_phantoms_physiology_does_not_matter(small):
    other = dataclasses.replace(
        small,
        network_weights=small.network_weights[::-1],
        network_coupling=-small.network_coupling,
        band_centre_hz=2 * small.band_centre_hz,
        coupling_scale=0.0,
    )
    first, second = (simulate_neural_masses(spec, 10.0, SFREQ_HZ, np.random.default_rng(1)) for spec in (small, other))
    np.testing.assert_array_equal(first.moments_am, second.moments_am)


def bold_relation(spec, activity, band_hz):
    """Correlation at every source of log band power, through a canonical response, with noise-free BOLD."""
    tr_s, first = 1.0, 30
    freqs, times_s, power = signal.spectrogram(activity.moments_am, SFREQ_HZ, nperseg=128, noverlap=64)
    inside = (freqs >= band_hz[0]) & (freqs < band_hz[1])
    log_power = np.log(power[:, inside].sum(1))
    expected = convolve_hrf(log_power - log_power.mean(1, keepdims=True), times_s[1] - times_s[0])
    n_volumes = int(activity.duration_s / tr_s)
    rng = np.random.default_rng(0)
    truth, _ = simulate_bold(activity, spec, spec.coordinates_mm, tr_s, n_volumes, rng, haemodynamics="balloon")
    onsets_s = tr_s * np.arange(n_volumes)[first:-1]
    at_onsets = np.stack([np.interp(onsets_s, times_s, course) for course in expected])
    return np.array([np.corrcoef(*pair)[0, 1] for pair in zip(at_onsets, truth[first:-1].T, strict=True)])


def test_alpha_falls_with_bold(small, mass_activity):
    """It is not put in, and is what simultaneous recordings find (Goldman 2002, Laufs 2003)."""
    alpha = bold_relation(small, mass_activity, ALPHA_HZ)
    assert alpha.mean() < -0.25
    assert alpha[small.coordinates_mm[:, 1] < -60].mean() < -0.2
    assert (alpha < 0).mean() > 0.9


def test_gamma_rises_with_bold_in_most_people(small):
    """As Logothetis (2001) finds; here it depends on where a person's fast masses stand."""
    people = [dataclasses.replace(small, seed=seed) for seed in range(4, 7)]
    recordings = [simulate_neural_masses(spec, DURATION_S, SFREQ_HZ, np.random.default_rng(0)) for spec in people]
    pairs = zip(people, recordings, strict=True)
    assert np.median([bold_relation(spec, recording, GAMMA_HZ).mean() for spec, recording in pairs]) > 0.2


def test_decoupled_bold_is_independent_of_the_same_eeg(small, mass_activity):
    decoupled = simulate_neural_masses(small, DURATION_S, SFREQ_HZ, np.random.default_rng(0), decouple=True)
    np.testing.assert_array_equal(decoupled.moments_am, mass_activity.moments_am)
    assert abs(bold_relation(small, decoupled, ALPHA_HZ).mean()) < 0.2
    pairs = zip(decoupled.states, mass_activity.states, strict=True)
    assert abs(np.mean([np.corrcoef(*pair)[0, 1] for pair in pairs])) < 0.15


def test_people_differ(person):
    spec = some_sources(person, every=20)
    people = [dataclasses.replace(spec, seed=seed) for seed in range(4)]
    recordings = [simulate_neural_masses(person, 40.0, SFREQ_HZ, np.random.default_rng(1)) for person in people]
    peaks = [peak_hz(recording.moments_am.T, SFREQ_HZ, (7.0, 14.0)) for recording in recordings]
    assert len(set(peaks)) > 1
    pair = np.triu_indices(spec.n_sources, 1)
    connectivity = [np.corrcoef(recording.states)[pair] for recording in recordings]
    assert np.corrcoef(connectivity)[np.triu_indices(4, 1)].max() < 0.9


def test_slow_input_is_an_ornstein_uhlenbeck_process(small):
    modes, rates_hz = slow_modes(small, np.random.default_rng(0))
    np.testing.assert_allclose((modes**2).sum(1), 1, rtol=1e-6)
    assert np.all(np.diff(rates_hz) >= 0)
    courses = relaxations(np.array([0.1, 0.5]), 40_000, np.random.default_rng(0))
    np.testing.assert_allclose(courses.std(1), 1, atol=0.08)
    lag = 4
    lagged = [np.corrcoef(course[:-lag], course[lag:])[0, 1] for course in courses]
    np.testing.assert_allclose(lagged, np.exp(-np.array([0.1, 0.5]) * lag * STEP_S), atol=0.04)


def test_input_is_shared_by_neighbours_and_mirror_images(person):
    modes, _ = slow_modes(person, np.random.default_rng(0))
    correlation = modes @ modes.T
    points = person.coordinates_mm
    apart = np.linalg.norm(points[:, None] - points[None], axis=2)
    mirrored = np.linalg.norm(points[:, None] * [-1, 1, 1] - points[None], axis=2)
    far = correlation[(apart > 80) & (mirrored > 40)].mean()
    assert correlation[(apart > 0) & (apart < 15)].mean() > far + 0.2
    assert correlation[(mirrored < 10) & (apart > 50)].mean() > far + 0.1
