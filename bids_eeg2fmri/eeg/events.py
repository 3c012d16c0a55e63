"""The task events of a recording, without the markers of the machines."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from ..bids.recording_file import RecordingFile
from .clock import is_volume_marker
from .markers import Marker
from .recording import Event

_MACHINES = re.compile(
    r"^(new segment|scanner/|pulse artifact|syncstatus|comment/|(bad |edge )?boundary|lostsamples|impedance|"
    r"buffer overflow|sync on|recording (starts|ends)|\[?total time|(?-i:BAD)(_|\s|$))|\bslice|heart ?beat|"
    r"\bqrs\b|r[- ]?peak|\becg\b|\bekg\b",
    re.IGNORECASE,
)
_WHOLE = 0.95
_ROUNDING_S = 1e-3


def believed_table(file: RecordingFile, native: Sequence[Marker]) -> tuple[Path | None, tuple[str, ...]]:
    """The ``events.tsv`` whose onsets hold for this signal file, and warnings.

    A cleaned recording that brings no table of its own may have been cut: its own annotations moved with it, the
    raw dataset's table did not.
    """
    table = file.events_tsv
    if table is None or file.root in table.parents:
        return table, ()
    if any(not _MACHINES.search(marker.description) for marker in native):
        return None, (f"Events come from the cleaned file, not from the raw dataset's {table.name}.",)
    return table, (f"Events come from the raw dataset's {table.name}: wrong if cleaning cut the recording.",)


def task_events(
    native: Sequence[Marker], table: Sequence[Marker] | None, volume_key: str | None, duration_s: float
) -> tuple[Event, ...]:
    """Events from ``events.tsv``, or from the file where there is no table, in EEG seconds.

    Volume, slice, heart-beat, segment, synchronisation and boundary markers are no events of the task, nor are
    the operator's comments and annotations that span the whole recording. Events outside the recording are left out.

    Parameters
    ----------
    native, table
        Markers of the signal file and of ``events.tsv`` (``None``: there is no table).
    volume_key
        The marker from which the volume clock was taken, as :func:`bids_eeg2fmri.eeg.markers.key` gives it.
    duration_s
        Length of the recording.
    """
    return tuple(
        Event(marker.onset_s, marker.duration_s, marker.description)
        for marker in _of_the_task(native, table, volume_key, duration_s)
        if _is_inside(marker, duration_s)
    )


def stray_events(
    native: Sequence[Marker], table: Sequence[Marker] | None, volume_key: str | None, duration_s: float
) -> tuple[str, ...]:
    """What to say of events that begin after the end of the recording, or are over before its start.

    The parameters are those of :func:`task_events`, which leaves such events out.
    """
    task = _of_the_task(native, table, volume_key, duration_s)
    strays = [marker for marker in task if not _is_inside(marker, duration_s)]
    if not strays:
        return ()
    return (
        f"{len(strays)} of {len(task)} events lie outside the recording (0 to {duration_s:.1f} s) and are left out: "
        f"`{strays[0].description}` at {strays[0].onset_s:g} s" + (", ..." if len(strays) > 1 else "") + ".",
    )


def _of_the_task(
    native: Sequence[Marker], table: Sequence[Marker] | None, volume_key: str | None, duration_s: float
) -> list[Marker]:
    return [
        marker
        for marker in (native if table is None else table)
        if not _MACHINES.search(marker.description)
        and not is_volume_marker(marker, volume_key)
        and marker.duration_s < _WHOLE * duration_s
    ]


def _is_inside(marker: Marker, duration_s: float) -> bool:
    return marker.onset_s < duration_s and marker.onset_s + marker.duration_s > -_ROUNDING_S
