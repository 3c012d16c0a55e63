"""How strongly electrodes are tied to each other, as attention weights state it."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch

from ..style import INK, SEQUENTIAL, new_figure, report_style, shortened, top_of_axes
from ..style import mark as mark_figure
from .head import draw_head, frame_head, places_on_head

_MOST_LABELS = 40


@report_style()
def plot_electrode_graph(
    weights: Float[np.ndarray, "electrodes electrodes"],
    positions_m: Float[np.ndarray, "electrodes 3"],
    names: Sequence[str],
    *,
    n_edges: int = 40,
    unit: str = "attention weight",
    title: str = "Strongest edges",
    mark: str | None = None,
) -> Figure:
    """The strongest edges between electrodes on the head, beside all weights as a matrix.

    Parameters
    ----------
    weights
        Weight with which the electrode of a row (the receiver) takes from that of a column (the sender). The
        diagonal, what an electrode takes from itself, is drawn in the matrix only.
    positions_m, names
        Positions in metres (right, anterior, superior) and names of the electrodes.
    n_edges
        How many of the strongest edges to draw; those of a symmetric matrix are drawn once and without arrows.
    unit, title
        What the weights are, and the heading of the head.
    mark
        Where the data come from, in the red box at the top.

    Returns
    -------
    Figure
        Head from above, nose at the top; an electrode is as large as the sum of the weights it sends to others.

    Raises
    ------
    ValueError
        The shapes do not fit, or there are fewer than four electrodes.
    """
    values = np.asarray(weights, float)
    if values.shape != (len(names), len(names)):
        raise ValueError(f"weights have shape {values.shape}, but there are {len(names)} electrodes")
    places = places_on_head(positions_m, names)
    figure = new_figure(5.0)
    mark_figure(figure, mark)
    grid = figure.add_gridspec(
        1, 2, left=0.01, right=0.9, top=top_of_axes(figure, 0.66 if mark else 0.34), bottom=0.1, wspace=0.14
    )
    others = values - np.diag(np.diag(values))
    off_diagonal = others[~np.eye(len(values), dtype=bool)]
    norm = Normalize(float(off_diagonal.min()), max(float(off_diagonal.max()), float(off_diagonal.min()) + 1e-12))
    axes = figure.add_subplot(grid[0])
    _draw_edges(axes, others, places, n_edges, norm)
    _draw_electrodes(axes, others.sum(axis=0), places, names)
    axes.set_title(title, loc="center")
    matrix = figure.add_subplot(grid[1])
    image = matrix.imshow(values, cmap=_dark_is_strong(), norm=norm, interpolation="nearest")
    ticks = range(0, len(names), -(-len(names) // _MOST_LABELS))
    labels = [shortened(names[tick], 6) for tick in ticks]
    matrix.set_xticks(ticks, labels, rotation=90, fontsize=6)
    matrix.set_yticks(ticks, labels, fontsize=6)
    matrix.set_xlabel("Sender")
    matrix.set_ylabel("Receiver")
    matrix.set_title("All weights")
    bar = figure.colorbar(image, cax=figure.add_axes((0.915, 0.2, 0.012, 0.5)), extend="both")
    bar.set_label(unit)
    return figure


def strongest_edges(
    weights: Float[np.ndarray, "electrodes electrodes"], n_edges: int
) -> tuple[tuple[int, int, float], ...]:
    """Receiver, sender and weight of the strongest edges between different electrodes, the weakest of them first."""
    values = np.asarray(weights, float)
    wanted = ~np.eye(len(values), dtype=bool)
    if np.allclose(values, values.T):
        wanted = np.triu(wanted)
    receivers, senders = np.nonzero(wanted)
    order = np.argsort(values[receivers, senders], kind="stable")[-n_edges:]
    return tuple((int(receivers[k]), int(senders[k]), float(values[receivers[k], senders[k]])) for k in order)


def _dark_is_strong() -> LinearSegmentedColormap:
    """The sequential colours from light to dark, without the lightest: lines must be seen on white."""
    colours = mpl.colormaps[SEQUENTIAL](np.linspace(0.97, 0.0, 256))
    return LinearSegmentedColormap.from_list("dark_is_strong", colours)


def _draw_edges(
    axes: Axes, weights: np.ndarray, places: Float[np.ndarray, "electrodes 2"], n_edges: int, norm: Normalize
) -> None:
    colours = _dark_is_strong()
    style = "-" if np.allclose(weights, weights.T) else "-|>"
    for receiver, sender, weight in strongest_edges(weights, n_edges):
        strength = float(norm(weight))
        axes.add_patch(
            FancyArrowPatch(
                tuple(places[sender]), tuple(places[receiver]), arrowstyle=style, mutation_scale=8, shrinkA=5,
                shrinkB=5, connectionstyle="arc3,rad=0.12", color=colours(strength), linewidth=0.6 + 2.2 * strength,
            )
        )  # fmt: skip


def _draw_electrodes(
    axes: Axes, sent: np.ndarray, places: Float[np.ndarray, "electrodes 2"], names: Sequence[str]
) -> None:
    spread = float(np.ptp(sent)) or 1.0
    axes.scatter(
        places[:, 0], places[:, 1], s=14 + 90 * (sent - sent.min()) / spread, facecolor="white", edgecolor=INK,
        linewidth=0.8, zorder=3,
    )  # fmt: skip
    size = 5 if len(names) > 40 else 6.5
    for name, (x, y) in zip(names, places, strict=True):
        axes.text(x, y - 0.065, shortened(name, 6), ha="center", va="top", fontsize=size, zorder=4)
    draw_head(axes)
    frame_head(axes)
