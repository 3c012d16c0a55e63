"""How much of held-out people's BOLD lay in a model's predictive intervals, as its bundle states it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..evaluation.intervals import LEVELS

_CAP = re.compile(r"(\d+) channels")


@dataclass(frozen=True)
class HeldOutCoverage:
    """Coverage in people whom the model had not seen.

    Attributes
    ----------
    people
        Who they were, in words.
    nominal
        Probability of each interval.
    voxels, parcels
        Share (0-1) of their values that lay in it; ``None`` where the bundle does not say.
    """

    people: str
    nominal: tuple[float, ...]
    voxels: tuple[float, ...]
    parcels: tuple[float, ...] | None = None


def held_out_coverage(metadata: Mapping[str, Any], n_electrodes: int) -> HeldOutCoverage | None:
    """Find the coverage in what a bundle says of itself.

    Parameters
    ----------
    metadata
        The content of ``model.json``.
    n_electrodes
        Good electrodes of the recording: of several caps, the one nearest in size is taken.

    Returns
    -------
    HeldOutCoverage or None
        ``None`` when the bundle does not state any.
    """
    scores = metadata.get("scores")
    if not isinstance(scores, Mapping):
        return None
    by_cap = _of_nearest_cap(scores, n_electrodes)
    return by_cap if by_cap is not None else _of_all(scores)


def _of_nearest_cap(scores: Mapping[str, Any], n_electrodes: int) -> HeldOutCoverage | None:
    recordings = scores.get("recordings") or {}
    caps = {int(match[1]): name for name in recordings if (match := _CAP.fullmatch(name))}
    if not caps:
        return None
    nearest = min(caps, key=lambda size: abs(math.log(size / max(n_electrodes, 1))))
    row = recordings[caps[nearest]]
    voxels, parcels = _levels(row.get("coverage")), _levels(row.get("parcel_coverage"))
    people = (scores.get("measured") or {}).get("people")
    named = f"{people} held-out people" if people else "held-out people"
    return None if voxels is None else HeldOutCoverage(f"{named}, {nearest} electrodes", LEVELS, voxels, parcels)


def _of_all(scores: Mapping[str, Any]) -> HeldOutCoverage | None:
    mean = scores.get("mean") or {}
    voxels, parcels = (
        _levels({str(level): mean.get(f"{prefix}coverage_{100 * level:g}") for level in LEVELS})
        for prefix in ("", "parcel_")
    )
    people = scores.get("n_people")
    named = f"{people} held-out people" if people else "held-out people"
    return None if voxels is None else HeldOutCoverage(named, LEVELS, voxels, parcels)


def _levels(shares: Any) -> tuple[float, ...] | None:
    """The share of every level; ``None`` when one is missing."""
    found = [shares.get(str(level)) for level in LEVELS] if isinstance(shares, Mapping) else [None]
    if any(not isinstance(share, int | float) or not math.isfinite(share) for share in found):
        return None
    return tuple(float(share) for share in found if share is not None)
