"""What of the EEG the prediction of some regions rests on, and how electrodes attend to each other."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ...explanation.relevance import Relevance
from ..figures.electrode_graph import plot_electrode_graph
from ..figures.head import flatten
from ..figures.topography import draw_topography
from ..panel import Drawing
from ..run import RunReport
from ..style import INK, MUTED, SYNTHETIC_TEXT, mark_synthetic, new_figure, shortened, top_of_axes

MOST_REGIONS = 8
_ROW_IN = 1.4
_HEAD_RADIUS_M = 0.09
_NO_GRAPH = "This network has no attention over electrodes, and so no electrode graph."


def has_explanation(run: RunReport) -> bool:
    """Whether somebody asked for an explanation."""
    return run.explanation is not None


def has_attention(run: RunReport) -> bool:
    """Whether there is an electrode graph."""
    return run.explanation is not None and run.explanation.graph is not None


def draw_relevance(run: RunReport) -> Drawing:
    """Draw a row per region: a head per band, and the relevance by lag."""
    if run.explanation is None:
        raise ValueError("the recording was not explained")
    relevance = run.explanation.relevance
    shown = min(len(relevance.regions), MOST_REGIONS)
    figure = new_figure(0.75 + _ROW_IN * shown + 0.5)
    mark_synthetic(figure)
    grid = figure.add_gridspec(
        shown, len(relevance.bands_hz) + 2, left=0.075, right=0.985, top=top_of_axes(figure, 0.75),
        bottom=0.5 / figure.get_figheight(), wspace=0.06, hspace=0.12,
        width_ratios=(*[1.0] * len(relevance.bands_hz), 0.28, 1.5),
    )  # fmt: skip
    places = flatten(relevance.directions)
    for row in range(shown):
        heads = [figure.add_subplot(grid[row, band]) for band in range(len(relevance.bands_hz))]
        _draw_heads(figure, heads, relevance, row, places)
        _draw_lags(figure.add_subplot(grid[row, -1]), relevance, row, last=row == shown - 1)
    graph = "" if has_attention(run) else f" {_NO_GRAPH}"
    return Drawing(figure, f"Synthetic: {_sentences(relevance, shown)}{graph}")


def draw_attention(run: RunReport) -> Drawing:
    """Draw the mean attention between electrodes on the head."""
    if run.explanation is None or run.explanation.graph is None:
        raise ValueError("the network has no attention over electrodes")
    graph = run.explanation.graph
    positions_m = _HEAD_RADIUS_M * graph.directions
    figure = plot_electrode_graph(graph.weights, positions_m, graph.electrodes, mark=SYNTHETIC_TEXT)
    sent = (graph.weights - np.diag(np.diag(graph.weights))).sum(axis=0)
    most = [graph.electrodes[index] for index in np.argsort(-sent)[:3]]
    return Drawing(
        figure,
        f"Attention between {len(graph.electrodes)} electrodes, mean over {run.explanation.relevance.n_volumes} "
        f"volumes. Others take most from {', '.join(most)}; an even share would be {1 / len(graph.electrodes):.3f}.",
    )


def _draw_heads(figure: Figure, heads: list[Axes], relevance: Relevance, region: int, places: np.ndarray) -> None:
    values = relevance.by_electrode_and_band[region]
    reach = max(float(np.abs(values).max()), 1e-9)
    for band, axes in enumerate(heads):
        draw_topography(axes, values[:, band], places, reach, contours=False)
        share = f"{round(100 * float(relevance.by_band[region, band]))} %"
        axes.text(0.0, -1.28, share, ha="center", va="top", fontsize=7.5, color=INK)
        if region == 0:
            low, high = relevance.bands_hz[band]
            axes.set_title(f"{low:g}-{high:g} Hz", loc="center", fontsize=8.5)
    label = f"{shortened(relevance.regions[region], 14)}\n±{reach:.2g}"
    heads[0].text(-0.12, 0.5, label, transform=heads[0].transAxes, ha="right", va="center", fontsize=8)


def _draw_lags(axes: Axes, relevance: Relevance, region: int, *, last: bool) -> None:
    edges_s = relevance.lag_edges_s
    axes.axhline(0, color=MUTED, linewidth=0.6)
    axes.stairs(relevance.by_lag[region], edges_s, color=INK, linewidth=1.2)
    axes.set_xlim(float(edges_s[-1]), 0.0)
    axes.tick_params(labelbottom=last, labelsize=7)
    if region == 0:
        axes.set_title("By lag", loc="center", fontsize=8.5)
    if last:
        axes.set_xlabel("Seconds before the volume", fontsize=7.5)


def _sentences(relevance: Relevance, shown: int) -> str:
    parts = []
    for region in range(shown):
        low, high = relevance.bands_hz[int(relevance.by_band[region].argmax())]
        lag = int(relevance.by_lag[region].argmax())
        electrode = relevance.electrodes[int(relevance.by_electrode[region].argmax())]
        parts.append(
            f"{relevance.regions[region]}: most at {low:g}-{high:g} Hz, {electrode}, "
            f"{relevance.lag_edges_s[lag]:g}-{relevance.lag_edges_s[lag + 1]:g} s before"
        )
    hidden = len(relevance.regions) - shown
    return "; ".join(parts) + "." + (f" {hidden} more regions are in the tables." if hidden else "")
