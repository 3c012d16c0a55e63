"""The page of the group: a strip plot per metric, its points linked to people's pages, and the table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from matplotlib.ticker import MaxNLocator

from .group_connectivity import connectivity_section
from .group_maps import map_section
from .group_outliers import outlier_section
from .group_scores import collect_group_scores
from .group_section import GroupSection
from .group_summaries import read_summaries
from .group_table import GroupRow, column_names, metric_names
from .metric_definitions import MetricDefinition
from .pages import render_page
from .panels.banner import trained_on_simulations
from .score_definitions import OF_BASELINES, definition_of

# In the units of the plot's viewBox, 330 x 96.
_LEFT, _RIGHT = 14.0, 316.0
_MIDDLE, _RADIUS = 38.0, 4.6
_OFFSETS = (0.0, 7.0, -7.0, 14.0, -14.0, 21.0, -21.0, 28.0, -28.0)


def render_group_page(
    rows: Sequence[GroupRow],
    failures: Sequence[str],
    command: str,
    output_dir: Path,
    sections: Sequence[GroupSection] = (),
) -> str:
    """The page as HTML.

    Parameters
    ----------
    rows
        The recordings.
    failures
        What is wrong with recordings that are not in the table, one sentence each.
    command
        The command line that made the page.
    output_dir
        Root of the derivatives, where the recordings' summaries lie.
    sections
        What other analyses of the group have to show, in their order.
    """
    columns = column_names(rows)
    summaries = read_summaries(rows, output_dir)
    own = (outlier_section(rows), map_section(summaries), connectivity_section(summaries))
    return render_page(
        "group.html.j2",
        strips=[strip for name in _shown(rows) if (strip := _strip(name, rows)) is not None],
        scores=collect_group_scores(rows),
        sections=[section for section in (*own, *sections) if section is not None],
        columns=columns,
        rows=[
            {"page": row.page, "stem": row.stem, "cells": [row.cell(column) for column in columns[1:]],
             "participant": row.cell(columns[0])}
            for row in rows
        ],
        n_people=len({row.entities["sub"] for row in rows}),
        failures=list(failures),
        command=command,
        simulated=any(trained_on_simulations(dict(row.sidecar)) for row in rows),
    )  # fmt: skip


def _shown(rows: Sequence[GroupRow]) -> list[str]:
    """Metrics that have a strip: what only stands beside a score does not."""
    return [name for name in metric_names(rows) if name not in OF_BASELINES]


def _strip(name: str, rows: Sequence[GroupRow]) -> dict[str, Any] | None:
    """Geometry of a metric's strip plot; ``None`` when no recording has it."""
    values = [(row, value) for row in rows if (value := row.metric(name)) is not None]
    if not values:
        return None
    definition = definition_of(name) or MetricDefinition(name, "", "Not defined by this version of bids_eeg2fmri.")
    ticks = _ticks([value for _, value in values])
    first, last = ticks[0], ticks[-1]

    def across(value: float) -> float:
        return round(_LEFT + (_RIGHT - _LEFT) * (value - first) / (last - first), 1)

    middle = median(value for _, value in values)
    heights = _swarm([across(value) for _, value in values])
    return {
        "name": name,
        "label": definition.label,
        "unit": definition.unit,
        "definition": definition.definition,
        "n": len(values),
        "median": f"{middle:.4g}",
        "median_x": across(middle),
        "ticks": [{"x": across(tick), "label": f"{tick:.6g}"} for tick in ticks],
        "points": [
            {"x": across(value), "y": height, "page": row.page, "stem": row.stem, "value": f"{value:.4g}"}
            for (row, value), height in zip(values, heights, strict=True)
        ],
    }


def _ticks(values: Sequence[float]) -> list[float]:
    low, high = min(values), max(values)
    if low == high:
        low, high = low - abs(low) * 0.1 - 0.01, high + abs(high) * 0.1 + 0.01
    return [float(tick) for tick in MaxNLocator(nbins=4, min_n_ticks=2).tick_values(low, high)]


def _swarm(positions: Sequence[float]) -> list[float]:
    """Heights that keep neighbours apart: points of one column stand above and below the middle in turn."""
    filled: Counter[int] = Counter()
    heights = []
    for x in positions:
        column = int(x // (2 * _RADIUS))
        heights.append(round(_MIDDLE + _OFFSETS[filled[column] % len(_OFFSETS)], 1))
        filled[column] += 1
    return heights
