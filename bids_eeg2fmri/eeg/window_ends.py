"""The smallest and the largest sample of every window of a recording, and how often it stands there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Integer, UInt


@dataclass(frozen=True)
class WindowEnds:
    """Ends of the range of every channel in every window, of the samples as the file holds them.

    Decimation would hide them: a filter rings at a signal's corners, and rounds what was constant.

    Attributes
    ----------
    lowest, highest
        Smallest and largest sample; no number where one of the samples is none.
    n_lowest, n_highest
        Samples of that value.
    n_samples
        Samples in a window; the last one may be shorter.
    """

    lowest: Float[np.ndarray, "channels windows"]
    highest: Float[np.ndarray, "channels windows"]
    n_lowest: UInt[np.ndarray, "channels windows"]
    n_highest: UInt[np.ndarray, "channels windows"]
    n_samples: int

    @property
    def constant(self) -> Bool[np.ndarray, "channels windows"]:
        """Windows in which every sample of a channel is the same number."""
        return self.lowest == self.highest

    def of_channels(self, channels: Integer[np.ndarray, " kept"]) -> WindowEnds:
        """The ends of some channels, in their order."""
        return WindowEnds(
            self.lowest[channels],
            self.highest[channels],
            self.n_lowest[channels],
            self.n_highest[channels],
            self.n_samples,
        )


def no_ends_yet(n_channels: int, n_windows: int, n_samples: int) -> WindowEnds:
    """Ends of windows that :func:`note_ends` fills."""
    lowest, highest = np.full((2, n_channels, n_windows), np.nan, dtype=np.float32)
    n_lowest, n_highest = np.zeros((2, n_channels, n_windows), dtype=np.min_scalar_type(n_samples))
    return WindowEnds(lowest, highest, n_lowest, n_highest, n_samples)


def window_ends(signals: Float[np.ndarray, "channels samples"], n_samples: int) -> WindowEnds:
    """Ends of the windows, of so many samples each, of signals that are in memory."""
    ends = no_ends_yet(len(signals), -(-signals.shape[1] // n_samples), n_samples)
    note_ends(ends, signals, 0, is_last=True)
    return ends


def note_ends(ends: WindowEnds, block: Float[np.ndarray, "channels samples"], start: int, *, is_last: bool) -> None:
    """Note the ends of the windows that lie within a block, in place.

    Parameters
    ----------
    ends
        Ends of the channels of the block.
    block
        Samples as read.
    start
        Place of its first sample in the file.
    is_last
        Whether the file ends with the block: its last window may be shorter than the others.
    """
    first = -(-start // ends.n_samples)
    n_samples = start + block.shape[1] - first * ends.n_samples
    n_windows = -(-n_samples // ends.n_samples) if is_last else n_samples // ends.n_samples
    if n_windows < 1:
        return
    columns = slice(first, first + n_windows)
    starts = np.arange(n_windows) * ends.n_samples
    own = block[:, first * ends.n_samples - start :][:, : n_windows * ends.n_samples]
    lengths = np.diff(starts, append=own.shape[1])
    for row, signal in enumerate(own):
        for function, values, counts in (
            (np.minimum, ends.lowest, ends.n_lowest),
            (np.maximum, ends.highest, ends.n_highest),
        ):
            extreme = function.reduceat(signal, starts)
            values[row, columns] = extreme
            counts[row, columns] = np.add.reduceat(signal == np.repeat(extreme, lengths), starts, dtype=counts.dtype)
