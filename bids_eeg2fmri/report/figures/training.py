"""How a training went."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ..style import (
    BLUE,
    FAINT,
    GREEN,
    INK,
    MUTED,
    ORANGE,
    PURPLE,
    SAND,
    new_figure,
    report_style,
    shortened,
    top_of_axes,
)
from ..style import (
    mark as mark_figure,
)

_COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SAND, INK)


@report_style()
def plot_training_curves(
    training: Mapping[str, Float[np.ndarray, " epochs"]],
    validation: Mapping[str, Float[np.ndarray, " epochs"]] | None = None,
    *,
    quantity: str = "Loss",
    logarithmic: bool = False,
    lower_is_better: bool = True,
    mark: str | None = None,
) -> Figure:
    """Curves of one or several trainings over their epochs.

    Parameters
    ----------
    training
        Name of a training and its values, one per epoch from the first; NaN where there is none.
    validation
        The same for held-out people; its names are those of ``training``.
    quantity
        What the values are, with their unit.
    logarithmic
        Whether the values' axis is logarithmic.
    lower_is_better
        Which way the best epoch lies, that of the validation where there is one.
    mark
        Where the data come from, in the red box at the top.

    Returns
    -------
    Figure
        Solid: training; dashed: validation. A dot marks the best epoch.

    Raises
    ------
    ValueError
        There is no curve, or a validation belongs to no training.
    """
    held_out = dict(validation or {})
    if not training or not set(held_out) <= set(training):
        raise ValueError(f"trainings: {sorted(training)}; validations: {sorted(held_out)}")
    figure = new_figure(3.6)
    mark_figure(figure, mark)
    axes = figure.add_axes((0.075, 0.14, 0.7, top_of_axes(figure, 0.62 if mark else 0.3) - 0.14))
    best_of = np.nanargmin if lower_is_better else np.nanargmax
    for index, (name, values) in enumerate(training.items()):
        colour = _COLOURS[index % len(_COLOURS)]
        judged = np.asarray(held_out.get(name, values), float)
        epochs = np.arange(1, len(values) + 1)
        best = int(best_of(judged))
        label = shortened(name, 26)
        axes.plot(epochs, values, color=colour, linewidth=1.5, label=label)
        if name in held_out:
            axes.plot(np.arange(1, len(judged) + 1), judged, color=colour, linewidth=1.5, linestyle="--")
        axes.plot(best + 1, judged[best], "o", color=colour, markersize=6, markeredgecolor="white")
        axes.plot([], [], " ", label=f"best: epoch {best + 1}, {judged[best]:.4g}")
    if held_out:
        axes.plot([], [], color=MUTED, label="training")
        axes.plot([], [], color=MUTED, linestyle="--", label="validation")
    axes.set_yscale("log" if logarithmic else "linear")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("Epoch")
    axes.set_ylabel(quantity)
    axes.grid(color=FAINT, linewidth=0.5)
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.02))
    axes.set_title(f"{quantity} over the epochs")
    return figure
