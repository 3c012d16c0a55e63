"""How alike people are, pair by pair."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from ..style import BLUE, FAINT, MUTED, ORANGE, SEQUENTIAL, new_figure, report_style, shortened, top_of_axes
from ..style import mark as mark_figure

_MOST_LABELS = 40


@report_style()
def plot_similarity(
    similarity: Float[np.ndarray, "people people"],
    names: Sequence[str],
    *,
    collapsed: float | None = None,
    unit: str = "similarity (r)",
    mark: str | None = None,
) -> Figure:
    """A matrix of similarities between people, and the distribution of its pairs.

    Parameters
    ----------
    similarity
        Similarity (-1 to 1) of every pair; the diagonal does not count.
    names
        Names of the people.
    collapsed
        The mean from which on people are too alike to be told apart, drawn as a line.
    unit
        What the similarity is.
    mark
        Where the data come from, in the red box at the top.

    Raises
    ------
    ValueError
        The shape does not fit the names, or there are fewer than two people.
    """
    values = np.asarray(similarity, float)
    if len(names) < 2 or values.shape != (len(names), len(names)):
        raise ValueError(f"similarities have shape {values.shape}, names: {len(names)}; at least two are needed")
    figure = new_figure(4.4)
    mark_figure(figure, mark)
    top = top_of_axes(figure, 0.66 if mark else 0.34)
    grid = figure.add_gridspec(1, 2, left=0.08, right=0.98, top=top, bottom=0.16, wspace=0.3)
    pairs = values[np.triu_indices(len(values), 1)]
    pairs = pairs[np.isfinite(pairs)]
    matrix = figure.add_subplot(grid[0])
    low = min(float(pairs.min()), 0.0) if len(pairs) else 0.0
    shown = np.where(np.eye(len(values), dtype=bool), np.nan, values)
    image = matrix.imshow(shown, cmap=SEQUENTIAL, vmin=low, vmax=1, interpolation="nearest")
    ticks = range(0, len(names), -(-len(names) // _MOST_LABELS))
    labels = [shortened(names[tick], 12) for tick in ticks]
    matrix.set_xticks(ticks, labels, rotation=90, fontsize=7)
    matrix.set_yticks(ticks, labels, fontsize=7)
    matrix.set_title("Pairs of people")
    figure.colorbar(image, ax=matrix, fraction=0.045, pad=0.03).set_label(unit)
    axes = figure.add_subplot(grid[1])
    axes.hist(pairs, bins=np.linspace(low, 1, 31).tolist(), color=BLUE, alpha=0.7, linewidth=0)
    if len(pairs):
        axes.axvline(float(pairs.mean()), color=ORANGE, linewidth=1.6, label=f"mean {pairs.mean():.2f}")
    if collapsed is not None:
        axes.axvspan(collapsed, 1, color=FAINT, zorder=0, linewidth=0, label=f"collapse: {collapsed:g} or more")
    axes.set_xlim(low, 1)
    axes.set_xlabel(unit[0].upper() + unit[1:])
    axes.set_ylabel("Pairs")
    axes.grid(axis="y", color=MUTED, alpha=0.2, linewidth=0.5)
    axes.legend(loc="upper left")
    axes.set_title(f"{len(pairs)} pairs")
    return figure
