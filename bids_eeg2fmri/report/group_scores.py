"""Scores against the scanner's BOLD, averaged over people."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..evaluation.people import mean_over_people
from .group_table import GroupRow
from .score_definitions import TABLE, is_correlation
from .score_table import score_table


def collect_group_scores(rows: Sequence[GroupRow]) -> dict[str, Any] | None:
    """The table of means with their 95 % confidence intervals; ``None`` when no recording was compared."""
    compared = [row for row in rows if any(row.metric(name) is not None for name in TABLE)]
    if not compared:
        return None
    sources = [row.sidecar.get("ComparedWith") or {} for row in compared]
    return {
        "n_people": len({row.entities["sub"] for row in compared}),
        "n_recordings": len(compared),
        "simulated": any(source.get("Simulated") is True for source in sources),
        "table": score_table(lambda name: _mean_text(name, compared)),
    }


def _mean_text(name: str, rows: Sequence[GroupRow]) -> str:
    """Mean and interval over people, whose recordings are averaged first."""
    of_person: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        value = row.metric(name)
        if value is not None:
            of_person[row.entities["sub"]].append(value)
    if not of_person:
        return ""
    correlation = is_correlation(name)
    own = [mean_over_people(np.array(values), correlation=correlation).mean for values in of_person.values()]
    mean, low, high, _ = mean_over_people(np.array(own, float), correlation=correlation)
    interval = f"\n[{float(low):.3f}, {float(high):.3f}]" if high > low else ""
    return f"{float(mean):.3f}{interval}"
