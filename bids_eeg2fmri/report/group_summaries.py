"""What the recordings' summaries keep for the group page, averaged over each person's recordings."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from .figure_paths import summary_path
from .group_table import GroupRow

Panels = Mapping[str, Any]


def read_summaries(rows: Sequence[GroupRow], output_dir: Path) -> dict[str, list[Panels]]:
    """What panels say of parcels (``parcel_...``), by person and recording; unreadable summaries are left out.

    Parameters
    ----------
    rows
        The recordings; one that is there on several grids counts once.
    output_dir
        Root of the derivatives.
    """
    found: dict[str, list[Panels]] = defaultdict(list)
    for stem, subject in dict.fromkeys((row.stem, row.entities["sub"]) for row in rows):
        try:
            panels = json.loads((output_dir / summary_path(stem)).read_text("utf-8"))["panels"]
        except (OSError, ValueError, KeyError, TypeError):
            # The person's page names the damaged file; here the recording is only not counted.
            continue
        if isinstance(panels, Mapping):
            found[subject].append({name: _of_parcels(panel) for name, panel in panels.items()})
    return dict(found)


def _of_parcels(panel: object) -> dict[str, Any]:
    """What a panel says of parcels: the rest, of thousands of recordings, would fill the memory."""
    known = panel if isinstance(panel, Mapping) else {}
    return {key: value for key, value in known.items() if key.startswith("parcel_")}


def of_people(
    summaries: Mapping[str, Sequence[Panels]], take: Callable[[Panels], Float[np.ndarray, " numbers"] | None]
) -> dict[str, Float[np.ndarray, " numbers"]]:
    """Mean of something over each person's recordings, NaN left out; people without it are not there.

    Parameters
    ----------
    summaries
        From :func:`read_summaries`.
    take
        Takes it out of a recording's panels.
    """
    means = {}
    for person, recordings in summaries.items():
        values = [value for panels in recordings if (value := take(panels)) is not None]
        if values and len({len(value) for value in values}) == 1:
            stacked = np.stack(values)
            known = np.isfinite(stacked)
            total = np.where(known, stacked, 0).sum(axis=0)
            mean = np.where(known.any(axis=0), total / np.maximum(known.sum(axis=0), 1), np.nan)
            means[person] = mean.astype(np.float32)
    return means
