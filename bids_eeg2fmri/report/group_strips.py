"""One strip per metric: a point per recording, and a bar in place of more points than fit above each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import median
from typing import Any

from matplotlib.ticker import MaxNLocator

from .group_table import GroupRow, metric_names
from .metric_definitions import MetricDefinition
from .score_definitions import OF_BASELINES, definition_of

# In the units of the plot's viewBox, 330 x 96.
_LEFT, _RIGHT, _FOOT = 14.0, 316.0, 72.0
_MIDDLE, _RADIUS, _HIGHEST = 38.0, 4.6, 66.0
_WIDTH = 2 * _RADIUS
# Points of one column stand above and below the middle in turn.
_OFFSETS = (0.0, 7.0, -7.0, 14.0, -14.0, 21.0, -21.0, 28.0, -28.0)


def collect_strips(rows: Sequence[GroupRow]) -> list[dict[str, Any]]:
    """Geometry of the strips of all metrics that a recording has; what only stands beside a score has none."""
    names = [name for name in metric_names(rows) if name not in OF_BASELINES]
    return [strip for name in names if (strip := _strip(name, rows)) is not None]


def _strip(name: str, rows: Sequence[GroupRow]) -> dict[str, Any] | None:
    values = [(row, value) for row in rows if (value := row.metric(name)) is not None]
    if not values:
        return None
    definition = definition_of(name) or MetricDefinition(name, "", "Not defined by this version of bids_eeg2fmri.")
    ticks = _ticks([value for _, value in values])
    first, last = ticks[0], ticks[-1]

    def across(value: float) -> float:
        return round(_LEFT + (_RIGHT - _LEFT) * (value - first) / (last - first), 1)

    middle = median(value for _, value in values)
    count = Counter(_column(across(value)) for _, value in values)
    drawn: Counter[int] = Counter()
    points = []
    for row, value in values:
        x = across(value)
        column = _column(x)
        if count[column] <= len(_OFFSETS):
            y = round(_MIDDLE + _OFFSETS[drawn[column]], 1)
            points.append({"x": x, "y": y, "page": row.page, "stem": row.stem, "value": f"{value:.4g}"})
            drawn[column] += 1
    return {
        "name": name,
        "label": definition.label,
        "unit": definition.unit,
        "definition": definition.definition,
        "n": len(values),
        "median": f"{middle:.4g}",
        "median_x": across(middle),
        "ticks": [{"x": across(tick), "label": f"{tick:.6g}"} for tick in ticks],
        "points": points,
        "bars": _bars(count),
    }


def _column(x: float) -> int:
    return int(x // _WIDTH)


def _bars(count: Counter[int]) -> list[dict[str, Any]]:
    """How many recordings every column holds whose points would cover each other."""
    most = max(count.values())
    crowded = {column: n for column, n in sorted(count.items()) if n > len(_OFFSETS)}
    heights = {column: round(_HIGHEST * n / most, 1) for column, n in crowded.items()}
    return [
        {"x": round(column * _WIDTH, 1), "y": round(_FOOT - height, 1), "height": height, "n": crowded[column]}
        for column, height in heights.items()
    ]


def _ticks(values: Sequence[float]) -> list[float]:
    low, high = min(values), max(values)
    if low == high:
        low, high = low - abs(low) * 0.1 - 0.01, high + abs(high) * 0.1 + 0.01
    return [float(tick) for tick in MaxNLocator(nbins=4, min_n_ticks=2).tick_values(low, high)]
