from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy import signal

from bids_eeg2fmri.bold.atlas import load_atlas
from bids_eeg2fmri.bold.grid import GREY_MATTER, make_grid
from bids_eeg2fmri.bold.haemodynamics import convolve_hrf
from bids_eeg2fmri.eeg.leadfield import leadfield, template_directions
from bids_eeg2fmri.errors import BadDataError, UsageError
from bids_eeg2fmri.phantom.caps import cap_names
from bids_eeg2fmri.phantom.draw import draw_person
from bids_eeg2fmri.phantom.person import BANDS
from bids_eeg2fmri.phantom.scalp import ScannerTiming, project_eeg
from bids_eeg2fmri.phantom.scanner import mean_image, simulate_bold
from bids_eeg2fmri.phantom.slow import slow_noise
from bids_eeg2fmri.phantom.sources import STEP_S, Stimulus, simulate_sources
from bids_eeg2fmri.settings import OutputSpace

SFREQ_HZ = 128.0
CHUNK_S = 2


def _log_power(activity, low_hz, high_hz):
    """Log band power of every source in windows of 2 s, and the windows' centres."""
    freqs, times, power = signal.spectrogram(
        activity.moments_am, activity.sfreq_hz, nperseg=int(CHUNK_S * activity.sfreq_hz), noverlap=0
    )
    band = (freqs >= low_hz) & (freqs <= high_hz)
    return np.log(power[:, band].mean(1)), times


def _in_place(person):
    """The person under a cap that sits where it should."""
    noise = dataclasses.replace(person.scalp_noise, electrode_jitter_deg=0.0, cap_turn_deg=0.0)
    return dataclasses.replace(person, scalp_noise=noise)


def _correlation(a, b):
    a, b = a - a.mean(1, keepdims=True), b - b.mean(1, keepdims=True)
    return (a * b).sum(1) / np.sqrt((a**2).sum(1) * (b**2).sum(1) + 1e-20)


def _alpha_to_state(person, activity):
    power, times = _log_power(activity, person.alpha_hz - 1.5, person.alpha_hz + 1.5)
    states = np.stack([np.interp(times, activity.state_times_s, row) for row in activity.states])
    cortical = np.array([n != "Subcortical" for n in load_atlas().networks])[person.parcels]
    return _correlation(power, states)[cortical], power[cortical]


def test_slow_noise_has_its_band_and_variance():
    noise = slow_noise(200, 2000, 0.5, 0.05, np.random.default_rng(0))
    assert noise.var() == pytest.approx(1.0, rel=0.1)
    freqs, power = signal.periodogram(noise.astype(float), 2.0, window="hann")
    assert power[:, freqs > 0.13].sum() < 0.01 * power.sum()


def test_spectra_have_the_asked_for_bands(person, activity):
    freqs, power = signal.welch(activity.moments_am, SFREQ_HZ, nperseg=512)
    posterior = person.coordinates_mm[:, 1] < -70
    mean = power[posterior].mean(0)
    background = mean * np.maximum(freqs, 1) ** person.background_slope
    near_alpha = (freqs > 7) & (freqs < 13.5)
    assert freqs[near_alpha][mean[near_alpha].argmax()] == pytest.approx(person.alpha_hz, abs=0.6)
    for band in ("alpha", "beta", "gamma"):
        centre, width = person.band_centre_hz[BANDS.index(band)], person.band_width_hz[BANDS.index(band)]
        inside = background[np.abs(freqs - centre).argmin()]
        assert inside > 1.2 * background[np.abs(freqs - centre - 3 * width).argmin()]
    alpha = (freqs > person.alpha_hz - 1) & (freqs < person.alpha_hz + 1)
    anterior = person.coordinates_mm[:, 1] > 20
    assert mean[alpha].mean() > 2 * power[anterior][:, alpha].mean()


def test_alpha_follows_the_states_only_when_coupled(person, activity):
    coupled, _ = _alpha_to_state(person, activity)
    assert coupled.mean() < -0.3
    for kind in ("flat", "decoupled"):
        other = dataclasses.replace(person, coupling_scale=0.0) if kind == "flat" else person
        control = simulate_sources(other, 180.0, SFREQ_HZ, np.random.default_rng(1), decouple=kind == "decoupled")
        correlation, power = _alpha_to_state(other, control)
        # What networks have in common can agree by chance.
        assert abs(correlation.mean()) < (0.06 if kind == "flat" else 0.12)
        # A Gaussian signal of constant power still scatters; modulation adds to that.
        slow_part = signal.detrend(power).reshape(len(power), -1, 5).mean(2).var(1).mean()
        assert (slow_part < 0.06) == (kind == "flat")


def test_flat_person_still_has_slow_states_in_bold():
    flat = draw_person(3, coupling=0.0)
    assert flat.coupling_scale == 0
    activity = simulate_sources(flat, 60.0, SFREQ_HZ, np.random.default_rng(0))
    assert activity.states.std() > 0.5


def test_activity_depends_on_the_seed_alone(person):
    first, again, other = (simulate_sources(person, 20.0, 100.0, np.random.default_rng(seed)) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first.moments_am, again.moments_am)
    assert not np.array_equal(first.moments_am, other.moments_am)


