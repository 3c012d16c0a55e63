"""Read the samples of the electrodes block by block, without ever holding the file in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import mne
import numpy as np
from jaxtyping import Bool, Float

from ..errors import BadDataError
from .decimate import decimated_block, decimation_factor
from .scratch import release_large, scratch_array
from .window_ends import WindowEnds, no_ends_yet, note_ends

WINDOW_S = 0.25
_BLOCK_S = 60.0
_BLOCK_VALUES = 2**22


@dataclass(frozen=True)
class Samples:
    """Uncleaned signals.

    Attributes
    ----------
    signals_v
        Float32 volts; in memory or mapped to a file that is already unlinked.
    sfreq_hz
        Sampling rate after decimation.
    missing
        Windows of ``WINDOW_S`` in which a channel has samples that are no finite numbers.
    ends
        Ends of the range in each of these windows, before decimation.
    """

    signals_v: Float[np.ndarray, "channels samples"]
    sfreq_hz: float
    missing: Bool[np.ndarray, "channels windows"]
    ends: WindowEnds


def read_samples(
    raw: mne.io.BaseRaw, names: Sequence[str], to_volts: Sequence[float], path: Path, work_dir: Path | None
) -> Samples:
    """Read the named channels in blocks, decimating files above 500 Hz.

    Parameters
    ----------
    raw
        The opened file.
    names
        Channels to read, in the wanted order.
    to_volts
        Factor per channel that makes volts of what MNE takes for volts.
    path
        The file, for the messages.
    work_dir
        Where to put the file that backs the signals; ``None`` keeps them in memory.

    Raises
    ------
    BadDataError
        When a block cannot be read.
    WriteError
        When the work directory has no room.
    """
    sfreq_hz, n_samples = float(raw.info["sfreq"]), raw.n_times
    factor = decimation_factor(sfreq_hz)
    length = -(-n_samples // factor)
    signals_v = scratch_array((len(names), length), work_dir)
    window = window_samples(sfreq_hz / factor)
    missing = np.zeros((len(names), -(-length // window)), dtype=bool)
    ends = no_ends_yet(len(names), missing.shape[1], factor * window)
    picks = np.array([raw.ch_names.index(name) for name in names])
    order = np.argsort(picks)
    factors = np.asarray(to_volts)[order, None]

    def read(start: int, stop: int) -> Float[np.ndarray, "channels samples"]:
        try:
            block = raw.get_data(picks=picks[order], start=start, stop=stop, verbose="ERROR")
        except Exception as error:
            raise BadDataError(
                f"Samples {start} to {stop} cannot be read ({error}).", path=path, remedy="Export the recording again."
            ) from error
        block = block * factors if (factors != 1).any() else block
        note_ends(ends, block, start, is_last=stop == n_samples)
        return block

    step = min(int(_BLOCK_S * sfreq_hz), _BLOCK_VALUES // len(raw.ch_names)) // (factor * window) * window
    step = max(step, window)
    for start in range(0, length, step):
        stop = min(start + step, length)
        block = decimated_block(read, start, stop, factor=factor, n_samples=n_samples)
        absent = ~np.isfinite(block)
        if absent.any():
            missing[order, start // window : -(-stop // window)] = _windows(absent, window)
            block = _filled(block, absent)
        signals_v[order, start:stop] = block
        release_large(signals_v)
    return Samples(signals_v, sfreq_hz / factor, missing, ends.of_channels(np.argsort(order)))


def window_samples(sfreq_hz: float) -> int:
    """Samples in one of the windows that stretches of a recording are judged by.

    Parameters
    ----------
    sfreq_hz
        Sampling rate.
    """
    return max(round(WINDOW_S * sfreq_hz), 1)


def _windows(flags: Bool[np.ndarray, "channels samples"], window: int) -> Bool[np.ndarray, "channels windows"]:
    starts = np.arange(0, flags.shape[1], window)
    return np.logical_or.reduceat(flags, starts, axis=1)


def _filled(
    block: Float[np.ndarray, "channels samples"], absent: Bool[np.ndarray, "channels samples"]
) -> Float[np.ndarray, "channels samples"]:
    filled = block.copy()
    for channel in np.flatnonzero(absent.any(axis=1)):
        present = block[channel, ~absent[channel]]
        filled[channel, absent[channel]] = np.median(present) if present.size else 0.0
    return filled
