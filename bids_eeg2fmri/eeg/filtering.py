"""High-pass and notch filtering in place, channel by channel."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.signal
from jaxtyping import Float

HIGH_PASS_HZ = 0.5
_NOTCH_WIDTH_HZ = 1.7
_PAD_S = 4.0
_GROUP_VALUES = 2**22


def filter_in_place(
    signals_v: Float[np.ndarray, "channels samples"], sfreq_hz: float, lines_hz: Sequence[float]
) -> None:
    """Take offsets, slow drifts and line noise out of the signals, without moving anything in time.

    A Butterworth high-pass of second order at 0.5 Hz and a notch per line frequency run forwards and backwards.

    Parameters
    ----------
    signals_v
        Signals, changed in place.
    sfreq_hz
        Sampling rate.
    lines_hz
        Frequencies to notch.
    """
    high_pass = scipy.signal.butter(2, HIGH_PASS_HZ, "highpass", fs=sfreq_hz, output="sos")
    notches = [
        scipy.signal.tf2sos(*scipy.signal.iirnotch(line_hz, line_hz / _NOTCH_WIDTH_HZ, fs=sfreq_hz))
        for line_hz in lines_hz
    ]
    sections = np.concatenate([high_pass, *notches])
    n_samples = signals_v.shape[1]
    pad = min(round(_PAD_S * sfreq_hz), n_samples - 1)
    step = max(_GROUP_VALUES // n_samples, 1)
    for first in range(0, len(signals_v), step):
        group = signals_v[first : first + step].astype(np.float64)
        signals_v[first : first + step] = scipy.signal.sosfiltfilt(sections, group, axis=1, padlen=pad)