@pytest.mark.parametrize("sfreq_hz", [100.0, 256.3, 1000.0])
def test_any_sampling_rate_gives_the_same_power(person, sfreq_hz):
    flat = dataclasses.replace(person, coupling_scale=0.0)
    usual = simulate_sources(flat, 20.0, SFREQ_HZ, np.random.default_rng(6))
    quick = simulate_sources(flat, 20.0, sfreq_hz, np.random.default_rng(5))
    assert quick.moments_am.shape[1] == round(20.0 * sfreq_hz)
    assert quick.moments_am.dtype == np.float32
    assert quick.moments_am.std() == pytest.approx(usual.moments_am.std(), rel=0.05)


def test_power_is_even_within_and_between_frames(person):
    """Frames are joined under windows whose squares sum to one: no pulsing with the frames."""
    flat = dataclasses.replace(person, coupling_scale=0.0)
    moments = simulate_sources(flat, 60.0, 100.0, np.random.default_rng(2)).moments_am
    phase_power = (moments.reshape(len(moments), -1, 10, 10) ** 2).mean((0, 1, 3))
    np.testing.assert_allclose(phase_power / phase_power.mean(), 1, atol=0.06)


def test_long_recordings_are_made_in_pieces_without_seams(person, monkeypatch):
    monkeypatch.setattr("bids_eeg2fmri.phantom.sources._FRAMES_AT_ONCE", 10)
    flat = dataclasses.replace(person, coupling_scale=0.0)
    moments = simulate_sources(flat, 60.0, 100.0, np.random.default_rng(2)).moments_am
    power = (moments.reshape(len(moments), 6, 10, 100) ** 2).mean((0, 1, 3))
    np.testing.assert_allclose(power / power.mean(), 1, atol=0.12)


def test_different_caps_see_the_same_sources(person, activity):
    quiet = _in_place(person)
    signals = {}
    for cap in (19, 64):
        values, names, positions = project_eeg(
            activity, quiet, cap_names(cap), np.random.default_rng(0), reference="Cz", artefacts=False
        )
        assert "Cz" not in names
        assert values.shape == (cap - 1, activity.moments_am.shape[1])
        assert positions.shape == (cap - 1, 3)
        signals[cap] = dict(zip(names, values, strict=True))
    for name, small in signals[19].items():
        np.testing.assert_allclose(small, signals[64][name], atol=1e-9)


def test_projection_is_the_leadfield_and_references_agree(person, activity):
    quiet = _in_place(person)
    names = cap_names(32)
    rng = np.random.default_rng(0)
    average, _, _ = project_eeg(activity, quiet, names, rng, artefacts=False)
    gains = leadfield(template_directions(names), quiet.head_positions_m, tuple(quiet.conductivities))
    expected = np.einsum("csx,sx->cs", gains, quiet.orientations) @ activity.moments_am
    np.testing.assert_allclose(average, expected - expected.mean(0), atol=1e-9)
    mastoids, channels, _ = project_eeg(activity, quiet, names, rng, reference="mastoids", artefacts=False)
    assert channels == names
    np.testing.assert_allclose(mastoids - mastoids.mean(0), average, atol=1e-9)


def test_scalp_eeg_has_human_amplitudes(person, activity):
    signals, names, _ = project_eeg(activity, person, cap_names(64), np.random.default_rng(0))
    band = signal.sosfiltfilt(signal.butter(2, [1, 40], "band", fs=SFREQ_HZ, output="sos"), signals)
    assert 5e-6 < np.median(band.std(1)) < 40e-6
    alpha = signal.sosfiltfilt(
        signal.butter(2, [person.alpha_hz - 1.5, person.alpha_hz + 1.5], "band", fs=SFREQ_HZ, output="sos"), signals
    ).std(1)
    at = dict(zip(names, alpha, strict=True))
    assert np.mean([at["O1"], at["O2"], at["Oz"]]) > np.mean([at["Fp1"], at["Fp2"], at["AFz"]])


def test_artefacts_are_where_they_belong(person, activity):
    noise = dataclasses.replace(
        person.scalp_noise, blink_rate_hz=0.2, blink_v=100e-6, line_v=5e-6, line_hz=50.0, gradient_v=200e-6, pulse_v=0.0
    )
    noisy = dataclasses.replace(person, scalp_noise=noise)
    clean, names, _ = project_eeg(activity, noisy, cap_names(32), np.random.default_rng(0), artefacts=False)
    timing = ScannerTiming(first_volume_onset_s=60.0, tr_s=2.0)
    full, _, _ = project_eeg(activity, noisy, cap_names(32), np.random.default_rng(0), timing=timing)
    added = full - clean
    before, during = added[:, : 60 * 128], added[:, 60 * 128 :]
    assert during.std() > 3 * before.std()
    volumes = during[:, : 50 * 256].reshape(len(names), 50, 256).mean(1)
    assert volumes.std() > 0.8 * during.std()
    freqs, power = signal.welch(before, SFREQ_HZ, nperseg=1024)
    assert power.mean(0)[np.abs(freqs - 50).argmin()] > 20 * power.mean(0)[np.abs(freqs - 46).argmin()]
    peaks = dict(zip(names, np.abs(before - np.median(before, 1, keepdims=True)).max(1), strict=True))
    assert peaks["Fp1"] > 1.5 * peaks["Pz"]


