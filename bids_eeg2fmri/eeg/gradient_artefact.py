"""Recognise the artefact of the scanner's gradients that nobody has corrected yet.

Gradients repeat with every slice and volume, to the microsecond: their artefact is a comb of very narrow lines
that hold nearly all the power above the alpha band (Allen et al. 2000, doi 10.1006/nimg.2000.0599). Brain and
muscle have broad spectra; the mains make a few lines at known places, which are not looked at.
"""

from __future__ import annotations

import numpy as np
import scipy.fft
from jaxtyping import Bool, Float

from .line_noise import MAINS_HZ

_WINDOW_S = 60.0
_MAX_WINDOWS = 8
_MAX_CHANNELS = 16
_LOWEST_HZ = 15.0
_MAINS_HARMONICS = 4
_MAINS_WIDTH_HZ = 1.0
_FLOOR_HZ = 2.0
_LINE_OVER_FLOOR = 30.0
_MIN_LINES = 4
_MIN_SHARE = 0.7
_MIN_RMS_V = 25e-6


def has_gradient_artefact(signals_v: Float[np.ndarray, "channels samples"], sfreq_hz: float) -> bool:
    """Whether, in some minute of the recording, a comb of lines drowns the EEG above 15 Hz.

    It does when in half of the channels at least 4 lines, off the mains and its harmonics, hold 70 % of the
    power and 25 microvolts root mean square.

    Parameters
    ----------
    signals_v
        Signals before cleaning.
    sfreq_hz
        Sampling rate.
    """
    length = min(round(_WINDOW_S * sfreq_hz), signals_v.shape[1])
    n_windows = min(max(signals_v.shape[1] // length, 1), _MAX_WINDOWS)
    starts = np.linspace(0, signals_v.shape[1] - length, n_windows).astype(int)
    chosen = np.linspace(0, len(signals_v) - 1, min(len(signals_v), _MAX_CHANNELS)).astype(int)
    freqs_hz = np.fft.rfftfreq(length, 1.0 / sfreq_hz)
    band = _looked_at(freqs_hz, sfreq_hz)
    taper = np.hanning(length).astype(np.float32)
    for start in starts:
        block = signals_v[chosen, start : start + length]
        spectra = scipy.fft.rfft((block - block.mean(axis=1, keepdims=True)) * taper, axis=1)
        power_v2 = 2.0 * (spectra.real**2 + spectra.imag**2) / (length * float((taper**2).sum()))
        if _is_comb(power_v2, band, freqs_hz[1]):
            return True
    return False


def _looked_at(freqs_hz: Float[np.ndarray, " frequencies"], sfreq_hz: float) -> Bool[np.ndarray, " frequencies"]:
    band = (freqs_hz >= _LOWEST_HZ) & (freqs_hz <= 0.45 * sfreq_hz)
    for base_hz in MAINS_HZ:
        for harmonic_hz in base_hz * np.arange(1, _MAINS_HARMONICS + 1):
            # Above the Nyquist frequency a harmonic comes back as an alias when the amplifier had no filter.
            seen_hz = abs(harmonic_hz - sfreq_hz * round(harmonic_hz / sfreq_hz))
            band &= np.abs(freqs_hz - seen_hz) > _MAINS_WIDTH_HZ
    return band


def _is_comb(
    power_v2: Float[np.ndarray, "channels frequencies"], band: Bool[np.ndarray, " frequencies"], step_hz: float
) -> bool:
    n_floor = max(round(_FLOOR_HZ / step_hz), 1)
    whole = power_v2.shape[1] // n_floor * n_floor
    stretches = power_v2[:, :whole].reshape(len(power_v2), -1, n_floor)
    floor = np.repeat(np.median(stretches, axis=2), n_floor, axis=1)
    inside = band[:whole]
    lines = (power_v2[:, :whole] > _LINE_OVER_FLOOR * floor) & inside
    in_lines_v2 = np.where(lines, power_v2[:, :whole], 0.0).sum(axis=1)
    share = in_lines_v2 / np.maximum(power_v2[:, :whole][:, inside].sum(axis=1), 1e-30)
    n_lines = (np.diff(lines.astype(np.int8), axis=1) == 1).sum(axis=1)
    comb = (n_lines >= _MIN_LINES) & (share >= _MIN_SHARE) & (np.sqrt(in_lines_v2) >= _MIN_RMS_V)
    return bool(comb.mean() >= 0.5)
