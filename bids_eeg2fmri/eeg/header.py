"""What the header of a recording says, before its samples are read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..errors import BadDataError
from .formats import open_raw

MIN_SFREQ_HZ = 100.0
MIN_DURATION_S = 60.0


@dataclass(frozen=True)
class Header:
    """Size of a recording.

    Attributes
    ----------
    duration_s, sfreq_hz
        Length and sampling rate.
    n_channels
        Channels of every kind.
    """

    duration_s: float
    sfreq_hz: float
    n_channels: int


def read_header(path: Path) -> Header:
    """Read the size of a recording that can be used.

    Parameters
    ----------
    path
        Signal file.

    Raises
    ------
    MissingInputError
        The file is not there.
    BadDataError
        Its format is unknown, it is damaged, too short or sampled too slowly.
    """
    raw = open_raw(path)
    sfreq_hz = float(raw.info["sfreq"])
    header = Header(raw.n_times / sfreq_hz, sfreq_hz, len(raw.ch_names))
    require_rate_and_length(header.sfreq_hz, header.duration_s, path)
    return header


def require_rate_and_length(sfreq_hz: float, duration_s: float, path: Path) -> None:
    """Check that a recording is sampled fast enough and long enough.

    Raises
    ------
    BadDataError
        It is not.
    """
    if sfreq_hz < MIN_SFREQ_HZ:
        raise BadDataError(
            f"The sampling rate is {sfreq_hz:g} Hz; at least {MIN_SFREQ_HZ:g} Hz are needed.",
            path=path,
            remedy="Give the recording at its original rate.",
        )
    if duration_s < MIN_DURATION_S:
        raise BadDataError(
            f"The recording lasts {duration_s:.1f} s; at least {MIN_DURATION_S:g} s are needed.",
            path=path,
            remedy="Leave it out (--task-id, --run-id or --bids-filter-file select others).",
        )
