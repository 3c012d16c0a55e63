from __future__ import annotations

import numpy as np
import pytest

from bids_eeg2fmri.eeg.decimate import decimated_block
from bids_eeg2fmri.eeg.gradient_artefact import has_gradient_artefact

SFREQ_HZ = 250.0


def gradient(n_channels: int, duration_s: float, *, tr_s: float, n_slices: int, peak_v: float) -> np.ndarray:
    """Bursts of the gradients at 5 kHz, once per slice and a larger one per volume, decimated to 250 Hz."""
    rng = np.random.default_rng(7)
    n_fast = round(5000 * duration_s)
    times_s = np.arange(n_fast) / 5000
    in_slice_s = times_s % (tr_s / n_slices)
    burst = np.where(in_slice_s < 0.02, np.sign(np.sin(2 * np.pi * 600 * in_slice_s) + 0.3), 0.0)
    burst += np.where(times_s % tr_s < 0.05, np.sin(2 * np.pi * 77 * (times_s % tr_s)), 0.0)
    slow = decimated_block(lambda a, b: burst[None, a:b], 0, n_fast // 20, factor=20, n_samples=n_fast)
    return peak_v * rng.uniform(0.3, 1.0, (n_channels, 1)) * slow


@pytest.mark.parametrize(("tr_s", "n_slices"), [(2.16, 30), (2.0, 32), (0.72, 8), (3.01, 45)])
def test_uncorrected_artefact_is_recognised(simulate, cap, tr_s: float, n_slices: int) -> None:
    eeg = simulate(cap, SFREQ_HZ, 130.0)
    artefact = gradient(len(cap), 130.0, tr_s=tr_s, n_slices=n_slices, peak_v=3e-3)
    artefact[:, : round(50 * SFREQ_HZ)] = 0.0
    assert has_gradient_artefact((eeg + artefact).astype(np.float32), SFREQ_HZ)


def test_residual_after_correction_passes(simulate, cap) -> None:
    eeg = simulate(cap, SFREQ_HZ, 70.0)
    residual = gradient(len(cap), 70.0, tr_s=2.16, n_slices=30, peak_v=2e-5)
    assert not has_gradient_artefact((eeg + residual).astype(np.float32), SFREQ_HZ)


@pytest.mark.parametrize("sfreq_hz", [128.0, 250.0, 500.0])
def test_ordinary_eeg_strong_alpha_mains_and_muscle_pass(simulate, cap, sfreq_hz: float) -> None:
    rng = np.random.default_rng(0)
    eeg = simulate(cap, sfreq_hz, 70.0)
    times_s = np.arange(eeg.shape[1]) / sfreq_hz
    alpha = 1e-4 * np.sin(2 * np.pi * 10 * times_s + np.cumsum(0.05 * rng.standard_normal(times_s.size))) ** 3
    mains = sum(1e-3 / k * np.sin(2 * np.pi * 50 * k * times_s) for k in range(1, 5))
    muscle = 5e-5 * rng.standard_normal(eeg.shape)
    for disturbance in (0.0, alpha, mains, muscle):
        assert not has_gradient_artefact((eeg + disturbance).astype(np.float32), sfreq_hz)


def test_short_recording(simulate, cap) -> None:
    assert not has_gradient_artefact(simulate(cap, SFREQ_HZ, 20.0).astype(np.float32), SFREQ_HZ)
