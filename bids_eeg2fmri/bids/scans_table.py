"""When the files of a session were recorded, by its ``scans.tsv``."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from ..errors import Eeg2fmriError
from .bids_name import BidsName, parse_name
from .content import read_text


def start_times(root: Path, subject: str, session: str | None) -> list[tuple[BidsName, datetime]]:
    """Names and starts of the files that a session's ``scans.tsv`` lists with an ``acq_time``.

    The table only helps where names do not decide: one that is missing or broken, or a row that says nothing, is
    left out without a word.

    Parameters
    ----------
    root
        A dataset.
    subject, session
        Labels without prefix; ``None`` for a person without sessions.

    Returns
    -------
    list of (BidsName, datetime.datetime)
        Times without a zone; those given in one are in UTC.
    """
    folder, stem = root / f"sub-{subject}", f"sub-{subject}"
    if session is not None:
        folder, stem = folder / f"ses-{session}", f"{stem}_ses-{session}"
    try:
        lines = read_text(folder / f"{stem}_scans.tsv").split("\n")
    except Eeg2fmriError:
        return []
    header, *rows = ([cell.strip() for cell in line.split("\t")] for line in lines)
    times = []
    for cells in rows:
        row = dict(zip(header, cells, strict=False))
        name = parse_name(row.get("filename", "").rpartition("/")[2])
        start = _time(row.get("acq_time", ""))
        if name is not None and start is not None:
            times.append((name, start))
    return times


def _time(text: str) -> datetime | None:
    try:
        time = datetime.fromisoformat(text)
        return time if time.tzinfo is None else time.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None
