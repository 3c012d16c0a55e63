"""Open the signal file of a recording without reading its samples."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mne

from ..errors import BadDataError, Eeg2fmriError
from .complete import check_complete

_READERS: dict[str, tuple[str, Callable[..., Any]]] = {
    ".vhdr": ("BrainVision", mne.io.read_raw_brainvision),
    ".edf": ("EDF", mne.io.read_raw_edf),
    ".bdf": ("BDF", mne.io.read_raw_bdf),
    ".set": ("EEGLAB", mne.io.read_raw_eeglab),
    ".fif": ("FIF", mne.io.read_raw_fif),
}


def open_raw(path: Path) -> mne.io.BaseRaw:
    """Open a BrainVision, EDF, BDF, EEGLAB or FIF recording; the samples stay on disk.

    Parameters
    ----------
    path
        Signal file.

    Raises
    ------
    MissingInputError
        When the file is not there.
    BadDataError
        When the format is unknown, the content damaged or the recording cut into epochs.
    """
    # FIF recordings may be compressed; every other format has one suffix.
    suffix = ".fif" if path.name.endswith(".fif.gz") else path.suffix.lower()
    if suffix not in _READERS:
        raise BadDataError(
            f"EEG in the format {suffix or path.name!r} cannot be read.",
            path=path,
            remedy=f"Convert it to one of {', '.join(_READERS)}.",
        )
    check_complete(path)
    label, reader = _READERS[suffix]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            raw = reader(path, preload=False, verbose="ERROR")
    except Eeg2fmriError:
        raise
    except Exception as error:
        raise _refusal(error, label, path) from error
    if raw.n_times == 0 or not raw.ch_names:
        raise BadDataError(
            f"The file holds {len(raw.ch_names)} channels of {raw.n_times} samples.",
            path=path,
            remedy="Export the recording again.",
        )
    _require_separate_data(raw, path)
    return raw


def _require_separate_data(raw: mne.io.BaseRaw, path: Path) -> None:
    """EEGLAB may keep the samples as float32 in a file of their own, whose place and length nobody else checks."""
    data = Path(raw.filenames[0])
    if path.suffix.lower() != ".set" or data.samefile(path):
        return
    beside = path.with_suffix(".fdt")
    # A file elsewhere belongs to somebody else, and what another program's rename left behind is not what is meant.
    if not (beside.is_file() and data.samefile(beside)):
        raise BadDataError(
            f"The file keeps its samples in {data.name}, which is not {beside.name} beside it.",
            path=path,
            remedy=f"Name the data file {beside.name}, or export the recording into one file.",
        )
    needed = 4 * len(raw.ch_names) * raw.n_times
    if data.stat().st_size < needed:
        raise BadDataError(
            f"The data file is truncated: {data.stat().st_size} bytes, while {path.name} promises {needed}.",
            path=data,
            remedy="Copy the file again from its origin, or export it again.",
        )


def _refusal(error: Exception, label: str, path: Path) -> BadDataError:
    text = " ".join(str(error).split())
    epoched = "number of trials" in text or "epoch" in text.lower()
    if epoched and label in ("EEGLAB", "FIF"):
        return BadDataError(
            "The recording is cut into epochs.",
            path=path,
            remedy="Give the continuous recording: BOLD follows the EEG of the last half minute.",
        )
    return BadDataError(
        f"The file cannot be read as {label} ({text[:200] or type(error).__name__}).",
        path=path,
        remedy="Check that it is complete and of that format, or export it again.",
    )