@pytest.mark.parametrize("haemodynamics", ["linear", "balloon"])
def test_bold_lags_the_states(person, activity, haemodynamics):
    sites = person.coordinates_mm[::7]
    truth, noisy = simulate_bold(
        activity, person, sites, 1.0, 179, np.random.default_rng(0), haemodynamics=haemodynamics
    )
    assert truth.shape == noisy.shape == (179, len(sites))
    assert truth.dtype == noisy.dtype == np.float32
    times = np.arange(179.0)
    states = np.stack([np.interp(times, activity.state_times_s, row) for row in activity.states[::7]])
    lags = [_correlation(states[:, : 179 - lag], truth.T[:, lag:]).mean() for lag in range(12)]
    assert 3 <= int(np.argmax(lags)) <= 7
    assert max(lags) > 0.7


def test_bold_at_a_source_alone_is_its_convolved_state(person, activity):
    canonical = {"hrf_undershoot": np.full(person.n_sources, 1 / 6), "hrf_spread": np.zeros(person.n_sources)}
    alone = dataclasses.replace(person, bold_percent=np.where(np.arange(person.n_sources) == 10, 1.0, 0.0), **canonical)
    truth, _ = simulate_bold(
        activity, alone, person.coordinates_mm[10:11], 2.0, 80, np.random.default_rng(0), first_volume_onset_s=12.5
    )
    expected = convolve_hrf(activity.states[10:11], STEP_S, person.hrf_peak_s[10])[0]
    at_volumes = np.interp(12.5 + 2.0 * np.arange(80), activity.state_times_s, expected)
    assert np.corrcoef(truth[:, 0], at_volumes)[0, 1] > 0.9999


def test_parcel_means_are_about_half_truth(person, activity):
    grid = make_grid(OutputSpace(resolution="4"))
    truth, noisy = simulate_bold(activity, person, grid.coordinates_mm, 2.0, 90, np.random.default_rng(0))
    averaging = load_atlas().averaging_matrix(grid.coordinates_mm)
    parcels = _correlation(averaging @ truth.T, averaging @ noisy.T)
    voxels = _correlation(truth.T, noisy.T)[grid.tissue == GREY_MATTER]
    assert 0.6 < parcels.mean() < 0.88
    assert 0.15 < voxels.mean() < 0.6
    assert truth[:, grid.tissue == GREY_MATTER].std() > 2 * truth[:, grid.tissue != GREY_MATTER].std()


def test_same_bold_at_the_same_place_on_any_grid(person, activity):
    sites = np.array([[-30.0, -80, 10], [40, 10, 30], [0, 0, 0]])
    one, _ = simulate_bold(activity, person, sites, 2.0, 60, np.random.default_rng(0))
    more, _ = simulate_bold(activity, person, np.repeat(sites, 5000, 0), 2.0, 60, np.random.default_rng(1))
    np.testing.assert_allclose(one, more[:, ::5000], atol=1e-5)


def test_stimuli_move_the_task_networks(person):
    stimuli = tuple(Stimulus(onset, 20.0) for onset in np.arange(20.0, 100.0, 40.0))
    driven = simulate_sources(person, 100.0, 100.0, np.random.default_rng(0), stimuli=stimuli)
    rest = simulate_sources(person, 100.0, 100.0, np.random.default_rng(0))
    difference = driven.network_states - rest.network_states
    during = (driven.state_times_s % 40 >= 20) & (driven.state_times_s >= 0) & (driven.state_times_s < 100)
    np.testing.assert_allclose(difference[:, during], person.task_drive[:, None] * np.ones(during.sum()), atol=1e-5)
    np.testing.assert_allclose(difference[:, ~during], 0, atol=1e-5)


def test_mean_image_is_the_persons_own_and_positive(person):
    grid = make_grid(OutputSpace(resolution="4"))
    image = mean_image(person, grid)
    assert image.min() > 500
    assert image.max() < 2000
    np.testing.assert_array_equal(image, mean_image(person, grid))


def test_caps_are_nested_and_known():
    assert [len(cap_names(n)) for n in (19, 32, 64, 128)] == [19, 32, 64, 128]
    assert set(cap_names(19)) < set(cap_names("32")) < set(cap_names(64)) < set(cap_names(128))
    assert len(set(cap_names(128))) == 128
    template_directions(cap_names(128))
    assert cap_names("Cz, Pz,Oz") == ("Cz", "Pz", "Oz")
    for wrong in ("20", "Cz", "Cz,Cz", ""):
        with pytest.raises(UsageError, match="unknown cap"):
            cap_names(wrong)


def test_unknown_electrode_is_refused(person, activity):
    with pytest.raises(BadDataError, match="X7"):
        project_eeg(activity, person, ("Cz", "X7"), np.random.default_rng(0))
