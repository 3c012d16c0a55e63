"""Markers of a recording: those in the signal file and those in ``events.tsv``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import mne

from .tables import MISSING, number, read_tsv

_CONTROL = dict.fromkeys((*range(32), 127), " ")


@dataclass(frozen=True)
class Marker:
    """One marker, in seconds from the first sample.

    Attributes
    ----------
    onset_s, duration_s
        When it starts and how long it lasts.
    description
        Its text; of BrainVision markers ``type/description``.
    value
        The ``value`` cell of ``events.tsv``, else empty.
    """

    onset_s: float
    duration_s: float
    description: str
    value: str = ""


def native_markers(raw: mne.io.BaseRaw) -> tuple[Marker, ...]:
    """Annotations stored in the signal file, ordered by onset.

    Parameters
    ----------
    raw
        An opened recording whose annotations were not replaced.
    """
    # With a measurement date MNE counts annotations from the start of acquisition, not from the first sample kept.
    offset_s = 0.0 if raw.annotations.orig_time is None else raw.first_time
    rows = zip(raw.annotations.onset, raw.annotations.duration, raw.annotations.description, strict=True)
    # Names of events become cells of tables: tabs and line ends cannot stay in them.
    return tuple(
        Marker(float(onset) - offset_s, float(duration), str(text).translate(_CONTROL))
        for onset, duration, text in rows
    )


def table_markers(path: Path | None) -> tuple[Marker, ...] | None:
    """Rows of ``events.tsv`` ordered by onset, or ``None`` without a file.

    Rows without a numeric onset have no place in time and are passed over.

    Raises
    ------
    BadDataError
        When the table is broken.
    """
    if path is None:
        return None
    markers = []
    for row in read_tsv(path, required=("onset",)):
        onset_s = number(row["onset"])
        if onset_s is None:
            continue
        value = row.get("value", "n/a")
        named = [text for text in (row.get("trial_type", "n/a"), value) if text not in MISSING]
        markers.append(
            Marker(
                onset_s,
                max(number(row.get("duration", "n/a")) or 0.0, 0.0),
                named[0] if named else "event",
                "" if value in MISSING else value,
            )
        )
    return tuple(sorted(markers, key=lambda marker: marker.onset_s))


def key(description: str) -> str:
    """A description without its BrainVision type, spacing and case: ``Response/R  1`` gives ``r1``.

    Parameters
    ----------
    description
        Text of a marker.
    """
    text = " ".join(description.rpartition("/")[2].lower().split())
    return re.sub(r"^([a-z]+) (\d+)", r"\1\2", text)
