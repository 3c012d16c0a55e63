"""Slow random states: the envelopes of networks and regions."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from .person import SLOW_BAND_HZ

_TAIL_S = 100.0


def slow_noise(
    n_series: int,
    n_samples: int,
    step_s: float,
    knee_hz: float | Float[np.ndarray, " series"],
    rng: np.random.Generator,
    band_hz: tuple[float, float] = SLOW_BAND_HZ,
) -> Float[np.ndarray, "series samples"]:
    """Gaussian series of unit expected variance, limited to a band, whose power falls above a knee.

    Parameters
    ----------
    n_series, n_samples, step_s
        Number and length of the series and the spacing of their samples in seconds.
    knee_hz
        Frequency where the power has halved, of every series or common to all.
    rng
        Source of randomness.
    band_hz
        Frequencies outside this band hold no power.
    """
    # The inverse transform is periodic: a tail is cut off so that the end does not lead back into the start.
    length = n_samples + int(np.ceil(_TAIL_S / step_s))
    freqs = np.fft.rfftfreq(length, step_s)
    knee = np.broadcast_to(knee_hz, (n_series,))[:, None]
    inside = (freqs >= band_hz[0]) & (freqs <= band_hz[1])
    amplitude = inside / np.sqrt(1 + (freqs / knee) ** 2)
    amplitude /= np.sqrt((amplitude**2).sum(1, keepdims=True))
    waves = rng.standard_normal((n_series, len(freqs), 2))
    spectrum = amplitude * (waves[..., 0] + 1j * waves[..., 1]) * (length / 2)
    return np.fft.irfft(spectrum, length, axis=1)[:, :n_samples].astype(np.float32)


def smooth_field(
    points_mm: Float[np.ndarray, "points 3"], length_mm: float, n_fields: int, rng: np.random.Generator
) -> Float[np.ndarray, "points fields"]:
    """Random fields of about unit variance that vary smoothly in space (random Fourier features)."""
    n_waves = 200
    wave_vectors = rng.standard_normal((3, n_waves)) / length_mm
    phases = rng.uniform(0, 2 * np.pi, n_waves)
    weights = rng.standard_normal((n_waves, n_fields)) * np.sqrt(2 / n_waves)
    angles = points_mm.astype(np.float32) @ wave_vectors.astype(np.float32) + phases.astype(np.float32)
    return np.cos(angles) @ weights.astype(np.float32)
