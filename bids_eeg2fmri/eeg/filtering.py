"""High-pass and notch filtering in place, in blocks of time, as if the whole signal were filtered at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import scipy.signal
from jaxtyping import Float

from .scratch import release_large

HIGH_PASS_HZ = 0.5
_NOTCH_WIDTH_HZ = 1.7
_PAD_S = 4.0
# Few enough to stay in the processor's cache.
_BLOCK_VALUES = 2**18


def filter_in_place(
    signals_v: Float[np.ndarray, "channels samples"], sfreq_hz: float, lines_hz: Sequence[float]
) -> None:
    """Take offsets, slow drifts and line noise out of the signals, without moving anything in time.

    A Butterworth high-pass of second order at 0.5 Hz and a notch per line frequency run forwards and backwards, as in
    ``scipy.signal.sosfiltfilt``, with the ends continued by 4 s of their reflection through the first and last sample.

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
    pad = min(round(_PAD_S * sfreq_hz), signals_v.shape[1] - 1)
    # What the ends are continued by, from the signals as they are before the first block is overwritten.
    before = 2.0 * signals_v[:, :1] - signals_v[:, pad:0:-1]
    after = 2.0 * signals_v[:, -1:] - signals_v[:, -2 : -pad - 2 : -1]
    _, state = _filtered(sections, before)
    for columns in _blocks(signals_v):
        signals_v[:, columns], state = _filtered(sections, signals_v[:, columns], state)
    after, _ = _filtered(sections, after, state)
    _, state = _filtered(sections, after[:, ::-1])
    for columns in _blocks(signals_v, backwards=True):
        filtered, state = _filtered(sections, signals_v[:, columns][:, ::-1], state)
        signals_v[:, columns] = filtered[:, ::-1]


def _filtered(
    sections: Float[np.ndarray, "sections 6"],
    block: Float[np.ndarray, "channels samples"],
    state: Float[np.ndarray, "sections channels 2"] | None = None,
) -> tuple[Float[np.ndarray, "channels samples"], Float[np.ndarray, "sections channels 2"]]:
    """A block filtered, and the state of the filter behind it; before the first one it has settled on its start."""
    block = block.astype(np.float64)
    if state is None:
        state = scipy.signal.sosfilt_zi(sections)[:, None] * block[:, :1]
    return scipy.signal.sosfilt(sections, block, axis=1, zi=state)


def _blocks(signals_v: Float[np.ndarray, "channels samples"], *, backwards: bool = False) -> Iterator[slice]:
    """Columns of every block; its memory is given back before the next one."""
    step = max(_BLOCK_VALUES // len(signals_v), 1)
    starts = range(0, signals_v.shape[1], step)
    for start in reversed(starts) if backwards else starts:
        yield slice(start, start + step)
        release_large(signals_v)
