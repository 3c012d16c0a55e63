"""Whether the predictive intervals hold as much of the scanner's BOLD as they say."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from ..comparison import Comparison
from ..panel import Drawing
from ..run import RunReport
from ..style import BLUE, FAINT, INK, MUTED, mark_synthetic, new_figure, top_of_axes
from ..timeaxis import name_row


def draw_calibration(run: RunReport) -> Drawing:
    """Draw stated against actual coverage, and the difference."""
    comparison = run.comparison
    if comparison is None:
        raise ValueError("the recording was not compared with a scanner's BOLD")
    figure = new_figure(3.4)
    mark_synthetic(figure)
    places = figure.add_gridspec(
        1, 2, left=0.07, right=0.98, top=top_of_axes(figure, 0.62), bottom=0.15, width_ratios=(1, 2), wspace=0.16
    )
    _draw_curve(figure.add_subplot(places[0]), comparison)
    _draw_differences(figure.add_subplot(places[1]), comparison)
    pairs = (f"{100 * part:.1f} % for {100 * stated:g} %" for stated, part in _pairs(comparison))
    return Drawing(
        figure,
        f"Synthetic against the {comparison.scanner}: share of the scanner's values inside the predictive "
        f"intervals: {', '.join(pairs)}.",
    )


def _pairs(comparison: Comparison) -> list[tuple[float, float]]:
    return list(zip(comparison.nominal, comparison.covered, strict=True))


def _draw_curve(axes: Axes, comparison: Comparison) -> None:
    axes.plot([0, 100], [0, 100], color=MUTED, linewidth=0.8, linestyle="--")
    axes.plot(100 * np.array(comparison.nominal), 100 * np.array(comparison.covered), "o-", color=BLUE, markersize=4)
    axes.set_xlim(0, 100)
    axes.set_ylim(0, 100)
    axes.set_aspect("equal")
    axes.grid(color=FAINT, linewidth=0.5)
    axes.set_xlabel("Stated (%)")
    axes.set_ylabel("Actual (%)")
    name_row(axes, "Coverage of the intervals")


def _draw_differences(axes: Axes, comparison: Comparison) -> None:
    pairs = _pairs(comparison)
    differences = [100 * (part - stated) for stated, part in pairs]
    bars = axes.barh(range(len(pairs)), differences, color=BLUE, height=0.55)
    axes.bar_label(bars, [f"{100 * part:.1f} %" for _, part in pairs], padding=4, color=INK)
    axes.axvline(0, color=MUTED, linewidth=0.8)
    axes.set_yticks(range(len(pairs)), [f"{100 * stated:g} %" for stated, _ in pairs])
    reach = max(*np.abs(differences), 5.0) * 1.25
    axes.set_xlim(-reach, reach)
    axes.set_ylabel("Interval")
    axes.set_xlabel("Actual minus stated (percentage points): left too narrow, right too wide")
    name_row(axes, "Difference, and actual coverage")
