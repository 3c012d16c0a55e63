from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.signal

from bids_eeg2fmri.eeg.amplitude import check_amplitude, robust_sd
from bids_eeg2fmri.eeg.bad_channels import find_bad_channels, window_peaks
from bids_eeg2fmri.eeg.bad_segments import find_bad_segments, gain
from bids_eeg2fmri.eeg.filtering import filter_in_place
from bids_eeg2fmri.eeg.flat import saturated_share
from bids_eeg2fmri.eeg.line_noise import declared_line_hz, find_line_noise
from bids_eeg2fmri.eeg.power import median_spectrum
from bids_eeg2fmri.eeg.samples import window_samples
from bids_eeg2fmri.eeg.standard_montage import standard_positions
from bids_eeg2fmri.eeg.window_ends import window_ends
from bids_eeg2fmri.errors import BadDataError

SFREQ_HZ = 250.0
PATH = Path("x.edf")


def test_spectrum_of_white_noise_and_a_sine() -> None:
    rng = np.random.default_rng(0)
    times_s = np.arange(250 * 120) / SFREQ_HZ
    signals = 1e-5 * rng.standard_normal((2, times_s.size)).astype(np.float32)
    signals[1] += 1e-5 * np.sin(2 * np.pi * 10 * times_s)
    freqs_hz, power = median_spectrum(signals, SFREQ_HZ)
    assert freqs_hz[1] == 0.5
    np.testing.assert_allclose(np.median(power[0, 5:-5]), 1e-10 / 125, rtol=0.05)
    _, reference = scipy.signal.welch(signals, SFREQ_HZ, nperseg=500, noverlap=250, average="median")
    np.testing.assert_allclose(power[:, 3:-3], reference[:, 3:-3], rtol=0.05)
    assert freqs_hz[power[1].argmax()] == 10.0


def test_bursts_hardly_change_the_spectrum() -> None:
    signals = 1e-5 * np.random.default_rng(0).standard_normal((1, 30_000)).astype(np.float32)
    _, quiet = median_spectrum(signals, SFREQ_HZ)
    burst = signals.copy()
    burst[:, 5000:6000] *= 1000
    _, loud = median_spectrum(burst, SFREQ_HZ)
    np.testing.assert_allclose(loud.mean(), quiet.mean(), rtol=0.1)
    usable = np.ones(30_000, dtype=bool)
    usable[5000:6000] = False
    _, skipped = median_spectrum(burst, SFREQ_HZ, usable)
    np.testing.assert_allclose(skipped.mean(), quiet.mean(), rtol=0.02)


def test_line_noise_is_found_only_where_it_stands_out(simulate, cap) -> None:
    signals = simulate(cap, SFREQ_HZ, 60.0).astype(np.float32)
    freqs_hz, power = median_spectrum(signals, SFREQ_HZ)
    assert find_line_noise(freqs_hz, power, None) == ()
    times_s = np.arange(signals.shape[1]) / SFREQ_HZ
    hum = 5e-6 * np.sin(2 * np.pi * 60.1 * times_s) + 3e-6 * np.sin(2 * np.pi * 120 * times_s)
    freqs_hz, power = median_spectrum((signals + hum).astype(np.float32), SFREQ_HZ)
    assert find_line_noise(freqs_hz, power, None) == (60.0,)
    assert find_line_noise(freqs_hz, power, 60.0) == (60.0,)
    assert find_line_noise(freqs_hz, power, 50.0) == ()


@pytest.mark.parametrize(("value", "line_hz"), [(50, 50.0), ("60", 60.0), ("n/a", None), (None, None), (16.7, None)])
def test_declared_line(value: object, line_hz: float | None) -> None:
    assert declared_line_hz(value) == line_hz


def test_filter_keeps_the_eeg_and_takes_drift_and_hum() -> None:
    times_s = np.arange(250 * 60) / SFREQ_HZ
    alpha = 1e-5 * np.sin(2 * np.pi * 10 * times_s)
    drift = 0.02 + 1e-3 * times_s / 60 + 5e-5 * np.sin(2 * np.pi * 0.05 * times_s)
    hum = 1e-5 * np.sin(2 * np.pi * 50 * times_s)
    signals = (alpha + drift + hum)[None].astype(np.float32)
    filter_in_place(signals, SFREQ_HZ, (50.0,))
    inner = slice(1000, -1000)
    np.testing.assert_allclose(signals[0, inner], alpha[inner], atol=3e-7)


@pytest.mark.parametrize(("n_samples", "lines_hz"), [(60_000, ()), (60_000, (50.0, 100.0)), (700, (50.0,))])
def test_filtering_in_blocks_is_filtering_at_once(n_samples: int, lines_hz: tuple[float, ...]) -> None:
    rng = np.random.default_rng(0)
    signals = (0.02 + 1e-5 * rng.standard_normal((19, n_samples)).cumsum(axis=1)).astype(np.float32)
    sections = [scipy.signal.butter(2, 0.5, "highpass", fs=SFREQ_HZ, output="sos")]
    sections += [scipy.signal.tf2sos(*scipy.signal.iirnotch(hz, hz / 1.7, fs=SFREQ_HZ)) for hz in lines_hz]
    pad = min(1000, n_samples - 1)
    expected = scipy.signal.sosfiltfilt(np.concatenate(sections), signals.astype(float), axis=1, padlen=pad)
    filter_in_place(signals, SFREQ_HZ, lines_hz)
    np.testing.assert_allclose(signals, expected, atol=1e-6 * expected.std())


