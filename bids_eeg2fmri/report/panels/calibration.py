"""Whether the predictive intervals hold what they say: in held-out people, and here where a scanner ran."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from ..panel import Drawing
from ..run import RunReport
from ..style import BLUE, FAINT, GREEN, INK, MUTED, ORANGE, mark_synthetic, new_figure, top_of_axes
from ..timeaxis import name_row
from .banner import trained_on_simulations

_LOOKS = ((BLUE, "o", "-"), (GREEN, "s", "--"), (ORANGE, "^", "-"))
_LEAST_REACH = 5.0

Curve = tuple[str, tuple[float, ...], tuple[float, ...]]


def draw_calibration(run: RunReport) -> Drawing:
    """Draw stated against actual coverage, and the difference."""
    curves = _curves(run)
    figure = new_figure(3.5)
    mark_synthetic(figure)
    places = figure.add_gridspec(
        1, 2, left=0.07, right=0.98, top=top_of_axes(figure, 0.62), bottom=0.15, width_ratios=(1, 2), wspace=0.16
    )
    _draw_curves(figure.add_subplot(places[0]), curves)
    _draw_differences(figure.add_subplot(places[1]), curves)
    if not curves:
        return Drawing(figure, "Synthetic: 0 coverage curves. The model does not say how often its intervals hold.")
    stated = ". ".join(f"{name}: {_in_words(nominal, covered)}" for name, nominal, covered in curves)
    return Drawing(figure, f"Synthetic: share of values inside the predictive intervals. {stated}.")


def _curves(run: RunReport) -> list[Curve]:
    """Name, stated and actual coverage of everything that is known."""
    found: list[Curve] = []
    if run.held_out is not None:
        held_out = run.held_out
        people = f"{held_out.people} (simulated)" if trained_on_simulations(run.sidecar) else held_out.people
        found.append((f"Voxels, {people}", held_out.nominal, held_out.voxels))
        if held_out.parcels is not None:
            found.append((f"Parcels, {people}", held_out.nominal, held_out.parcels))
    if run.comparison is not None:
        comparison = run.comparison
        found.append((f"This recording against the {comparison.scanner}", comparison.nominal, comparison.covered))
    return found


def _in_words(nominal: Sequence[float], covered: Sequence[float]) -> str:
    return ", ".join(
        f"{100 * part:.1f} % for {100 * stated:g} %" for stated, part in zip(nominal, covered, strict=True)
    )


def _draw_curves(axes: Axes, curves: Sequence[Curve]) -> None:
    axes.plot([0, 100], [0, 100], color=MUTED, linewidth=0.8, linestyle=":")
    for (_, nominal, covered), (colour, marker, style) in zip(curves, _LOOKS, strict=False):
        axes.plot(
            100 * np.array(nominal), 100 * np.array(covered), marker=marker, linestyle=style, color=colour, markersize=4
        )
    axes.set_xlim(0, 100)
    axes.set_ylim(0, 100)
    axes.set_aspect("equal")
    axes.grid(color=FAINT, linewidth=0.5)
    axes.set_xlabel("Stated (%)")
    axes.set_ylabel("Actual (%)")
    name_row(axes, "Coverage of the intervals")


def _draw_differences(axes: Axes, curves: Sequence[Curve]) -> None:
    if not curves:
        axes.set_axis_off()
        axes.text(0.5, 0.5, "The model does not say how often its intervals hold.", ha="center", va="center")
        return
    levels = curves[0][1]
    height = 0.75 / len(curves)
    reach = _LEAST_REACH
    for index, ((name, nominal, covered), (colour, *_)) in enumerate(zip(curves, _LOOKS, strict=False)):
        differences = 100 * (np.array(covered) - np.array(nominal))
        places = np.arange(len(levels)) + height * (index - (len(curves) - 1) / 2)
        bars = axes.barh(places, differences, height=0.9 * height, color=colour, label=name)
        axes.bar_label(bars, [f"{100 * part:.1f} %" for part in covered], padding=4, color=INK, fontsize=7)
        reach = max(reach, float(np.abs(differences).max()))
    axes.axvline(0, color=MUTED, linewidth=0.8)
    axes.set_yticks(range(len(levels)), [f"{100 * stated:g} %" for stated in levels])
    axes.set_xlim(-1.25 * reach, 1.25 * reach)
    axes.set_ylim(-0.6, len(levels) - 0.4 + 0.35 * len(curves))
    axes.set_ylabel("Interval")
    axes.set_xlabel("Actual minus stated (percentage points): left too narrow, right too wide")
    axes.legend(loc="upper left", fontsize=7.5)
    name_row(axes, "Difference, and actual coverage")
