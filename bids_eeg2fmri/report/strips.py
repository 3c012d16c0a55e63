"""Figures made of strips of slices; each is marked as synthetic."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..bold.grid import Grid
from .mosaic import Cut, draw_strip, hatch, map_strip, strip_aspect
from .run import RunReport
from .style import DPI, WIDTH_IN, mark_synthetic

_LEFT, _RIGHT, _BAR_LEFT, _BAR_WIDTH = 0.012, 0.918, 0.927, 0.01
_ABOVE_IN, _TITLE_IN, _LABELS_IN = 0.38, 0.24, 0.17


def strip_figure(rows: Sequence[tuple[Cut, ...]], below_in: float = 0.0) -> tuple[Figure, list[tuple[Axes, Axes]]]:
    """A figure of strips below each other, marked as synthetic.

    Parameters
    ----------
    rows
        The cuts of each strip, from top to bottom.
    below_in
        Room left below the strips, in inches.

    Returns
    -------
    tuple
        The figure, and for each strip its axes and the axes of its colour bar.
    """
    strips_in = [(_RIGHT - _LEFT) * WIDTH_IN * strip_aspect(cuts) for cuts in rows]
    height_in = _ABOVE_IN + sum(strips_in) + len(strips_in) * (_TITLE_IN + _LABELS_IN) + below_in
    figure = Figure(figsize=(WIDTH_IN, height_in), dpi=DPI)
    mark_synthetic(figure)
    placed = []
    top_in = height_in - _ABOVE_IN
    for strip_in in strips_in:
        bottom_in = top_in - _TITLE_IN - strip_in
        strip = (_LEFT, bottom_in / height_in, _RIGHT - _LEFT, strip_in / height_in)
        bar = (_BAR_LEFT, (bottom_in + 0.08 * strip_in) / height_in, _BAR_WIDTH, 0.8 * strip_in / height_in)
        placed.append((figure.add_axes(strip), figure.add_axes(bar)))
        top_in = bottom_in - _LABELS_IN
    return figure, placed


def draw_map(
    place: tuple[Axes, Axes],
    grid: Grid,
    values: Float[np.ndarray, " voxels"],
    cuts: tuple[Cut, ...],
    cmap: str,
    limits: tuple[float, float],
    unit: str,
) -> None:
    """Draw a map of brain voxels on a strip, with its colour bar.

    Parameters
    ----------
    place
        Axes of strip and colour bar, from :func:`strip_figure`.
    grid, values
        The map.
    cuts
        Where to cut.
    cmap, limits, unit
        Colour map, its limits, and the unit written on the bar.
    """
    axes, bar = place
    image = draw_strip(axes, map_strip(grid, values, cuts), cuts, cmap, limits)
    axes.figure.colorbar(image, cax=bar, extend="max").set_label(unit, fontsize=7.5)
    bar.tick_params(labelsize=7)


def hatch_unreliable(axes: Axes, run: RunReport, cuts: tuple[Cut, ...]) -> str:
    """Hatch what may not be interpreted; returns what to add to the title, nothing for a model that does not know."""
    if run.reliability is None:
        return ""
    hatch(axes, run.grid, ~run.reliability.interpretable, cuts)
    return "; hatched: not to be interpreted"
