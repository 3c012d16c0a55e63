"""Learning curves as SVG."""

from __future__ import annotations

import io
from collections.abc import Sequence

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from .log import EpochRow

_TRAINING, _VALIDATION, _MUTED, _FAINT = "#0067a5", "#c24a00", "#66727f", "#d5dbe1"
STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.edgecolor": _MUTED,
    "axes.linewidth": 0.7,
    "axes.formatter.useoffset": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": _MUTED,
    "ytick.color": _MUTED,
    "xtick.labelcolor": "black",
    "ytick.labelcolor": "black",
    "legend.frameon": False,
    "lines.linewidth": 1.2,
    "svg.fonttype": "path",
    "svg.hashsalt": "bids_eeg2fmri",
}


def learning_curves(rows: Sequence[EpochRow]) -> bytes:
    """Losses, learning rate and gradient norm of every epoch; the same log gives the same bytes.

    Parameters
    ----------
    rows
        The training log, at least one epoch.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(11.0, 2.9), layout="constrained")
        error, latent, optimisation = figure.subplots(1, 3)
        _draw_error(error, rows)
        _draw_latent(latent, rows)
        _draw_optimisation(optimisation, rows)
        for axes in (error, latent, optimisation):
            axes.set_xlabel("epoch")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        buffer = io.BytesIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Title": "Learning curves"})
    return buffer.getvalue()


def _draw_error(axes: Axes, rows: Sequence[EpochRow]) -> None:
    best = max((row.epoch for row in rows if row.best), default=rows[0].epoch)
    axes.axvline(best, color=_FAINT, zorder=0, label=f"kept: epoch {best}")
    _draw_both(axes, rows, "reconstruction")
    axes.set_title("Error of the volumes")
    axes.legend()


def _draw_latent(axes: Axes, rows: Sequence[EpochRow]) -> None:
    _draw_both(axes, rows, "latent")
    axes.set_title("Distance of the latent representations")


def _draw_both(axes: Axes, rows: Sequence[EpochRow], part: str) -> None:
    epochs = [row.epoch for row in rows]
    for prefix, label, colour in (("", "training", _TRAINING), ("validation_", "validation people", _VALIDATION)):
        values = [getattr(row, f"{prefix}{part}") for row in rows]
        axes.plot(epochs, values, color=colour, marker="o", markersize=3, label=label)


def _draw_optimisation(axes: Axes, rows: Sequence[EpochRow]) -> None:
    epochs = [row.epoch for row in rows]
    axes.plot(
        epochs, [row.gradient_norm for row in rows], color=_TRAINING, marker="o", markersize=3, label="gradient norm"
    )
    axes.plot(
        epochs, [row.learning_rate for row in rows], color=_MUTED, marker="o", markersize=3, label="learning rate"
    )
    if all(row.gradient_norm > 0 for row in rows):
        axes.set_yscale("log")
    axes.set_title("Optimisation")
    axes.legend()
