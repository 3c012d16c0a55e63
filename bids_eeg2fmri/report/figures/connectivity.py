"""Correlations between parcels, ordered by network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from ...bold.atlas import NETWORKS
from ..style import DIVERGING_ON_WHITE, INK, new_figure, report_style, top_of_axes
from ..style import mark as mark_figure

_SHORT = {
    "Vis": "Vis", "SomMot": "Mot", "DorsAttn": "DAN", "SalVentAttn": "VAN", "Limbic": "Lim", "Cont": "Cont",
    "Default": "DMN", "Subcortical": "Sub",
}  # fmt: skip


@report_style()
def plot_connectivity(
    matrices: Mapping[str, Float[np.ndarray, "parcels parcels"]],
    networks: Sequence[str],
    *,
    difference: bool = True,
    unit: str = "r",
    mark: str | None = None,
) -> Figure:
    """Matrices of functional connectivity beside each other, parcels ordered by network.

    Parameters
    ----------
    matrices
        Name and correlations of one or several matrices, all drawn with the same colours.
    networks
        The network of every parcel, as :attr:`bids_eeg2fmri.bold.atlas.Atlas.networks` names it.
    difference
        Whether to draw the first matrix less the second, where there are two.
    unit
        Unit of the entries.
    mark
        Where the data come from, in the red box at the top.

    Raises
    ------
    ValueError
        There is no matrix, or one has another shape than parcels x parcels.
    """
    if not matrices or any(np.shape(values) != (len(networks), len(networks)) for values in matrices.values()):
        shapes = {name: np.shape(values) for name, values in matrices.items()}
        raise ValueError(f"{len(networks)} parcels, matrices of shape {shapes}")
    shown = {name: np.asarray(values, float) for name, values in matrices.items()}
    if difference and len(shown) == 2:
        (first, one), (second, other) = shown.items()
        shown[f"{first} less {second[0].lower()}{second[1:]}"] = one - other
    order, borders, middles, names = network_order(networks)
    figure = new_figure(4.35)
    mark_figure(figure, mark)
    columns = max(len(shown), 3)
    top = top_of_axes(figure, 0.62 if mark else 0.3)
    grid = figure.add_gridspec(1, columns, left=0.045, right=0.93, top=top, bottom=0.09, wspace=0.13)
    for column, (name, values) in enumerate(shown.items()):
        axes = figure.add_subplot(grid[column])
        image = _draw_matrix(axes, values[np.ix_(order, order)], borders, middles, names)
        axes.set_title(name)
    bar = figure.colorbar(image, cax=figure.add_axes((0.945, 0.22, 0.011, 0.46)), extend="both")
    bar.set_label(unit)
    return figure


def network_order(networks: Sequence[str]) -> tuple[list[int], list[float], list[float], list[str]]:
    """Parcels ordered by network, the borders between networks, and the middle and name of each."""
    order: list[int] = []
    borders, middles, names = [], [], []
    for network in NETWORKS:
        members = [index for index, name in enumerate(networks) if name == network]
        if members:
            middles.append(len(order) + len(members) / 2 - 0.5)
            names.append(_SHORT[network])
            order.extend(members)
            borders.append(len(order) - 0.5)
    return order, borders[:-1], middles, names


def _draw_matrix(
    axes: Axes, values: np.ndarray, borders: Sequence[float], middles: Sequence[float], names: Sequence[str]
) -> AxesImage:
    image = axes.imshow(values, cmap=DIVERGING_ON_WHITE, vmin=-1, vmax=1, interpolation="none")
    ends = (-0.5, len(values) - 0.5)
    across = [[(end, border) for end in ends] for border in borders]
    down = [[(border, end) for end in ends] for border in borders]
    axes.add_collection(LineCollection([*across, *down], colors=INK, linewidths=0.4), autolim=False)
    axes.set_xticks(middles, names, fontsize=6.5)
    axes.set_yticks(middles, names, fontsize=6.5)
    axes.tick_params(length=0)
    return image
