"""Whether a forecast's power lies at the frequencies of the scanner's series."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy.signal import welch

_SEGMENT_S = 100.0
_LOWEST_HZ = 0.01


def spectral_overlap(
    predicted: Float[np.ndarray, "volumes parcels"], observed: Float[np.ndarray, "volumes parcels"], tr_s: float
) -> float:
    """Overlap of the normalised power spectra (0-1), averaged over the parcels that vary in both.

    Power is Welch's estimate (Hann segments of 100 s, half overlapping) from 0.01 Hz to the Nyquist frequency, scaled
    to a sum of one; the overlap of two spectra is the sum of their smaller values (the histogram intersection of
    Swain & Ballard 1991, one minus the total variation distance). Amplitude and timing do not count. Estimates of
    two independent series with the same spectrum overlap by less than 1, because both are noisy.
    NaN with fewer than 8 volumes or where no parcel varies.
    """
    varies = (np.ptp(predicted, axis=0) > 0) & (np.ptp(observed, axis=0) > 0)
    if len(observed) < 8 or not varies.any():
        return float("nan")
    one, other = (_normalised_power(series[:, varies], tr_s) for series in (predicted, observed))
    return float(np.minimum(one, other).sum(axis=0).mean())


def _normalised_power(
    series: Float[np.ndarray, "volumes parcels"], tr_s: float
) -> Float[np.ndarray, "frequencies parcels"]:
    segment = min(len(series), max(round(_SEGMENT_S / tr_s), 8))
    freqs, power = welch(series, fs=1 / tr_s, nperseg=segment, axis=0)
    power = power[freqs >= _LOWEST_HZ]
    total = power.sum(axis=0)
    return power / np.where(total > 0, total, 1)
