"""What the sidecars say of a signal file, against the file itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mne
import numpy as np

from ..bids.recording_file import RecordingFile
from ..errors import BadDataError
from .complete import stated_samples
from .tables import number

_DIFFERENT = 0.01
# RecordingDuration is often rounded to seconds.
_ROUNDING_S = 1.0
_TYPES = {"short": "<i2", "int": "<i4", "single": "<f4"}
_LOOKED_AT_BYTES = 2**22
_MUCH_SMOOTHER = 0.5


def check_declared(file: RecordingFile, raw: mne.io.BaseRaw, n_rows: int) -> tuple[str, ...]:
    """Compare a file's rate and length with its sidecar's.

    Sidecars are often wrong, and the file is believed; but where a BrainVision data file has just the bytes for what
    the sidecars say, and changes far less from sample to sample when it is read like that, the header is wrong.

    Parameters
    ----------
    file
        The recording.
    raw
        Its opened file.
    n_rows
        Rows of its ``channels.tsv``; 0 without one.

    Returns
    -------
    tuple of str
        A sentence per disagreement.

    Raises
    ------
    BadDataError
        The header states a wrong number of channels, or a wrong format of the values.
    """
    sfreq_hz, duration_s = float(raw.info["sfreq"]), raw.n_times / float(raw.info["sfreq"])
    stated_hz, stated_s = (_number(file.sidecar.get(key)) for key in ("SamplingFrequency", "RecordingDuration"))
    other_rate = stated_hz is not None and _differ(stated_hz, sfreq_hz)
    other_length = stated_s is not None and _differ(stated_s, duration_s)
    if stated_s is not None and other_length and not other_rate and file.path.suffix.lower() == ".vhdr":
        _refuse_wrong_header(file.path, raw, n_rows, stated_s)
    warnings = []
    header_samples = stated_samples(file.path) if file.path.suffix.lower() == ".vhdr" else None
    if header_samples not in (None, raw.n_times):
        warnings.append(f"The header says DataPoints {header_samples}, the data file has {raw.n_times} samples.")
    if other_rate:
        warnings.append(f"The sidecar says SamplingFrequency {stated_hz:g} Hz, the file has {sfreq_hz:g} Hz.")
    if other_length:
        warnings.append(f"The sidecar says RecordingDuration {stated_s:g} s, the file has {duration_s:g} s.")
    return tuple(warnings)


def _refuse_wrong_header(header: Path, raw: mne.io.BaseRaw, n_rows: int, stated_s: float) -> None:
    if raw.orig_format not in _TYPES:
        return
    as_read = _Layout(len(raw.ch_names), _TYPES[raw.orig_format])
    sfreq_hz = float(raw.info["sfreq"])
    n_bytes = raw.n_times * as_read.sample_bytes
    for n_channels in sorted({as_read.n_channels, n_rows or as_read.n_channels}):
        for value in _TYPES.values():
            other = _Layout(n_channels, value)
            would_last_s = n_bytes / (other.sample_bytes * sfreq_hz)
            if other.sample_bytes == as_read.sample_bytes or abs(would_last_s - stated_s) > _ROUNDING_S:
                continue
            if _roughness(raw, other) < _MUCH_SMOOTHER * _roughness(raw, as_read):
                raise BadDataError(
                    f"The header says {as_read}, which makes {raw.n_times / sfreq_hz:.1f} s; the data file has the "
                    f"size of {other} in the {stated_s:g} s that the sidecar states, and reads as EEG only so.",
                    path=header,
                    remedy="Correct the header, or export the recording again.",
                )


@dataclass(frozen=True)
class _Layout:
    """How the values stand in a data file, a sample of all channels after the other."""

    n_channels: int
    value: str

    @property
    def sample_bytes(self) -> int:
        return self.n_channels * np.dtype(self.value).itemsize

    def __str__(self) -> str:
        return f"{self.n_channels} channels of {8 * np.dtype(self.value).itemsize} bits"


def _roughness(raw: mne.io.BaseRaw, layout: _Layout) -> float:
    """How much signals change from sample to sample, against how much at all: 2 for noise, less than 1 for EEG."""
    n_samples = min(_LOOKED_AT_BYTES // layout.sample_bytes, raw.n_times)
    values = np.fromfile(raw.filenames[0], layout.value, n_samples * layout.n_channels)
    signals = values[: len(values) // layout.n_channels * layout.n_channels].reshape(-1, layout.n_channels)
    with np.errstate(all="ignore"):
        ratio = np.diff(signals.astype(float), axis=0).var(axis=0) / signals.astype(float).var(axis=0)
    # Bytes that are no floats make numbers of any size, and none.
    return float(np.median(np.where(np.isfinite(ratio), ratio, np.inf)))


def _differ(stated: float, actual: float) -> bool:
    return abs(stated - actual) > _DIFFERENT * actual


def _number(value: Any) -> float | None:
    """A number of a sidecar; JSON's may be too large to be one."""
    return number(str(value)) if isinstance(value, int | float) and not isinstance(value, bool) else None
