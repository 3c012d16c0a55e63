"""Recordings whose metrics lie far from the others'."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .group_section import GroupSection
from .group_table import GroupRow, metric_names
from .score_definitions import OF_BASELINES, definition_of

# Modified z-scores (Iglewicz & Hoaglin 1993, How to detect and handle outliers, ASQC).
_MAD_TO_SD = 0.6745
_FAR = 3.5
_LEAST_RECORDINGS = 5


def outlier_section(rows: Sequence[GroupRow]) -> GroupSection:
    """The table of outlying values, the farthest first.

    Parameters
    ----------
    rows
        The recordings.
    """
    found: list[tuple[float, dict[str, str]]] = []
    for name in metric_names(rows):
        if name not in OF_BASELINES:
            found += _outliers(name, rows)
    entries = [entry for _, entry in sorted(found, key=lambda pair: -pair[0])]
    enough = len(rows) >= _LEAST_RECORDINGS
    content = {"entries": entries, "enough": enough, "least": _LEAST_RECORDINGS, "far": _FAR}
    return GroupSection("Outliers", "section_outliers.html.j2", content)


def _outliers(name: str, rows: Sequence[GroupRow]) -> list[tuple[float, dict[str, str]]]:
    """How far every outlier of a metric lies, and what the table says of it."""
    known = [(row, value) for row in rows if (value := row.metric(name)) is not None]
    values = np.array([value for _, value in known])
    definition = definition_of(name)
    found = []
    for (row, value), z in zip(known, modified_z(values), strict=True):
        if abs(z) > _FAR:
            entry = {
                "page": row.page,
                "stem": row.stem,
                "metric": definition.label if definition else name,
                "value": f"{value:.4g}",
                "median": f"{np.median(values):.4g}",
                "z": f"{z:+.1f}",
            }
            found.append((float(abs(z)), entry))
    return found


def modified_z(values: np.ndarray) -> np.ndarray:
    """Distance from the median in robust standard deviations; zero for few values or where half of them are equal."""
    if len(values) < _LEAST_RECORDINGS:
        return np.zeros(len(values))
    deviation = values - np.median(values)
    spread = np.median(np.abs(deviation))
    return _MAD_TO_SD * deviation / spread if spread > 0 else np.zeros(len(values))
