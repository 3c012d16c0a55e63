"""Band power against a plain NumPy reference."""

import numpy as np
import pytest

from bids_eeg2fmri.eeg.spectra import BANDS_HZ, band_matrix, frame_times_s, hop_samples, log_band_power


def _reference(signals_v, operator, sfreq_hz, n_frames):
    hop = hop_samples(sfreq_hz)
    window = np.hanning(4 * hop)
    freqs = np.fft.rfftfreq(4 * hop, 1 / sfreq_hz)
    rows = []
    for frame in range(n_frames):
        piece = 1e6 * signals_v[:, frame * hop : frame * hop + 4 * hop].astype(float)
        spectrum = np.fft.rfft((piece - piece.mean(axis=1, keepdims=True)) * window)
        power = np.square(np.abs(operator.astype(float) @ spectrum)).reshape(-1, 3, spectrum.shape[1]).sum(axis=1)
        rows.append([power[:, (freqs >= low) & (freqs < high)].mean(axis=1) for low, high in BANDS_HZ])
    return np.log(np.array(rows)).transpose(0, 2, 1)


@pytest.mark.parametrize("sfreq_hz", [100.0, 128.0, 250.0])
def test_equals_the_definition(sfreq_hz):
    rng = np.random.default_rng(0)
    n_frames = 70
    signals = (1e-5 * rng.standard_normal((5, (n_frames + 3) * hop_samples(sfreq_hz)))).astype(np.float32)
    operator = rng.standard_normal((6, 5)).astype(np.float32)
    computed = log_band_power(signals, operator, sfreq_hz=sfreq_hz, n_frames=n_frames)
    expected = _reference(signals, operator, sfreq_hz, n_frames)
    assert computed.shape == (n_frames, 2, len(BANDS_HZ))
    np.testing.assert_allclose(computed, expected, atol=2e-3)


def test_a_rhythm_shows_in_its_band_alone():
    times = np.arange(250 * 40) / 250
    signals = np.tile(1e-5 * np.sin(2 * np.pi * 10 * times), (3, 1)).astype(np.float32)
    power = np.asarray(log_band_power(signals, np.eye(3, dtype=np.float32), sfreq_hz=250.0, n_frames=64))
    assert (power.argmax(axis=2) == 2).all()
    assert (power[..., 2] - power[..., [0, 3, 4, 5]].max(axis=2) > 5).all()


def test_bands_partition_the_bins():
    weights = band_matrix(250.0)
    np.testing.assert_allclose(weights.sum(axis=0), 1, rtol=1e-6)
    assert ((weights > 0).sum(axis=1) <= 1).all()


def test_frame_times_are_centres():
    np.testing.assert_allclose(frame_times_s(3, 250.0), [1.0, 1.5, 2.0])
