"""Where the synthetic series follows the scanner's, and what chance gives."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from ...bold.atlas import NETWORKS, load_atlas
from ..comparison import Comparison
from ..mosaic import OVERVIEW, draw_outline, draw_strip, partial_map_strip, robust_limits
from ..panel import Drawing
from ..run import RunReport
from ..strips import strip_figure
from ..style import BLUE, DIVERGING, FAINT, INK, MUTED, ORANGE, OUTLINE
from ..timeaxis import name_row

_BELOW_IN, _AXES_IN, _FOOT_IN = 2.75, 1.95, 0.48
_SMALLEST_LIMIT = 0.1
_BINS = np.linspace(-1, 1, 41)
_NAMES = ("Visual", "Motor", "Dors. att.", "Vent. att.", "Limbic", "Control", "Default", "Subcort.")


def draw_versus(run: RunReport) -> Drawing:
    """Draw the map of temporal correlation, and the parcels' correlations beside those of shifted series."""
    comparison = run.comparison
    if comparison is None:
        raise ValueError("the recording was not compared with a scanner's BOLD")
    figure, (place,) = strip_figure((OVERVIEW,), _BELOW_IN)
    limit = max(*np.abs(robust_limits(comparison.voxel_r)), _SMALLEST_LIMIT)
    axes, bar = place
    strip = partial_map_strip(run.grid, comparison.voxel_r, OVERVIEW)
    image = draw_strip(axes, strip, OVERVIEW, DIVERGING, (-limit, limit))
    figure.colorbar(image, cax=bar, extend="both").set_label("r", fontsize=7.5)
    bar.tick_params(labelsize=7)
    title = f"Correlation over time with the {comparison.scanner}, voxel by voxel"
    if run.reliability is not None:
        draw_outline(axes, run.grid, run.reliability.interpretable, OVERVIEW, OUTLINE)
        title += "; inside the line it may be interpreted"
    axes.set_title(title)
    height = figure.get_figheight()
    below, tall = _FOOT_IN / height, _AXES_IN / height
    networks = figure.add_axes((0.062, below, 0.52, tall))
    histogram = figure.add_axes((0.645, below, 0.335, tall), sharey=networks)
    _draw_networks(networks, comparison)
    _draw_histogram(histogram, comparison)
    scores = comparison.scores
    return Drawing(
        figure,
        f"Synthetic against the {comparison.scanner} ({comparison.source}): mean correlation over time of "
        f"{int(np.isfinite(comparison.parcel_r).sum())} parcels {scores['parcel_r']:.3f}, where circular shifts reach "
        f"{scores['null_r_shift_95']:.3f} in 5 % of cases; mean over voxels {scores['voxel_r']:.3f}; "
        f"{100 * scores['fdr_parcels']:.0f} % of the parcels above chance "
        "(false discovery rate 5 %).",
    )


def _draw_networks(axes: Axes, comparison: Comparison) -> None:
    """A point per parcel, in a column per network, over the range that chance fills."""
    members = np.array(load_atlas().networks)
    low, high = np.nanpercentile(comparison.null_parcel_r, [2.5, 97.5])
    axes.axhspan(low, high, color=FAINT, linewidth=0, label="95 % of shifted series")
    axes.axhline(0, color=MUTED, linewidth=0.7)
    for column, network in enumerate(NETWORKS):
        values = np.sort(comparison.parcel_r[members == network])
        values = values[np.isfinite(values)]
        spread = 0.3 * (np.arange(len(values)) * 0.618 % 1 - 0.5) * 2
        axes.scatter(column + spread, values, s=11, color=BLUE, alpha=0.75, linewidth=0)
        if len(values):
            axes.hlines(np.median(values), column - 0.38, column + 0.38, color=ORANGE, linewidth=1.6)
    axes.set_xticks(range(len(NETWORKS)), _NAMES)
    axes.set_xlim(-0.6, len(NETWORKS) - 0.4)
    axes.set_ylabel("r")
    name_row(axes, "Parcels by network (line: median; shaded: 95 % of shifted series)")


def _draw_histogram(axes: Axes, comparison: Comparison) -> None:
    """Distributions of the parcels' correlations and of those after shifts, sideways on the same axis."""
    null = comparison.null_parcel_r[np.isfinite(comparison.null_parcel_r)]
    parcels = comparison.parcel_r[np.isfinite(comparison.parcel_r)]
    for values, filled, colour, label in (
        (null, True, FAINT, f"{len(comparison.null_parcel_r)} circular shifts"),
        (parcels, False, BLUE, f"{len(parcels)} parcels"),
    ):
        density, edges = np.histogram(values, _BINS, density=True)
        axes.stairs(density, edges, orientation="horizontal", fill=filled, color=colour, linewidth=1.4, label=label)
    scores = comparison.scores
    axes.axhline(scores["parcel_r"], color=BLUE, linewidth=1.0, linestyle="--", label="mean of the parcels")
    axes.axhline(
        scores["null_r_shift_95"], color=INK, linewidth=1.0, linestyle=":", label="95th percentile of shifted means"
    )
    low, high = np.percentile(null, [0.1, 99.9])
    axes.set_ylim(min(low, parcels.min()) - 0.05, max(high, parcels.max()) + 0.05)
    axes.tick_params(labelleft=False)
    axes.set_xlabel("Density")
    axes.legend(loc="best", fontsize=7, frameon=True, facecolor="white", edgecolor="none", framealpha=0.85)
    name_row(axes, "Distribution beside chance")
