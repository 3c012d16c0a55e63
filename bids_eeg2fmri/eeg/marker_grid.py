"""Fit an even grid to marker onsets, with gaps and strays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

_MAX_EXTRA = 0.05
_MAX_MISSING = 0.5


@dataclass(frozen=True)
class MarkerGrid:
    """Ticks at even intervals.

    Attributes
    ----------
    first_s, interval_s
        First tick and interval in seconds.
    n_ticks
        Number of ticks from the first marker to the last.
    missing
        Indices of ticks without a marker.
    n_extra
        Number of markers that are on no tick.
    """

    first_s: float
    interval_s: float
    n_ticks: int
    missing: tuple[int, ...]
    n_extra: int


def fit_grid(onsets_s: Float[np.ndarray, " markers"], tolerance_s: float) -> MarkerGrid | None:
    """Fit an even grid to marker onsets, or find that there is none.

    Parameters
    ----------
    onsets_s
        Marker onsets in seconds, ascending; markers closer than the tolerance count once.
    tolerance_s
        By how much one interval may differ from the others.

    Returns
    -------
    The grid, or ``None`` when more than 5 % of the markers lie off it, or half of its ticks have no marker.
    """
    distinct = onsets_s[np.diff(onsets_s, prepend=-np.inf) > tolerance_s]
    if len(distinct) < 3:
        return None
    steps_s = np.diff(distinct)
    regular = np.abs(steps_s - np.median(steps_s)) <= tolerance_s
    # A marker rounds to a whole sample; the mean of many intervals does not.
    interval_s = float(steps_s[regular].mean())
    ticks, on_grid = _count_ticks(distinct, interval_s, tolerance_s, start=int(np.argmax(regular)))
    n_ticks = int(ticks[-1]) + 1
    n_extra = int((~on_grid).sum())
    if n_extra > _MAX_EXTRA * len(distinct) or len(ticks) < (1.0 - _MAX_MISSING) * n_ticks:
        return None
    interval_s, first_s = (float(value) for value in np.polyfit(ticks, distinct[on_grid], 1))
    # A repetition time is a whole number of milliseconds unless the markers can tell that it is not.
    if abs(interval_s - round(interval_s, 3)) * n_ticks < tolerance_s:
        interval_s = round(interval_s, 3)
        first_s = float(np.mean(distinct[on_grid] - interval_s * ticks))
    if np.abs(first_s + interval_s * ticks - distinct[on_grid]).max() > max(tolerance_s, 0.005 * interval_s):
        return None
    missing = tuple(int(tick) for tick in np.setdiff1d(np.arange(n_ticks), ticks))
    return MarkerGrid(max(round(first_s, 6), 0.0), interval_s, n_ticks, missing, n_extra)


def _count_ticks(
    onsets_s: Float[np.ndarray, " markers"], interval_s: float, tolerance_s: float, start: int
) -> tuple[Int[np.ndarray, " on_grid"], np.ndarray]:
    """Number the markers by whole intervals, outwards from one that is on the grid."""
    ticks = np.zeros(len(onsets_s), dtype=int)
    on_grid = np.zeros(len(onsets_s), dtype=bool)
    on_grid[start] = True
    for order in (range(start + 1, len(onsets_s)), range(start - 1, -1, -1)):
        last = start
        for marker in order:
            distance_s = onsets_s[marker] - onsets_s[last]
            steps = round(distance_s / interval_s)
            if steps != 0 and abs(distance_s - steps * interval_s) <= tolerance_s:
                ticks[marker] = ticks[last] + steps
                on_grid[marker] = True
                last = marker
    return ticks[on_grid] - ticks[on_grid].min(), on_grid
