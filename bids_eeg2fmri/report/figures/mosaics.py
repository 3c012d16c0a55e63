"""Slices of one volume, and of a prediction beside the truth."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from ..mosaic import robust_limits
from ..style import DIVERGING, SEQUENTIAL, report_style
from .rows import SliceRow, rows_figure
from .slices import Volume, axial_slices, values_of

_LEAST_P = 1e-4
_P_TICKS = (0.05, 0.01, 0.001, 0.0001)


@report_style()
def plot_volume(
    volume: Volume,
    *,
    mask: Volume | None = None,
    title: str = "",
    unit: str = "",
    diverging: bool = False,
    limits: tuple[float, float] | None = None,
    n_slices: int = 10,
    mark: str | None = None,
) -> Figure:
    """Axial slices of a volume.

    Parameters
    ----------
    volume
        An image, or an array whose axes point right, forward and up.
    mask
        Which voxels to show; ``None``: those that are finite and not zero.
    title, unit
        What the volume is, and the unit of its values.
    diverging
        Whether zero is the middle of the values, as for correlations.
    limits
        Lowest and highest colour, in ``unit``; ``None``: from the values, without the outermost 2 %.
    n_slices
        How many slices, spread evenly over the mask.
    mark
        Where the data come from, in the red box at the top.

    Returns
    -------
    Figure
        Left is left; slices are named by millimetres, or by their index for an array.

    Raises
    ------
    ValueError
        The volume is not three-dimensional or holds nothing to show.
    """
    slices = axial_slices(volume, mask, n_slices)
    values = values_of(volume)
    shown = limits or _limits(values[slices.mask], diverging)
    cmap = DIVERGING if diverging else SEQUENTIAL
    return rows_figure(slices, [SliceRow(title, values, cmap, shown, unit, "both")], mark)


@report_style()
def plot_comparison(
    truth: Volume,
    prediction: Volume,
    *,
    p_value: Volume | None = None,
    mask: Volume | None = None,
    unit: str = "z",
    n_slices: int = 10,
    mark: str | None = None,
) -> Figure:
    """Axial slices of a truth, a prediction and the residual, and of p-values where there are any.

    Parameters
    ----------
    truth, prediction
        Volumes on one grid, in one unit. Both are drawn with the same colours, those of the truth.
    p_value
        Probability (0-1) of each voxel's difference by chance.
    mask
        Which voxels to show; ``None``: those where the truth is finite and not zero.
    unit
        Unit of truth and prediction.
    n_slices
        How many slices.
    mark
        Where the data come from, in the red box at the top.

    Returns
    -------
    Figure
        The residual is the truth less the prediction. Small p-values are bright, on a logarithmic scale from 1 to
        0.0001; in a map of many voxels some are small by chance.

    Raises
    ------
    ValueError
        The volumes differ in shape, or nothing is to be shown.
    """
    slices = axial_slices(truth, mask, n_slices)
    measured, predicted = values_of(truth), values_of(prediction)
    if predicted.shape != measured.shape:
        raise ValueError(f"the prediction has shape {predicted.shape}, the truth {measured.shape}")
    signed = bool((measured[slices.mask] < 0).any())
    limits = _limits(measured[slices.mask], signed)
    cmap = DIVERGING if signed else SEQUENTIAL
    residual = measured - predicted
    rows = [
        SliceRow("Truth", measured, cmap, limits, unit, "both"),
        SliceRow("Prediction, same colours", predicted, cmap, limits, unit, "both"),
        SliceRow(
            "Residual: truth less prediction", residual, DIVERGING, _limits(residual[slices.mask], True), unit, "both"
        ),
    ]
    if p_value is not None:
        evidence = -np.log10(np.clip(values_of(p_value), _LEAST_P, 1))
        ticks = ((0.0, "1"), *((-float(np.log10(p)), f"{p:g}") for p in _P_TICKS))
        limits = (0.0, -float(np.log10(_LEAST_P)))
        rows.append(SliceRow("p-value, not corrected for the number of voxels", evidence, SEQUENTIAL, limits, "p",
                             ticks=ticks))  # fmt: skip
    return rows_figure(slices, rows, mark)


def _limits(values: np.ndarray, diverging: bool) -> tuple[float, float]:
    low, high = robust_limits(values)
    if diverging:
        reach = max(abs(low), abs(high))
        return -reach, reach
    return low, high
