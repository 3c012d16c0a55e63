"""Uncertainties beside each other, and against the errors that they should foretell."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..mosaic import robust_limits
from ..style import (
    BLUE,
    DIVERGING,
    FAINT,
    INK,
    MUTED,
    ORANGE,
    SEQUENTIAL,
    new_figure,
    report_style,
    top_of_axes,
)
from ..style import (
    mark as mark_figure,
)
from .rows import SliceRow, rows_figure
from .slices import Volume, axial_slices, values_of

_MOST_GROUPS = 20
_LEAST_PER_GROUP = 20
_MOST_POINTS = 4000
# Of a normal distribution, within 1 and 2 standard deviations.
_NORMAL_PERCENT = {1: 68.27, 2: 95.45}


@report_style()
def plot_uncertainties(
    uncertainties: Mapping[str, Volume],
    *,
    prediction: Volume | None = None,
    truth: Volume | None = None,
    mask: Volume | None = None,
    unit: str = "z",
    n_slices: int = 10,
    mark: str | None = None,
) -> Figure:
    """Axial slices of several uncertainties with one colour scale, below the prediction that they belong to.

    Parameters
    ----------
    uncertainties
        Standard deviations by name (``"Aleatoric"``, ``"Epistemic"``, ...), on one grid and in one unit.
    prediction, truth
        What they are the uncertainty of, and what was measured.
    mask
        Which voxels to show; ``None``: those where the first uncertainty is finite and not zero.
    unit
        Unit of all volumes.
    n_slices
        How many slices.
    mark
        Where the data come from, in the red box at the top.

    Raises
    ------
    ValueError
        There is no uncertainty, volumes differ in shape, or nothing is to be shown.
    """
    if not uncertainties:
        raise ValueError("no uncertainty was given")
    slices = axial_slices(next(iter(uncertainties.values())), mask, n_slices)
    spreads = {name: values_of(volume) for name, volume in uncertainties.items()}
    signals = {
        name: values_of(volume) for name, volume in (("Truth", truth), ("Prediction", prediction)) if volume is not None
    }
    for name, values in (signals | spreads).items():
        if values.shape != slices.mask.shape:
            raise ValueError(f"{name}: shape {values.shape}, where {slices.mask.shape} is expected")
    rows = []
    if signals:
        reach = max(max(map(abs, robust_limits(values[slices.mask]))) for values in signals.values())
        rows = [SliceRow(name, values, DIVERGING, (-reach, reach), unit, "both") for name, values in signals.items()]
    top = max(robust_limits(values[slices.mask])[1] for values in spreads.values())
    rows += [
        SliceRow(f"{name} standard deviation", values, SEQUENTIAL, (0.0, top), unit, "max")
        for name, values in spreads.items()
    ]
    return rows_figure(slices, rows, mark)


@report_style()
def plot_uncertainty_against_error(
    sd: Float[np.ndarray, " values"],
    error: Float[np.ndarray, " values"],
    *,
    unit: str = "z",
    mark: str | None = None,
) -> Figure:
    """Whether a stated standard deviation foretells the error.

    Parameters
    ----------
    sd
        Predictive standard deviation of every value.
    error
        Truth less prediction of the same values; any shape, finite values count.
    unit
        Unit of both.
    mark
        Where the data come from, in the red box at the top.

    Returns
    -------
    Figure
        Left: root mean square error in groups of equal size ordered by standard deviation; on the diagonal the
        uncertainty is right. Right: distribution of the error in standard deviations, beside the normal one.

    Raises
    ------
    ValueError
        The shapes differ, or fewer than 20 values are finite with a positive standard deviation.
    """
    if np.shape(sd) != np.shape(error):
        raise ValueError(f"the standard deviations have shape {np.shape(sd)}, the errors {np.shape(error)}")
    pairs = usable_pairs(sd, error)
    if pairs is None:
        raise ValueError(f"fewer than {_LEAST_PER_GROUP} values are finite with a positive standard deviation")
    spread, residual = pairs
    figure = new_figure(4.0)
    mark_figure(figure, mark)
    top = top_of_axes(figure, 0.62 if mark else 0.3)
    places = figure.add_gridspec(1, 2, left=0.065, right=0.985, top=top, bottom=0.14, wspace=0.18)
    _draw_groups(figure.add_subplot(places[0]), spread, residual, unit)
    _draw_standardised(figure.add_subplot(places[1]), residual / spread)
    return figure


def usable_pairs(
    sd: Float[np.ndarray, "..."], error: Float[np.ndarray, "..."]
) -> tuple[Float[np.ndarray, " values"], Float[np.ndarray, " values"]] | None:
    """Finite errors and their positive standard deviations; ``None`` when there are too few to be grouped."""
    spread, residual = np.ravel(sd).astype(float), np.ravel(error).astype(float)
    kept = np.isfinite(spread) & np.isfinite(residual) & (spread > 0)
    return (spread[kept], residual[kept]) if kept.sum() >= _LEAST_PER_GROUP else None


def _draw_groups(axes: Axes, sd: np.ndarray, error: np.ndarray, unit: str) -> None:
    n_groups = int(np.clip(len(sd) // _LEAST_PER_GROUP, 1, _MOST_GROUPS))
    groups = np.array_split(np.argsort(sd, kind="stable"), n_groups)
    stated = np.array([np.sqrt(np.mean(sd[group] ** 2)) for group in groups])
    found = np.array([np.sqrt(np.mean(error[group] ** 2)) for group in groups])
    every = max(len(sd) // _MOST_POINTS, 1)
    axes.scatter(sd[::every], np.abs(error[::every]), s=4, color=FAINT, linewidth=0, rasterized=True)
    top = 1.25 * float(max(stated.max(), found.max(), np.percentile(sd, 99)))
    axes.plot([0, top], [0, top], color=MUTED, linestyle="--", linewidth=1, label="uncertainty is right")
    axes.plot(stated, found, "o-", color=BLUE, markersize=4, label="root mean square of a group")
    axes.scatter([], [], s=14, color=FAINT, label="single values, |error|")
    axes.set(xlim=(0, top), ylim=(0, top))
    axes.set_xlabel(f"Stated standard deviation ({unit})")
    axes.set_ylabel(f"Error ({unit})")
    axes.legend(loc="upper left")
    axes.set_title(f"Error by uncertainty, {n_groups} groups; above the line: too sure")


def _draw_standardised(axes: Axes, ratio: np.ndarray) -> None:
    bins = np.linspace(-4, 4, 49)
    axes.hist(
        np.clip(ratio, -4, 4), bins=bins.tolist(), density=True, color=BLUE, alpha=0.45, linewidth=0, label="errors"
    )
    axes.plot(bins, np.exp(-(bins**2) / 2) / np.sqrt(2 * np.pi), color=INK, linewidth=1.3, label="normal")
    for side in (-1, 1):
        axes.axvline(side, color=ORANGE, linestyle=":", linewidth=1)
    found = [f"{100 * np.mean(np.abs(ratio) < width):.0f}" for width in _NORMAL_PERCENT]
    normal = [f"{percent:.0f}" for percent in _NORMAL_PERCENT.values()]
    axes.set_xlabel("Error in stated standard deviations")
    axes.set_ylabel("Density")
    axes.legend(loc="upper right")
    axes.set_title(f"Within 1 and 2 sd: {' and '.join(found)} % (normal: {' and '.join(normal)} %)")
