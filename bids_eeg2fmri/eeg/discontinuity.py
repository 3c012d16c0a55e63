"""Find out whether the time axis of a recording is whole."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadDataError
from .markers import Marker, key

_BREAKS = ("new segment", "boundary", "bad boundary", "edge boundary")
# In capitals only, as MNE writes it: a task may well have an event named "bad_outcome".
_BAD = re.compile(r"BAD(_|\s|$)")
_KEPT_GAP = "bad_acq_skip"
_SHOWN = 5


def check_continuous(
    path: Path, sidecar: dict[str, Any], markers: Sequence[Marker], sfreq_hz: float, duration_s: float
) -> None:
    """Refuse a recording that is cut into epochs or glued together from pieces.

    A gap that the file itself fills and marks (``BAD_ACQ_SKIP``) keeps the time axis whole; see
    :func:`marked_bad`.

    Parameters
    ----------
    path
        Signal file.
    sidecar
        Its ``_eeg.json``, for ``RecordingType``.
    markers
        Native markers and those of ``events.tsv``.
    sfreq_hz, duration_s
        Sampling rate and length of the recording.

    Raises
    ------
    BadDataError
        When samples that follow each other in the file did not follow each other in time.
    """
    declared = str(sidecar.get("RecordingType", "")).strip().lower()
    if declared == "epoched":
        raise BadDataError(
            "The sidecar says that the recording is epoched (RecordingType).",
            path=path,
            remedy="Give the continuous recording: BOLD follows the EEG of the last half minute.",
        )
    inside = (1.5 / sfreq_hz, duration_s - 1.5 / sfreq_hz)
    breaks = sorted(
        {round(marker.onset_s, 3) for marker in markers if _is_break(marker) and inside[0] < marker.onset_s < inside[1]}
    )
    if path.suffix.lower() in (".edf", ".bdf"):
        breaks += _record_gaps_s(path)
    filled = any(key(marker.description) == _KEPT_GAP for marker in markers)
    if not breaks and not (declared == "discontinuous" and not filled):
        return
    where = ", ".join(f"{onset_s:.3f} s" for onset_s in breaks[:_SHOWN]) + (", ..." if len(breaks) > _SHOWN else "")
    raise BadDataError(
        f"The recording is not continuous: it was cut at {where}."
        if breaks
        else "The sidecar says that the recording is discontinuous (RecordingType).",
        path=path,
        remedy="Store every continuous stretch as a run of its own, or fill the gaps and mark them BAD_ACQ_SKIP.",
    )


def marked_bad(markers: Sequence[Marker], duration_s: float) -> tuple[tuple[float, float], ...]:
    """Start and end, in seconds, of the stretches that markers named ``BAD...`` call unusable.

    Parameters
    ----------
    markers
        Native markers and those of ``events.tsv``.
    duration_s
        Length of the recording, where stretches end at the latest.
    """
    return tuple(
        (max(marker.onset_s, 0.0), min(marker.onset_s + marker.duration_s, duration_s))
        for marker in markers
        if _BAD.match(marker.description) and marker.duration_s > 0 and marker.onset_s < duration_s
    )


def _is_break(marker: Marker) -> bool:
    return marker.description.lower().startswith(_BREAKS) or key(marker.description) == "boundary"


def _record_gaps_s(path: Path) -> list[float]:
    """Instants in the file where an EDF+D or BDF+D recording skips time, by the onsets of its data records."""
    with path.open("rb") as stream:
        head = stream.read(256)
        if head[192:197] not in (b"EDF+D", b"BDF+D"):
            return []
        header_bytes, n_records, record_s = int(head[184:192]), int(head[236:244]), float(head[244:252])
        n_signals = int(head[252:256])
        labels = [stream.read(16).strip() for _ in range(n_signals)]
        stream.seek(256 + 216 * n_signals)
        widths = np.array([int(stream.read(8)) for _ in range(n_signals)]) * (3 if head[:1] == b"\xff" else 2)
        try:
            annotations = next(i for i, label in enumerate(labels) if label.endswith(b"Annotations"))
            before, width = int(widths[:annotations].sum()), int(widths[annotations])
            onsets_s = []
            for record in range(n_records):
                stream.seek(header_bytes + record * int(widths.sum()) + before)
                onsets_s.append(float(stream.read(width).split(b"\x14")[0]))
        except (StopIteration, ValueError) as error:
            raise BadDataError(
                "The file says that it is discontinuous and does not say when its records were taken.",
                path=path,
                remedy="Export it as continuous EDF+C or BDF+C.",
            ) from error
    skips = np.flatnonzero(np.abs(np.diff(onsets_s) - record_s) > 0.5e-3) + 1
    return [float(record * record_s) for record in skips]
