"""What of the EEG mattered for a prediction: by electrode, frequency and time before the volume."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..style import (
    BLUE,
    DIVERGING_ON_WHITE,
    FAINT,
    GREEN,
    INK,
    MUTED,
    ORANGE,
    PURPLE,
    SAND,
    new_figure,
    report_style,
    shortened,
    top_of_axes,
)
from ..style import (
    mark as mark_figure,
)
from .head import places_on_head
from .topography import draw_topography

_LINES = ((BLUE, "-"), (ORANGE, "--"), (GREEN, "-."), (PURPLE, ":"), (SAND, "-"), (INK, "--"), (MUTED, "-."))
_MOST_LABELS = 40


@dataclass(frozen=True)
class Dimension:
    """One dimension of relevance.

    Attributes
    ----------
    name, unit
        ``"Frequency"`` and ``"Hz"``, for example; the unit may be empty.
    values
        Either a name for every entry (electrodes, bands), or its coordinate (Hz, seconds).
    """

    name: str
    unit: str
    values: tuple[str, ...] | Float[np.ndarray, " entries"]

    @property
    def named(self) -> bool:
        """Whether entries have names and no coordinates."""
        return isinstance(self.values, tuple)

    @property
    def label(self) -> str:
        """What stands at the axis."""
        return f"{self.name} ({self.unit})" if self.unit else self.name


@report_style()
def plot_relevance_dimension(
    relevance: Float[np.ndarray, " entries"],
    dimension: Dimension,
    *,
    sd: Float[np.ndarray, " entries"] | None = None,
    unit: str = "relevance",
    title: str = "",
    mark: str | None = None,
) -> Figure:
    """Relevance along one dimension: bars for entries with names, a line for coordinates.

    Parameters
    ----------
    relevance
        Relevance of every entry; positive speaks for a higher prediction.
    dimension
        What the entries are.
    sd
        Spread of the relevance, over people or runs.
    unit, title
        Unit of the relevance, and the figure's heading.
    mark
        Where the data come from, in the red box at the top.

    Raises
    ------
    ValueError
        Relevance and dimension differ in length.
    """
    values = np.asarray(relevance, float)
    _check_lengths(values, (dimension,))
    figure = new_figure(3.0)
    mark_figure(figure, mark)
    axes = figure.add_axes((0.075, 0.2, 0.91, top_of_axes(figure, 0.62 if mark else 0.3) - 0.2))
    axes.axhline(0, color=MUTED, linewidth=0.7)
    if dimension.named:
        places = np.arange(len(values))
        axes.bar(places, values, yerr=sd, color=np.where(values < 0, BLUE, ORANGE), ecolor=INK, width=0.75)
        _name_ticks(axes, dimension, vertical=False)
        axes.set_xlim(-0.7, len(values) - 0.3)
    else:
        places = np.asarray(dimension.values, float)
        axes.plot(places, values, "o-", color=ORANGE, markersize=3)
        if sd is not None:
            axes.fill_between(places, values - sd, values + sd, color=ORANGE, alpha=0.2, linewidth=0)
    axes.set_xlabel(dimension.label)
    axes.set_ylabel(unit[0].upper() + unit[1:])
    axes.grid(axis="y", color=FAINT, linewidth=0.5)
    axes.set_title(title)
    return figure


@report_style()
def plot_relevance_pair(
    relevance: Float[np.ndarray, "rows columns"],
    rows: Dimension,
    columns: Dimension,
    *,
    unit: str = "relevance",
    title: str = "",
    mark: str | None = None,
) -> Figure:
    """Relevance over two dimensions, with the sums over each of them at the sides.

    Parameters
    ----------
    relevance
        Relevance of every pair.
    rows, columns
        What the rows and columns are.
    unit, title
        Unit of the relevance, and the figure's heading.
    mark
        Where the data come from, in the red box at the top.

    Raises
    ------
    ValueError
        The shape does not fit the dimensions.
    """
    values = np.asarray(relevance, float)
    _check_lengths(values, (rows, columns))
    figure = new_figure(float(np.clip(1.9 + 0.11 * len(values), 3.2, 7.5)))
    mark_figure(figure, mark)
    places = figure.add_gridspec(
        2, 3, left=0.1, right=0.94, top=top_of_axes(figure, 0.62 if mark else 0.3),
        bottom=0.55 / figure.get_figheight(), width_ratios=(10, 1.6, 0.18), height_ratios=(1, 4), wspace=0.06,
        hspace=0.08,
    )  # fmt: skip
    middle = figure.add_subplot(places[1, 0])
    image = middle.pcolormesh(
        _edges(columns), _edges(rows), values, cmap=DIVERGING_ON_WHITE, vmin=-_reach(values), vmax=_reach(values),
        rasterized=True,
    )  # fmt: skip
    middle.set_ylim(middle.get_ylim()[::-1])
    middle.set_xlabel(columns.label)
    middle.set_ylabel(rows.label)
    for dimension, vertical in ((columns, False), (rows, True)):
        if dimension.named:
            _name_ticks(middle, dimension, vertical=vertical)
    above, beside = figure.add_subplot(places[0, 0], sharex=middle), figure.add_subplot(places[1, 1], sharey=middle)
    above.plot(_middles(columns), values.sum(0), color=INK)
    beside.plot(values.sum(1), _middles(rows), color=INK)
    above.axhline(0, color=MUTED, linewidth=0.7)
    beside.axvline(0, color=MUTED, linewidth=0.7)
    above.tick_params(labelbottom=False, labelsize=7)
    beside.tick_params(labelleft=False, labelsize=7)
    above.set_ylabel("Sum")
    beside.set_xlabel("Sum")
    above.set_title(title)
    bar = figure.colorbar(image, cax=figure.add_subplot(places[1, 2]))
    bar.set_label(unit)
    return figure


@report_style()
def plot_relevance_topography(
    relevance: Float[np.ndarray, "electrodes bands"],
    positions_m: Float[np.ndarray, "electrodes 3"],
    names: Sequence[str],
    bands: Sequence[str],
    *,
    unit: str = "relevance",
    mark: str | None = None,
) -> Figure:
    """Relevance on the head, a head per band, all with the same colours.

    Parameters
    ----------
    relevance
        Relevance of every electrode in every band.
    positions_m, names
        Positions in metres (right, anterior, superior) and names of the electrodes.
    bands
        Names of the bands, such as ``"8-13 Hz"``.
    unit
        Unit of the relevance.
    mark
        Where the data come from, in the red box at the top.

    Returns
    -------
    Figure
        Heads from above, nose at the top. Between electrodes the map is a thin-plate spline; nothing is known there.

    Raises
    ------
    ValueError
        The shapes do not fit, or there are fewer than four electrodes.
    """
    values = np.asarray(relevance, float)
    _check_lengths(values, (Dimension("Electrode", "", tuple(names)), Dimension("Band", "", tuple(bands))))
    places = places_on_head(positions_m, names)
    n_columns = min(len(bands), 6)
    n_rows = -(-len(bands) // n_columns)
    above_in = 0.68 if mark else 0.34
    figure = new_figure(above_in + 2.0 * n_rows)
    mark_figure(figure, mark)
    top = top_of_axes(figure, above_in)
    grid = figure.add_gridspec(n_rows, n_columns, left=0.01, right=0.91, top=top, bottom=0.02, wspace=0.04, hspace=0.14)
    reach = _reach(values)
    for index, band in enumerate(bands):
        axes = figure.add_subplot(grid[index])
        image = draw_topography(axes, values[:, index], places, reach)
        axes.set_title(band, loc="center", fontsize=8.5)
    bar = figure.colorbar(image, cax=figure.add_axes((0.925, 0.2 * top, 0.011, 0.6 * top)))
    bar.set_label(unit)
    return figure


@report_style()
def plot_lag_curve(
    relevance: Float[np.ndarray, "curves lags"],
    lags_s: Float[np.ndarray, " lags"],
    names: Sequence[str],
    *,
    sd: Float[np.ndarray, "curves lags"] | None = None,
    unit: str = "relevance",
    title: str = "",
    mark: str | None = None,
) -> Figure:
    """Relevance by how long before the volume the EEG was, a curve per band or region.

    Parameters
    ----------
    relevance
        One row per curve.
    lags_s
        Seconds before the volume, positive.
    names
        Names of the curves.
    sd
        Spread of every curve.
    unit, title
        Unit of the relevance, and the figure's heading.
    mark
        Where the data come from, in the red box at the top.

    Raises
    ------
    ValueError
        The shapes do not fit.
    """
    values = np.atleast_2d(np.asarray(relevance, float))
    lags = np.asarray(lags_s, float)
    _check_lengths(values, (Dimension("Curve", "", tuple(names)), Dimension("Lag", "s", lags)))
    figure = new_figure(3.4)
    mark_figure(figure, mark)
    axes = figure.add_axes((0.075, 0.15, 0.75, top_of_axes(figure, 0.62 if mark else 0.3) - 0.15))
    axes.axhline(0, color=MUTED, linewidth=0.7)
    for index, (name, curve) in enumerate(zip(names, values, strict=True)):
        colour, style = _LINES[index % len(_LINES)]
        axes.plot(lags, curve, color=colour, linestyle=style, linewidth=1.6, label=shortened(name, 24))
        if sd is not None:
            spread = np.atleast_2d(sd)[index]
            axes.fill_between(lags, curve - spread, curve + spread, color=colour, alpha=0.15, linewidth=0)
    axes.set_xlim(lags.max(), lags.min())
    axes.set_xlabel("Time before the volume (s)")
    axes.set_ylabel(unit[0].upper() + unit[1:])
    axes.grid(color=FAINT, linewidth=0.5)
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.02))
    axes.set_title(title)
    return figure


def _check_lengths(values: np.ndarray, dimensions: Sequence[Dimension]) -> None:
    expected = tuple(len(dimension.values) for dimension in dimensions)
    if values.shape != expected:
        named = " x ".join(dimension.name.lower() for dimension in dimensions)
        raise ValueError(f"relevance has shape {values.shape}, but {named} is {expected}")


def _reach(values: np.ndarray) -> float:
    """The limit of colours around zero."""
    finite = np.abs(values[np.isfinite(values)])
    return float(finite.max()) if finite.size and finite.max() > 0 else 1.0


def _middles(dimension: Dimension) -> np.ndarray:
    return np.arange(len(dimension.values)) if dimension.named else np.asarray(dimension.values, float)


def _edges(dimension: Dimension) -> np.ndarray:
    """Borders between entries, half-way from each to the next."""
    middles = _middles(dimension).astype(float)
    if len(middles) == 1:
        return np.array([middles[0] - 0.5, middles[0] + 0.5])
    between = (middles[1:] + middles[:-1]) / 2
    return np.concatenate([[2 * middles[0] - between[0]], between, [2 * middles[-1] - between[-1]]])


def _name_ticks(axes: Axes, dimension: Dimension, *, vertical: bool) -> None:
    every = -(-len(dimension.values) // _MOST_LABELS)
    places = np.arange(0, len(dimension.values), every)
    labels = [shortened(str(dimension.values[place]), 14) for place in places]
    if vertical:
        axes.set_yticks(places, labels, fontsize=7)
    else:
        crowded = len(places) > 12
        axes.set_xticks(places, labels, fontsize=7 if crowded else 8, rotation=60 if crowded else 0)
