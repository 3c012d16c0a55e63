"""How unlike the training data this recording is, over time, and in which respect."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes

from ...network.novelty import PARTS
from ..panel import Drawing
from ..run import RunReport
from ..style import FAINT, INK, MUTED, ORANGE, PURPLE, SEQUENTIAL
from ..timeaxis import (
    RIGHT,
    draw_bad_segments,
    draw_series,
    name_row,
    time_figure,
    volume_span_s,
)

UNUSUAL = 95.0


def draw_novelty(run: RunReport) -> Drawing:
    """Draw the novelty of every volume, the distances that it is made of, and the bad EEG below them."""
    novelty, parts = run.summary.novelty, run.summary.novelty_parts
    rows_in = () if parts is None else (1.1,)
    figure, (overall, *middle, bad) = time_figure((1.2, *rows_in, 0.1), above_in=0.3)
    draw_series(
        overall, run, novelty, "Novelty of every volume (percentile of volumes of people not trained on)", PURPLE
    )
    overall.fill_between(
        run.recording.clock.tr_s * np.arange(len(novelty)), UNUSUAL, novelty, where=novelty > UNUSUAL, color=ORANGE,
        alpha=0.5, linewidth=0,
    )  # fmt: skip
    overall.axhline(UNUSUAL, color=MUTED, linestyle=":", linewidth=0.8)
    history_s = run.sidecar.get("IncompleteHistory", {}).get("Seconds", 0.0)
    overall.axvspan(0.0, history_s, color=FAINT, alpha=0.6, linewidth=0)
    overall.set_ylim(0, 103)
    overall.set_ylabel("Percentile")
    if parts is not None:
        _draw_parts(middle[0], run, parts)
    draw_bad_segments(bad, run)
    bad.set_xlim(*volume_span_s(run))
    beyond = 100 * float(np.mean(novelty > UNUSUAL)) if len(novelty) else 0.0
    return Drawing(
        figure,
        f"Median novelty percentile {np.nanmedian(novelty):.0f}; {beyond:.0f} % of the volumes above the "
        f"{UNUSUAL:.0f}th. {_largest(parts)}",
    )


def _draw_parts(axes: Axes, run: RunReport, parts: Float[np.ndarray, "volumes parts"]) -> None:
    last_s = run.recording.clock.tr_s * max(len(parts), 1)
    image = axes.imshow(
        parts.T, aspect="auto", cmap=SEQUENTIAL, vmin=0, vmax=100, extent=(0, last_s, len(PARTS), 0),
        interpolation="nearest",
    )  # fmt: skip
    axes.set_yticks(np.arange(len(PARTS)) + 0.5, PARTS, fontsize=7)
    axes.tick_params(axis="y", length=0, pad=1)
    for row, value in enumerate(np.median(parts, axis=0)):
        axes.text(
            1.004, row + 0.5, f"{value:.0f}", transform=axes.get_yaxis_transform(), va="center", fontsize=7.5,
            color=ORANGE if value > UNUSUAL else INK, fontweight="bold" if value > UNUSUAL else "normal",
        )  # fmt: skip
    name_row(axes, "Which distance is large (percentile; at the right: median over the recording)")
    place = axes.get_position()
    bar = axes.figure.colorbar(image, cax=axes.figure.add_axes((RIGHT + 0.035, place.y0, 0.01, place.height)))
    bar.ax.tick_params(labelsize=7)


def _largest(parts: Float[np.ndarray, "volumes parts"] | None) -> str:
    if parts is None:
        return "This network does not tell in which respect."
    medians = np.median(parts, axis=0)
    largest = int(np.argmax(medians))
    return f"Largest distance: {PARTS[largest].lower()} (median percentile {medians[largest]:.0f})."
