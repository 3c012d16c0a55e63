"""The search as a picture: how the candidates learned, and how good and how large they are."""

from __future__ import annotations

import io
from collections.abc import Sequence

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ..published.curves import STYLE
from .study import Trained

_COLOURS = {"best": "#c24a00", "trained": "#0067a5", "stopped": "#9aa5b1"}
_MARKERS = {"best": "*", "trained": "o", "stopped": "x"}


def leaderboard_picture(results: Sequence[Trained], zero: float | None) -> bytes:
    """Error on the validation people by epoch and by number of weights, as SVG; equal results give equal bytes.

    Parameters
    ----------
    results
        All candidates, the best first.
    zero
        Error of predicting zero, where there is such a number.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(9.0, 3.2), layout="constrained")
        curves, sizes = figure.subplots(1, 2)
        # The best last, on top of the others.
        for rank, result in reversed(list(enumerate(results))):
            if result.errors:
                _draw(curves, sizes, result, "best" if rank == 0 else result.state)
        for axes in (curves, sizes):
            if zero is not None:
                axes.axhline(zero, color=_COLOURS["stopped"], linestyle="--", linewidth=0.8, label="zero everywhere")
        curves.set_xlabel("epoch")
        curves.set_ylabel("error on validation people")
        curves.xaxis.set_major_locator(MaxNLocator(integer=True))
        curves.set_title("Candidates")
        sizes.set_xscale("log")
        sizes.set_xlabel("weights")
        sizes.set_title("Lowest error")
        handles, labels = curves.get_legend_handles_labels()
        kept = dict(zip(labels, handles, strict=True))
        curves.legend(kept.values(), kept.keys())
        buffer = io.BytesIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Title": "Architecture search"})
    return buffer.getvalue()


def _draw(curves: Axes, sizes: Axes, result: Trained, kind: str) -> None:
    colour, marker, size = _COLOURS[kind], _MARKERS[kind], 8 if kind == "best" else 4
    epochs = range(1, len(result.errors) + 1)
    curves.plot(epochs, result.errors, color=colour, marker=marker, markersize=size, label=kind)
    sizes.plot([result.parameters], [result.error], color=colour, marker=marker, markersize=size, linestyle="none")
    sizes.annotate(
        str(result.candidate.number),
        (result.parameters, result.error),
        textcoords="offset points",
        xytext=(6, 3),
        fontsize=7,
    )
