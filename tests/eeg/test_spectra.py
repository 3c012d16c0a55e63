"""Band power and covariances against plain NumPy references."""

import numpy as np
import pytest

from bids_eeg2fmri.eeg.spectra import (
    BANDS_HZ,
    band_bins,
    band_covariances,
    frame_times_s,
    hop_samples,
    log_band_power,
)


def _spectra(signals_v, sfreq_hz, n_frames):
    """Spectra in microvolts (frames x channels x bins) of frames of 2 s, and the bins' frequencies."""
    hop = hop_samples(sfreq_hz)
    window = np.hanning(4 * hop)
    pieces = [1e6 * signals_v[:, frame * hop : frame * hop + 4 * hop].astype(float) for frame in range(n_frames)]
    spectra = [np.fft.rfft((piece - piece.mean(axis=1, keepdims=True)) * window) for piece in pieces]
    return np.array(spectra), np.fft.rfftfreq(4 * hop, 1 / sfreq_hz)


def _within(freqs_hz, band_hz):
    return (freqs_hz >= band_hz[0]) & (freqs_hz < band_hz[1])


def _log_power(signals_v, operators, sfreq_hz, n_frames):
    spectra, freqs = _spectra(signals_v, sfreq_hz, n_frames)
    rows = []
    for band, operator in zip(BANDS_HZ, operators.astype(float), strict=True):
        virtual = operator @ spectra[..., _within(freqs, band)]
        rows.append(np.square(np.abs(virtual)).mean(axis=2).reshape(n_frames, -1, 3).sum(axis=2))
    return np.log(np.stack(rows, axis=-1))


def _covariances(signals_v, counted, sfreq_hz, n_frames):
    spectra, freqs = _spectra(signals_v, sfreq_hz, n_frames)
    bands = []
    for band in BANDS_HZ:
        inside = spectra[..., _within(freqs, band)]
        cross = np.einsum("fck,fdk->fcdk", inside, inside.conj()).mean(axis=3)
        bands.append(np.einsum("f,fcd->cd", counted, cross).real)
    return np.array(bands)


def _signals(rng, n_channels, n_frames, sfreq_hz):
    mixed = rng.standard_normal((n_channels, n_channels)) @ rng.standard_normal(
        (n_channels, (n_frames + 3) * hop_samples(sfreq_hz))
    )
    return (1e-5 * mixed).astype(np.float32)


@pytest.mark.parametrize("sfreq_hz", [100.0, 128.0, 250.0])
def test_power_equals_the_definition_with_other_operators_in_every_band(sfreq_hz):
    rng = np.random.default_rng(0)
    n_frames = 70
    signals = _signals(rng, 5, n_frames, sfreq_hz)
    operators = rng.standard_normal((len(BANDS_HZ), 6, 5)).astype(np.float32)
    computed = log_band_power(signals, operators, sfreq_hz=sfreq_hz, n_frames=n_frames)
    assert computed.shape == (n_frames, 2, len(BANDS_HZ))
    np.testing.assert_allclose(computed, _log_power(signals, operators, sfreq_hz, n_frames), atol=2e-3)


@pytest.mark.parametrize("n_frames", [32, 64, 70, 95])
def test_covariances_equal_the_definition_and_count_every_frame_once(n_frames):
    rng = np.random.default_rng(1)
    signals = _signals(rng, 4, n_frames, 128.0)
    counted = np.ones(n_frames, np.float32)
    computed = band_covariances(signals, counted, sfreq_hz=128.0, n_frames=n_frames)
    expected = _covariances(signals, counted, 128.0, n_frames)
    scale = np.trace(expected, axis1=1, axis2=2)[:, None, None]
    np.testing.assert_allclose(computed / scale, expected / scale, atol=1e-5)


def test_frames_of_weight_zero_are_left_out_whatever_they_hold():
    rng = np.random.default_rng(2)
    n_frames = 70
    signals = _signals(rng, 4, n_frames, 128.0)
    counted = np.ones(n_frames, np.float32)
    counted[28:45] = 0
    # Seen by frames 28 to 44 alone: a frame holds four hops, its own and the next three.
    spoilt = signals.copy()
    spoilt[:, 31 * 64 : 45 * 64] += 1e-3 * rng.standard_normal((4, 14 * 64)).astype(np.float32)
    clean, masked = (band_covariances(x, counted, sfreq_hz=128.0, n_frames=n_frames) for x in (signals, spoilt))
    np.testing.assert_allclose(masked, clean, rtol=1e-5)
    expected = _covariances(spoilt, counted, 128.0, n_frames)
    scale = np.trace(expected, axis1=1, axis2=2)[:, None, None]
    np.testing.assert_allclose(masked / scale, expected / scale, atol=1e-5)
    everything = band_covariances(spoilt, np.ones(n_frames, np.float32), sfreq_hz=128.0, n_frames=n_frames)
    assert (np.trace(everything, axis1=1, axis2=2) > 10 * np.trace(masked, axis1=1, axis2=2)).all()


def test_power_and_covariance_speak_of_the_same_spectra():
    """The mean power of a virtual channel is its quadratic form of the covariance."""
    rng = np.random.default_rng(3)
    n_frames = 70
    signals = _signals(rng, 5, n_frames, 100.0)
    operators = rng.standard_normal((len(BANDS_HZ), 3, 5)).astype(np.float32)
    power = np.exp(log_band_power(signals, operators, sfreq_hz=100.0, n_frames=n_frames)).mean(axis=0)[0]
    counted = np.full(n_frames, 1 / n_frames, np.float32)
    covariances = band_covariances(signals, counted, sfreq_hz=100.0, n_frames=n_frames)
    np.testing.assert_allclose(power, np.einsum("bvc,bcd,bvd->b", operators, covariances, operators), rtol=1e-3)


def test_a_rhythm_shows_in_its_band_alone():
    times = np.arange(250 * 40) / 250
    signals = np.tile(1e-5 * np.sin(2 * np.pi * 10 * times), (3, 1)).astype(np.float32)
    operators = np.broadcast_to(np.eye(3, dtype=np.float32), (len(BANDS_HZ), 3, 3))
    power = np.asarray(log_band_power(signals, operators, sfreq_hz=250.0, n_frames=64))
    assert (power.argmax(axis=2) == 2).all()
    assert (power[..., 2] - power[..., [0, 3, 4, 5]].max(axis=2) > 5).all()
    trace = np.trace(band_covariances(signals, np.ones(64, np.float32), sfreq_hz=250.0, n_frames=64), axis1=1, axis2=2)
    assert trace.argmax() == 2
    assert (trace[2] > 100 * np.delete(trace, [1, 2])).all()


@pytest.mark.parametrize("sfreq_hz", [100.0, 128.0, 200.5, 250.0, 256.0])
def test_bins_are_those_between_a_bands_edges(sfreq_hz):
    freqs = np.fft.rfftfreq(4 * hop_samples(sfreq_hz), 1 / sfreq_hz)
    for (first, stop), band in zip(band_bins(sfreq_hz), BANDS_HZ, strict=True):
        np.testing.assert_array_equal(np.arange(first, stop), np.flatnonzero(_within(freqs, band)))
    stops, firsts = [stop for _, stop in band_bins(sfreq_hz)], [first for first, _ in band_bins(sfreq_hz)]
    assert stops[:-1] == firsts[1:]


def test_frame_times_are_centres():
    np.testing.assert_allclose(frame_times_s(3, 250.0), [1.0, 1.5, 2.0])
