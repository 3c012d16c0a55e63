"""Spectra of volumes: the recorded preprocessing, closed forms, SciPy, and clocks of real recordings."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import fft, stats

from bids_eeg2fmri.eeg.volume_spectra import (
    N_BINS,
    amplitude_spectra,
    volume_spectra,
    window,
    window_samples,
    windows,
    windows_that_cover,
)
from bids_eeg2fmri.errors import BadDataError

_RECORDED = Path(__file__).parents[1] / "data" / "parity" / "preproc.npz"
_SFREQ_HZ, _TR_S, _LENGTH = 250.0, 2.16, 540
_DROPPED_VOLUMES, _INTERVAL = 3, 5


@pytest.fixture(scope="module")
def recorded():
    return np.load(_RECORDED)


def _windows_of(signals, length, count):
    return signals[:, : count * length].reshape(len(signals), count, length).swapaxes(0, 1)


def test_amplitudes_are_the_published_ones(recorded):
    amplitudes = amplitude_spectra(_windows_of(recorded["raw"].astype(np.float32), _LENGTH, 16), N_BINS)
    deviation = np.abs(np.transpose(amplitudes, (1, 2, 0)) - recorded["stft"]).max()
    assert deviation < 1e-6 * recorded["stft"].max()


def test_standardised_spectra_are_the_published_ones(recorded):
    spectra = volume_spectra(recorded["raw"], _SFREQ_HZ, _TR_S * np.arange(16), _TR_S)
    assert spectra.valid.all()
    np.testing.assert_allclose(spectra.z.transpose(1, 2, 0), recorded["zscored"], atol=3e-5)


def test_pairs_are_the_published_ones(recorded):
    spectra = volume_spectra(recorded["raw"], _SFREQ_HZ, _TR_S * np.arange(_DROPPED_VOLUMES, 15), _TR_S)
    np.testing.assert_allclose(spectra.z, recorded["seq"], atol=3e-5)
    np.testing.assert_allclose(windows(spectra.z, _INTERVAL), recorded["pair_eeg"], atol=3e-5)
    np.testing.assert_array_equal(recorded["bold"][_INTERVAL:], recorded["pair_bold"])


def test_first_bins_of_a_fast_recording_are_the_published_ones(recorded):
    amplitudes = amplitude_spectra(_windows_of(recorded["raw_limit"].astype(np.float32), 2000, 5), N_BINS)
    deviation = np.abs(np.transpose(amplitudes, (1, 2, 0)) - recorded["stft_limit"]).max()
    assert deviation < 1e-6 * recorded["stft_limit"].max()
    assert volume_spectra(recorded["raw_limit"], 1000.0, 2.0 * np.arange(5), 2.0).z.shape == (5, 2, N_BINS)
    assert volume_spectra(recorded["raw_limit"], 1000.0, 2.0 * np.arange(5), 2.0, n_bins=None).z.shape[2] == 499


def test_a_sine_lands_in_its_bin():
    cycles, amplitude, length = 17, 3e-5, 540
    sine = amplitude * np.sin(2 * np.pi * cycles * np.arange(length) / length + 0.3) + 0.01
    spectrum = np.asarray(amplitude_spectra(sine.astype(np.float32), N_BINS))
    np.testing.assert_allclose(spectrum[cycles - 1], amplitude * length / 2, rtol=1e-4)
    assert np.delete(spectrum, cycles - 1).max() < 1e-3 * spectrum[cycles - 1]


@pytest.mark.parametrize(("sfreq_hz", "tr_s"), [(256.0, 2.1), (128.0, 2.5), (499.9, 1.28), (250.0, 2.16)])
def test_spectra_follow_the_definition_at_any_rate(sfreq_hz, tr_s):
    rng = np.random.default_rng(0)
    signals = rng.normal(0, 1e-5, (5, 12000)).astype(np.float32)
    onsets_s = 0.123 + tr_s * np.arange(8)
    spectra = volume_spectra(signals, sfreq_hz, onsets_s, tr_s)
    length = int(tr_s * sfreq_hz + 1e-9)
    for row, onset_s in zip(spectra.z, onsets_s, strict=True):
        start = round(onset_s * sfreq_hz)
        amplitudes = np.abs(fft.rfft(signals[:, start : start + length].astype(float)))[:, 1 : N_BINS + 1]
        np.testing.assert_allclose(row[:, : amplitudes.shape[1]], stats.zscore(amplitudes, axis=0), atol=1e-4)


def test_windows_do_not_drift_over_a_long_recording():
    # One impulse at every onset: each window starts with it, however many samples have been rounded away before.
    sfreq_hz, tr_s, n_volumes = 100.0, 2.003, 400
    signals = np.zeros((2, int(n_volumes * tr_s * sfreq_hz) + 300))
    starts = np.round(tr_s * np.arange(n_volumes) * sfreq_hz).astype(int)
    signals[0, starts] = 1.0
    spectra = volume_spectra(signals, sfreq_hz, tr_s * np.arange(n_volumes), tr_s)
    assert window_samples(tr_s, sfreq_hz) == 200
    np.testing.assert_allclose(spectra.z[:, 0, :100], 1.0, atol=1e-4)


def test_windows_outside_the_recording_are_invalid():
    signals = np.random.default_rng(0).normal(size=(3, 2000))
    spectra = volume_spectra(signals, 100.0, np.array([-4.0, -2.0, 0.0, 2.0, 18.0, 18.5, 20.0, 40.0]), 2.0)
    np.testing.assert_array_equal(spectra.valid, [False, False, True, True, True, False, False, False])
    assert not spectra.z[~spectra.valid].any()
    assert spectra.z[spectra.valid][:, :, : spectra.n_measured_bins].all()
    np.testing.assert_array_equal(spectra.predictable(2), [0, 0, 0, 0, 1, 1, 0, 0])
    assert not spectra.predictable(8).any()


def test_bins_above_half_the_sampling_rate_are_zero_and_said_to_be():
    signals = np.random.default_rng(0).normal(size=(3, 2000))
    spectra = volume_spectra(signals, 200.0, 1.0 * np.arange(10), 1.0)
    assert spectra.n_measured_bins == 100
    assert spectra.z.shape == (10, 3, N_BINS)
    assert not spectra.z[:, :, 100:].any()
    assert spectra.z[:, :, :100].all()
    assert spectra.warnings == ("Bins 101 to 134 of 134 lie above half the sampling rate; they are zero.",)
    assert volume_spectra(signals, 200.0, 2.0 * np.arange(5), 2.0).warnings == ()


def test_channels_that_agree_are_zero():
    signals = np.tile(np.random.default_rng(0).normal(size=(1, 1000)), (4, 1))
    assert not volume_spectra(signals, 250.0, np.array([0.0, 2.0]), 2.0).z.any()


def test_a_repetition_time_without_samples_is_refused():
    with pytest.raises(BadDataError, match="holds 1 samples"):
        volume_spectra(np.zeros((2, 100)), 1.0, np.arange(3.0), 1.0)


def test_a_single_step_equals_many_and_memory_maps_are_read(tmp_path):
    signals = np.random.default_rng(0).normal(size=(2, 150 * 100)).astype(np.float32)
    np.save(tmp_path / "signals.npy", signals)
    onsets_s = np.arange(150.0)
    whole = volume_spectra(np.load(tmp_path / "signals.npy", mmap_mode="r"), 100.0, onsets_s, 1.0, n_bins=40)
    alone = [volume_spectra(signals, 100.0, onsets_s[v : v + 1], 1.0, n_bins=40).z[0] for v in (0, 63, 64, 149)]
    np.testing.assert_array_equal(whole.z[[0, 63, 64, 149]], alone)


def test_inputs_are_the_history_of_their_volume():
    z = np.random.default_rng(0).normal(size=(9, 2, 3)).astype(np.float32)
    index = np.array([4, 8])
    expected = np.stack([np.moveaxis(z[v - 4 : v], 0, -1) for v in index])
    np.testing.assert_array_equal(window(z, index, 4), expected)
    np.testing.assert_array_equal(windows(z, 4)[index - 4], expected)
    assert windows(z, 4).shape == (5, 2, 3, 4)
    assert np.shares_memory(windows(z, 4), z)
    traced = jax.jit(window, static_argnums=2)(jnp.asarray(z), jnp.asarray(index), 4)
    np.testing.assert_array_equal(traced, expected)
    np.testing.assert_array_equal(window(z, np.int64(8), 4), expected[1])


@pytest.mark.parametrize(("tr_s", "count"), [(2.16, 13), (2.0, 13), (1.3, 20), (1.0, 26), (1.28, 21)])
def test_windows_cover_the_segment_of_the_published_text(tr_s, count):
    assert windows_that_cover(tr_s) == count
