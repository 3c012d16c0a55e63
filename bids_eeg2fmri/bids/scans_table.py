"""When the files of a session were recorded, by its ``scans.tsv``."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path

from .bids_name import BidsName, parse_name


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
        lines = (folder / f"{stem}_scans.tsv").read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        return []
    times = []
    for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
        name = parse_name((row.get("filename") or "").strip().rpartition("/")[2])
        start = _time(row.get("acq_time") or "")
        if name is not None and start is not None:
            times.append((name, start))
    return times


def _time(text: str) -> datetime | None:
    try:
        time = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return time if time.tzinfo is None else time.astimezone(UTC).replace(tzinfo=None)
