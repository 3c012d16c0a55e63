"""Figures of the documents: the same bytes for the same numbers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

_STYLE = {
    "svg.hashsalt": "bids-eeg2fmri",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
}


def new_figure(
    width_in: float, height_in: float, *, rows: int = 1, columns: int = 1, heights: Sequence[float] | None = None
) -> tuple[Figure, Any]:
    """A figure with its axes, of a size in inches."""
    import matplotlib as mpl

    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(width_in, height_in), layout="constrained")
        return figure, figure.subplots(rows, columns, height_ratios=heights)


def figure_file(figure: Figure, path: Path, title: str) -> None:
    """Write a figure as SVG, with what it shows as its title for those who cannot see it."""
    import matplotlib as mpl

    path.parent.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context(_STYLE):
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None, "Title": title})
