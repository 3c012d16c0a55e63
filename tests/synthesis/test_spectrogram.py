"""Moments of a spectrogram, and the file that it may lie in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bids_eeg2fmri.eeg.spectra import BANDS_HZ
from bids_eeg2fmri.synthesis.spectrogram import FRAMES_PER_BLOCK, Spectrogram, signal_covariances, signal_log_power

SFREQ_HZ = 100.0
N_FRAMES = 2 * FRAMES_PER_BLOCK + 40


@pytest.fixture(scope="module")
def signals_v() -> np.ndarray:
    n_samples = (N_FRAMES + 3) * int(SFREQ_HZ / 2)
    return 1e-5 * np.random.default_rng(0).standard_normal((8, n_samples)).astype(np.float32)


def test_moments_are_those_of_the_valid_frames() -> None:
    rng = np.random.default_rng(0)
    log_power = (20 + rng.standard_normal((N_FRAMES, 5, 6))).astype(np.float32)
    valid = rng.random(N_FRAMES) < 0.7
    log_power[~valid] = 1e3
    found, kept = Spectrogram(log_power, 0.5 * np.arange(N_FRAMES), valid), log_power[valid].astype(np.float64)
    np.testing.assert_allclose(found.mean, kept.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(found.sd, kept.std(axis=0), rtol=1e-5)
    np.testing.assert_allclose(found.mean_power, np.exp(kept).mean(axis=0), rtol=1e-5)
    z = found.standardised(-3, N_FRAMES + 5)
    np.testing.assert_allclose(z[3:-2][valid].std(axis=0), 1, rtol=1e-4)
    assert not z[:3].any() and not z[-2:].any() and not z[3:-2][~valid].any()


def test_in_a_file_it_is_the_same_as_in_memory(signals_v: np.ndarray, tmp_path: Path) -> None:
    operators = np.random.default_rng(1).standard_normal((6, 3 * 4, 8)).astype(np.float32)
    in_memory, in_file = (signal_log_power(signals_v, operators, SFREQ_HZ, place) for place in (None, tmp_path))
    assert in_memory.shape == (N_FRAMES, 4, len(BANDS_HZ)) and list(tmp_path.iterdir()) == []
    np.testing.assert_array_equal(in_memory, in_file)


def test_covariances_leave_invalid_frames_out_in_every_block(signals_v: np.ndarray) -> None:
    valid = np.zeros(N_FRAMES, bool)
    valid[: FRAMES_PER_BLOCK + 20] = True
    kept = signals_v[:, : (FRAMES_PER_BLOCK + 23) * 50]
    found = signal_covariances(np.where(np.arange(signals_v.shape[1]) < kept.shape[1], signals_v, 1), valid, SFREQ_HZ)
    expected = signal_covariances(kept, valid[valid], SFREQ_HZ)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5 * expected.max())