def test_robust_sd() -> None:
    rng = np.random.default_rng(0)
    noise = 1e-5 * rng.standard_normal((1, 200_000))
    noise[0, rng.random(200_000) < 0.02] = 1.0
    assert robust_sd(noise)[0] == pytest.approx(1e-5, rel=0.05)


@pytest.mark.parametrize(("sd_v", "factor"), [(1e-11, "1e6"), (10.0, "1e-6"), (1e-2, "1e-3"), (1e-8, "1e3")])
def test_amplitude_names_the_factor(sd_v: float, factor: str) -> None:
    with pytest.raises(BadDataError, match=rf"factor of {factor}\b") as caught:
        check_amplitude(np.full(19, sd_v), PATH)
    assert "channels.tsv" in str(caught.value.remedy)


def test_amplitudes_of_eeg_pass() -> None:
    for sd_v in (0.1e-6, 1e-5, 1e-3):
        check_amplitude(np.full(19, sd_v), PATH)
    with pytest.raises(BadDataError, match="constant"):
        check_amplitude(np.zeros(19), PATH)


def bad_channels_of(signals: np.ndarray, cap: list[str]) -> dict[str, str]:
    signals = signals.astype(np.float32)
    positions_m = np.array([standard_positions("standard_1005")[name] for name in cap])
    missing = np.zeros((len(cap), window_peaks(signals, SFREQ_HZ).shape[1]), dtype=bool)
    spectra = median_spectrum(signals, SFREQ_HZ)
    saturated = saturated_share(window_ends(signals, window_samples(SFREQ_HZ)), missing)
    found = find_bad_channels(
        signals, window_peaks(signals, SFREQ_HZ), robust_sd(signals), positions_m, spectra, missing, saturated
    )
    return {cap[channel]: reason for channel, reason in found.items()}


def test_simulated_eeg_has_no_bad_channels(simulate, cap) -> None:
    assert bad_channels_of(simulate(cap, SFREQ_HZ, 60.0), cap) == {}


def test_each_kind_of_bad_channel(simulate, cap) -> None:
    rng = np.random.default_rng(1)
    signals = simulate(cap, SFREQ_HZ, 60.0)
    n_samples = signals.shape[1]
    signals[0] = 0.0
    signals[1, n_samples // 3 :] = 0.0
    signals[2] *= 40
    signals[3] += 1e-5 * np.diff(rng.standard_normal(n_samples + 1))
    signals[4] = 1e-5 * rng.standard_normal(n_samples).cumsum() / 50
    signals[5, ::300] += 5e-3
    found = bad_channels_of(signals, cap)
    assert set(found) == set(cap[:6])
    assert found[cap[0]] == found[cap[1]] == "flat"
    assert found[cap[2]].startswith("amplitude")
    assert found[cap[3]].startswith("noise above 25 Hz")
    assert found[cap[4]].startswith("no correlation")
    assert found[cap[5]].startswith("wild")


def test_bad_segments_and_gain(simulate, cap) -> None:
    signals = simulate(cap, SFREQ_HZ, 60.0).astype(np.float32)
    n_samples = signals.shape[1]
    signals[:, 5000:5050] += 1e-3
    signals[0, 10_000:10_002] += 2e-3
    peaks_v, sd_v = window_peaks(signals, SFREQ_HZ), robust_sd(signals)
    missing = np.zeros(peaks_v.shape[1], dtype=bool)
    segments = find_bad_segments(peaks_v, sd_v, missing, [(30.0, 31.0)], SFREQ_HZ, n_samples)
    assert len(segments) == 3
    assert segments[0][0] <= 20.0 and segments[0][1] >= 20.2
    assert segments[1] == (30.0, 31.0)
    assert segments[2][0] <= 40.0 and segments[2][1] >= 40.008
    factor = gain(segments, SFREQ_HZ, n_samples)
    assert factor[5000:5050].max() == 0.0
    assert factor[0] == factor[3000] == factor[-1] == 1.0
    assert np.abs(np.diff(factor)).max() < 0.05
    whole = gain([(0.0, 1.0), (59.9, 60.0)], SFREQ_HZ, n_samples)
    assert whole[0] == whole[-1] == 0.0


def test_blinks_stay(simulate, cap) -> None:
    signals = simulate(cap, SFREQ_HZ, 60.0)
    blink = 2.5e-4 * np.hanning(75)
    for start in range(500, signals.shape[1] - 100, 1000):
        for name, weight in (("Fp1", 1.0), ("Fp2", 1.0), ("F7", 0.4), ("F8", 0.4), ("F3", 0.4), ("Fz", 0.4)):
            signals[cap.index(name), start : start + 75] += weight * blink
    signals = signals.astype(np.float32)
    peaks_v, sd_v = window_peaks(signals, SFREQ_HZ), robust_sd(signals)
    missing = np.zeros(peaks_v.shape[1], dtype=bool)
    assert find_bad_segments(peaks_v, sd_v, missing, [], SFREQ_HZ, signals.shape[1]) == ()
