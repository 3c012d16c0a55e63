"""The times that header and sidecar of a measured BOLD image state."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib

from ..errors import BadDataError

_TO_SECONDS = {"sec": 1.0, "msec": 1e-3, "usec": 1e-6}
_TOLERANCE_S, _TOLERANCE = 1e-3, 1e-3
_DISCARDED = ("NumberOfVolumesDiscardedByUser", "NumberOfVolumesDiscardedByScanner")


@dataclass(frozen=True)
class BoldTiming:
    """When the volumes of an image were measured.

    Attributes
    ----------
    tr_s
        Repetition time in seconds.
    start_time_s
        Instant within the repetition time that a volume's value stands for.
    discarded
        Numbers of volumes that may have been acquired before the first one of the image: those the sidecar
        says were left out by the user, by the scanner, or by both.
    """

    tr_s: float
    start_time_s: float
    discarded: tuple[int, ...]


def read_timing(image: nib.Nifti1Image, sidecar: dict[str, Any], path: Path) -> BoldTiming:
    """Take the times of a 4-D image from its sidecar and header.

    A volume of slice-timing corrected data stands for ``StartTime`` or, where that is not given, for the middle of
    the repetition time; one of uncorrected data for its onset.

    Raises
    ------
    BadDataError
        No repetition time, two different ones, or a ``StartTime`` outside of it.
    """
    in_header = _header_tr_s(image)
    tr_s = _number(sidecar, "RepetitionTime", path)
    if tr_s is None:
        tr_s = in_header
    if tr_s is None or tr_s <= 0:
        raise BadDataError(
            "no constant repetition time: neither RepetitionTime in the sidecar nor one with a unit in the header.",
            path=path,
            remedy="Add RepetitionTime to the sidecar.",
        )
    if in_header is not None and not same_tr(in_header, tr_s):
        raise BadDataError(
            f"the header says a repetition time of {in_header:g} s, the sidecar {tr_s:g} s.",
            path=path,
            remedy="Correct the wrong one.",
        )
    start_time_s = _number(sidecar, "StartTime", path)
    if start_time_s is None:
        start_time_s = tr_s / 2 if sidecar.get("SliceTimingCorrected") is True else 0.0
    if not 0 <= start_time_s < tr_s:
        raise BadDataError(
            f"a StartTime of {start_time_s:g} s is not within the repetition time of {tr_s:g} s.",
            path=path,
            remedy="Correct it: it is the instant within a volume that its values stand for.",
        )
    counts = [int(_number(sidecar, key, path) or 0) for key in _DISCARDED]
    return BoldTiming(tr_s, start_time_s, tuple(sorted({*counts, sum(counts)} - {0})))


def same_tr(one_s: float, other_s: float) -> bool:
    """Whether two repetition times agree to 1 ms or to 0.1 %."""
    return abs(one_s - other_s) <= max(_TOLERANCE_S, _TOLERANCE * max(one_s, other_s)) + 1e-9


def _header_tr_s(image: nib.Nifti1Image) -> float | None:
    """Repetition time of the header, if it has a unit; without one the value is often a default."""
    unit = _TO_SECONDS.get(image.header.get_xyzt_units()[1])
    value = float(image.header["pixdim"][4])
    return value * unit if unit is not None and value > 0 else None


def _number(sidecar: dict[str, Any], key: str, path: Path) -> float | None:
    value = sidecar.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadDataError(f"{key} of the sidecar is {value!r}, not a number.", path=path, remedy="Correct it.")
    return float(value)
