"""Find when the volumes of a recording start, from volume markers or, failing those, by assumption."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from ..errors import BadDataError, Eeg2fmriError, UsageError
from .marker_grid import MarkerGrid, fit_grid
from .markers import Marker, key
from .recording import VolumeClock

DEFAULT_TR_S = 2.0
IGNORE_MARKERS = "none"
MIN_MARKERS = 10

# Descriptions that mean a volume wherever they stand (Brain Products' R128 is the scanner's trigger input).
_ALWAYS = (
    "r128",
    "scan start",
    "volume start",
    "volume trigger",
    "mri volume",
    "mr volume",
    "fmri volume",
    "bold volume",
    "scanner volume",
)
# Descriptions that may as well be a button or a stimulus: they count only when they tick like a scanner.
_WHEN_REGULAR = ("volume", "tr", "r1", "t1", "t1_on")
_TR_RANGE_S = (0.25, 20.0)
_TR_AGREEMENT = 0.005
# Onsets in events.tsv are often rounded to milliseconds.
_TABLE_ROUNDING_S = 1e-3


@dataclass(frozen=True)
class ClockFinding:
    """The clock, the key of the marker it was taken from (``None``: assumed) and what to tell the user."""

    clock: VolumeClock
    volume_key: str | None
    warnings: tuple[str, ...]


def find_clock(
    native: Sequence[Marker],
    table: Sequence[Marker] | None,
    *,
    sfreq_hz: float,
    n_samples: int,
    tr_s: float | None = None,
    volume_marker: str | None = None,
    path: Path | None = None,
) -> ClockFinding:
    """Find the volumes of a recording.

    Markers are looked for in the signal file and in ``events.tsv`` together. At least 10 of one description
    must tick with an interval that is constant to one sample plus rounding; missing ticks are filled in and
    named. Without such markers, volume 0 starts at the first sample and the repetition time is assumed.

    Parameters
    ----------
    native, table
        Markers of the signal file and of ``events.tsv`` (``None``: no table).
    sfreq_hz, n_samples
        Sampling rate and length of the file.
    tr_s
        Repetition time given by the user; 2 s when neither markers nor user say.
    volume_marker
        Description of the volume marker given by the user; ``"none"`` ignores all markers.
    path
        Signal file, for the messages.

    Raises
    ------
    UsageError
        When the user's marker is not there, or the user's repetition time is not that of the markers.
    BadDataError
        When volume markers are there and do not tick.
    """
    if tr_s is not None and not _TR_RANGE_S[0] <= tr_s <= _TR_RANGE_S[1]:
        raise UsageError(f"A repetition time of {tr_s} s is not possible.", remedy="Give --tr in seconds.")
    duration_s = n_samples / sfreq_hz
    if volume_marker is not None and key(volume_marker) == IGNORE_MARKERS:
        return ClockFinding(_assumed(duration_s, tr_s, "assumed: volume markers ignored"), None, ())
    wanted_keys = _ALWAYS + _WHEN_REGULAR if volume_marker is None else (key(volume_marker),)
    tolerance_s = 2.0 / sfreq_hz + (_TABLE_ROUNDING_S if table else 0.0)
    series = _series((*native, *(table or ())), duration_s, tolerance_s)
    warnings: list[str] = []
    for wanted in wanted_keys:
        label, onsets_s = series.get(wanted, (wanted, np.zeros(0)))
        if len(onsets_s) < MIN_MARKERS:
            if volume_marker is not None:
                raise _too_few(volume_marker, len(onsets_s), (*native, *(table or ())), path)
            if len(onsets_s) and wanted in _ALWAYS:
                warnings.append(f"Only {len(onsets_s)} `{label}` markers: fewer than {MIN_MARKERS} make no clock.")
            continue
        grid = fit_grid(onsets_s, tolerance_s)
        if grid is not None and _TR_RANGE_S[0] <= grid.interval_s <= _TR_RANGE_S[1]:
            clock = _from_grid(grid, label, tr_s, path)
            return ClockFinding(clock, wanted, (*warnings, *_remarks(grid, label)))
        if volume_marker is not None or wanted in _ALWAYS:
            raise _not_ticking(label, onsets_s, grid, path)
        warnings.append(f"{len(onsets_s)} `{label}` markers do not tick like a scanner and are not taken for volumes.")
    warnings += _other_ticks(native, sfreq_hz)
    return ClockFinding(_assumed(duration_s, tr_s, "assumed: no volume markers"), None, tuple(warnings))


def is_volume_marker(marker: Marker, volume_key: str | None) -> bool:
    """Whether a marker starts a volume: it was taken for the clock, or always means one.

    Parameters
    ----------
    marker
        Any marker.
    volume_key
        The key of the markers that made the clock.
    """
    keys = (key(marker.description), key(marker.value))
    return any(text in _ALWAYS or text == volume_key for text in keys if text)


def _series(
    markers: Sequence[Marker], duration_s: float, tolerance_s: float
) -> dict[str, tuple[str, Float[np.ndarray, " markers"]]]:
    """Onsets inside the recording by marker key, with the description as it stands in the file.

    A marker that stands in the file and in the table, or in two columns of the table, counts once.
    """
    labels: dict[str, str] = {}
    found_s: dict[str, list[float]] = {}
    for marker in markers:
        for text in (marker.description, marker.value):
            if text and -1e-6 <= marker.onset_s < duration_s:
                labels.setdefault(key(text), text.rpartition("/")[2].strip())
                found_s.setdefault(key(text), []).append(marker.onset_s)
    series = {}
    for text, unsorted_s in found_s.items():
        onsets_s = np.array(sorted(unsorted_s))
        series[text] = (labels[text], onsets_s[np.diff(onsets_s, prepend=-np.inf) > tolerance_s])
    return series


def _assumed(duration_s: float, tr_s: float | None, source: str) -> VolumeClock:
    tr_s = DEFAULT_TR_S if tr_s is None else tr_s
    return VolumeClock(0.0, tr_s, int(np.floor(duration_s / tr_s + 1e-9)), source)


def _from_grid(grid: MarkerGrid, label: str, tr_s: float | None, path: Path | None) -> VolumeClock:
    if tr_s is not None and abs(tr_s - grid.interval_s) > _TR_AGREEMENT * grid.interval_s:
        raise UsageError(
            f"--tr says {tr_s:g} s, the `{label}` markers say {grid.interval_s:.6g} s.",
            path=path,
            remedy="Leave --tr out, or ignore the markers with --volume-marker none.",
        )
    return VolumeClock(grid.first_s, grid.interval_s, grid.n_ticks, f"markers: {label}", grid.missing)


def _remarks(grid: MarkerGrid, label: str) -> list[str]:
    remarks = []
    if grid.missing:
        shown = ", ".join(map(str, grid.missing[:10])) + (", ..." if len(grid.missing) > 10 else "")
        remarks.append(f"{len(grid.missing)} of {grid.n_ticks} `{label}` markers are missing (volumes {shown}).")
    if grid.n_extra:
        remarks.append(f"{grid.n_extra} `{label}` markers fall between the volumes and are ignored.")
    return remarks


def _other_ticks(native: Sequence[Marker], sfreq_hz: float) -> list[str]:
    """Name what else ticks in the file, so that nobody believes it was taken for volumes."""
    remarks = []
    counts = Counter(marker.description for marker in native)
    for description, count in counts.items():
        if count < MIN_MARKERS:
            continue
        onsets_s = np.array(sorted(marker.onset_s for marker in native if marker.description == description))
        grid = fit_grid(onsets_s, 2.0 / sfreq_hz)
        if grid is not None and grid.interval_s >= _TR_RANGE_S[0]:
            remarks.append(
                f"{count} `{description}` markers every {grid.interval_s:.6g} s are not taken for volumes; "
                "if they are, name them with --volume-marker."
            )
    return remarks


def _too_few(volume_marker: str, found: int, markers: Sequence[Marker], path: Path | None) -> Eeg2fmriError:
    counts = Counter(marker.description for marker in markers).most_common(8)
    there = ", ".join(f"{text!r} ({count})" for text, count in counts) or "none"
    return UsageError(
        f"{found} markers are named {volume_marker!r}; a clock needs {MIN_MARKERS}. Markers of the file: {there}.",
        path=path,
        remedy="Name another with --volume-marker, or ignore all with --volume-marker none.",
    )


def _not_ticking(label: str, onsets_s: np.ndarray, grid: MarkerGrid | None, path: Path | None) -> Eeg2fmriError:
    intervals_s = np.diff(onsets_s)
    how = (
        f"their intervals run from {intervals_s.min():.4g} to {intervals_s.max():.4g} s"
        if grid is None
        else f"their interval of {grid.interval_s:.4g} s is no repetition time (slices?)"
    )
    return BadDataError(
        f"The {len(onsets_s)} `{label}` markers make no volume clock: {how}.",
        path=path,
        remedy="Correct them, name others with --volume-marker, or ignore all with --volume-marker none.",
    )
