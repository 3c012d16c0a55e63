"""Lower the sampling rate of a recording block by block, as if the whole signal were filtered at once."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import scipy.signal
from jaxtyping import Float

MAX_SFREQ_HZ = 500.0
TARGET_SFREQ_HZ = 250.0
# Taps on either side per unit of the factor: scipy.signal.decimate's choice for a FIR filter.
_HALF_LENGTH = 10

ReadBlock = Callable[[int, int], Float[np.ndarray, "channels samples"]]


def decimation_factor(sfreq_hz: float) -> int:
    """Keep every how many-th sample: 1 up to 500 Hz, else the most that leaves at least 250 Hz.

    Parameters
    ----------
    sfreq_hz
        Sampling rate of the file.
    """
    return 1 if sfreq_hz <= MAX_SFREQ_HZ else int(sfreq_hz // TARGET_SFREQ_HZ)


def decimated_block(
    read: ReadBlock, start: int, stop: int, *, factor: int, n_samples: int
) -> Float[np.ndarray, "channels samples"]:
    """Samples ``start`` to ``stop`` of the decimated signal.

    The anti-alias filter is that of ``scipy.signal.decimate(ftype="fir")``: symmetric, so that nothing moves in
    time, with its half-power point at the new Nyquist frequency and full stop 1.17 times above it. Neighbouring
    samples are read with every block, and the ends of the recording are continued by their first and last sample.

    Parameters
    ----------
    read
        Gives samples ``[start, stop)`` of the file.
    start, stop
        Wanted samples, counted at the lower rate.
    factor
        Every how many-th sample is kept.
    n_samples
        Length of the file in samples.
    """
    if factor == 1:
        return read(start, stop)
    half = _HALF_LENGTH * factor
    first, last = start * factor - half, (stop - 1) * factor + half + 1
    block = read(max(first, 0), min(last, n_samples))
    missing = (max(-first, 0), max(last - n_samples, 0))
    if any(missing):
        block = np.pad(block, ((0, 0), missing), mode="edge")
    filtered = scipy.signal.upfirdn(_anti_alias(factor), block, up=1, down=factor, axis=-1)
    lead = 2 * _HALF_LENGTH
    return filtered[:, lead : lead + stop - start]


@lru_cache(maxsize=8)
def _anti_alias(factor: int) -> Float[np.ndarray, " taps"]:
    return scipy.signal.firwin(2 * _HALF_LENGTH * factor + 1, 1.0 / factor, window="hamming")
