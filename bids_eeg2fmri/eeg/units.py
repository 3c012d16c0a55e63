"""Settle the unit of every channel between the file and ``channels.tsv``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import mne
import numpy as np
import scipy.signal

from .amplitude import EEG_RANGE_V, robust_sd
from .channel_types import ChannelRow

_VOLTS = {"v": 1.0, "mv": 1e-3, "uv": 1e-6, "nv": 1e-9}
# What MNE supposes where a format has no unit: EEGLAB's microvolts, and volts for a blank EDF field.
_SUPPOSED_EEGLAB_V, _SUPPOSED_EDF_V = 1e-6, 1.0
_PROBE_S = 20.0


@dataclass(frozen=True)
class Units:
    """Factor per channel that makes volts of what MNE takes for volts, and what a user should look at."""

    to_volts: tuple[float, ...]
    warnings: tuple[str, ...]


def find_units(raw: mne.io.BaseRaw, originals: Sequence[str], rows: Mapping[str, ChannelRow]) -> Units:
    """Take the unit from the file where it has one, else from ``channels.tsv`` where that gives a possible EEG.

    Converters write ``V`` into ``channels.tsv`` for EEGLAB files that hold microvolts: the table counts only
    where the unit that MNE supposes makes the amplitudes impossible.

    Parameters
    ----------
    raw
        The opened file.
    originals
        Names of the channels in the file.
    rows
        Rows of ``channels.tsv``.
    """
    in_file = getattr(raw, "_orig_units", None) or {}
    own = {name: _volts(in_file.get(name, "")) for name in originals}
    table = {name: _volts(rows[name].units) for name in originals if name in rows}
    disagreeing = [
        f"{name} ({in_file[name]} in the file, {rows[name].units} in channels.tsv)"
        for name in originals
        if None not in (own[name], table.get(name)) and own[name] != table[name]
    ]
    warnings = (f"Units disagree; those of the file are taken: {', '.join(disagreeing)}.",) if disagreeing else ()
    supposed_v = _supposed_v(raw)
    factors = np.array(
        [1.0 if own[name] is not None else (table.get(name) or supposed_v) / supposed_v for name in originals]
    )
    if (factors == 1.0).all() or not _table_is_right(raw, originals, factors):
        return Units((1.0,) * len(originals), warnings)
    return Units(tuple(factors), (*warnings, "The file names no units; those of channels.tsv are taken."))


def _table_is_right(raw: mne.io.BaseRaw, originals: Sequence[str], factors: np.ndarray) -> bool:
    middle, reach = raw.n_times // 2, round(_PROBE_S / 2 * raw.info["sfreq"])
    block = raw.get_data(picks=list(originals), start=max(middle - reach, 0), stop=middle + reach, verbose="ERROR")
    sd_v = robust_sd(scipy.signal.detrend(np.nan_to_num(block)))
    return not _possible(sd_v) and _possible(sd_v * factors)


def _possible(sd_v: np.ndarray) -> bool:
    return bool(EEG_RANGE_V[0] <= np.median(sd_v) <= EEG_RANGE_V[1])


def _supposed_v(raw: mne.io.BaseRaw) -> float:
    eeglab = str(raw.filenames[0]).lower().endswith((".set", ".fdt"))
    return _SUPPOSED_EEGLAB_V if eeglab else _SUPPOSED_EDF_V


def _volts(unit: str) -> float | None:
    return _VOLTS.get(unit.strip().lower().replace("µ", "u").replace("μ", "u"))
