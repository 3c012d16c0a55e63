"""Rows of slices below each other, each with its colour bar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from ..style import DPI, WIDTH_IN, mark
from .slices import AxialSlices

_LEFT, _RIGHT, _BAR_LEFT, _BAR_WIDTH = 0.012, 0.918, 0.927, 0.01
_TITLE_IN, _LABELS_IN, _MARK_IN, _EDGE_IN = 0.24, 0.19, 0.36, 0.06


@dataclass(frozen=True)
class SliceRow:
    """One volume in a figure of rows.

    Attributes
    ----------
    title
        What it shows.
    values
        Its numbers, right-anterior-superior.
    cmap, limits
        Colour map and its limits.
    unit
        Written on the colour bar.
    extend
        Which ends of the colour bar have values beyond them, as matplotlib names them.
    ticks
        Ticks of the colour bar and their labels, where numbers alone do not tell.
    """

    title: str
    values: Float[np.ndarray, "x y z"]
    cmap: str
    limits: tuple[float, float]
    unit: str
    extend: str = "neither"
    ticks: tuple[tuple[float, str], ...] = ()


def rows_figure(slices: AxialSlices, rows: Sequence[SliceRow], marked: str | None) -> Figure:
    """A figure with a row of slices for every volume.

    Raises
    ------
    ValueError
        A volume has another shape than the slices' grid.
    """
    for row in rows:
        if row.values.shape != slices.mask.shape:
            raise ValueError(f"{row.title}: shape {row.values.shape}, where {slices.mask.shape} is expected")
    row_in = (_RIGHT - _LEFT) * WIDTH_IN * slices.aspect
    above_in = _MARK_IN if marked else _EDGE_IN
    height_in = above_in + len(rows) * (row_in + _TITLE_IN + _LABELS_IN)
    figure = Figure(figsize=(WIDTH_IN, height_in), dpi=DPI)
    mark(figure, marked)
    top_in = height_in - above_in
    for row in rows:
        bottom_in = top_in - _TITLE_IN - row_in
        axes = figure.add_axes((_LEFT, bottom_in / height_in, _RIGHT - _LEFT, row_in / height_in))
        image = slices.draw(axes, row.values, row.cmap, row.limits)
        axes.set_title(row.title)
        place = (_BAR_LEFT, (bottom_in + 0.08 * row_in) / height_in, _BAR_WIDTH, 0.8 * row_in / height_in)
        bar = figure.colorbar(image, cax=figure.add_axes(place), extend=row.extend)
        bar.set_label(row.unit, fontsize=7.5)
        bar.ax.tick_params(labelsize=7)
        if row.ticks:
            bar.set_ticks([tick for tick, _ in row.ticks], labels=[label for _, label in row.ticks])
        top_in = bottom_in - _LABELS_IN
    return figure
