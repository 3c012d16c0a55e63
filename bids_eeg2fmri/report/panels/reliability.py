"""Where people held out of the training were predicted, and so where the images may be interpreted."""

from __future__ import annotations

import numpy as np

from ..mosaic import OVERVIEW, draw_outline, draw_strip, map_strip, robust_limits, template_strip
from ..panel import Drawing
from ..parcel_values import parcel_means
from ..run import RunReport
from ..strips import strip_figure
from ..style import DIVERGING, GREYS, OUTLINE

_SMALLEST_LIMIT = 0.1


def draw_reliability(run: RunReport) -> Drawing:
    """Draw the expected correlation and what it exceeds, with the outline of where it exceeds zero."""
    reliability = run.reliability
    if reliability is None:
        return _draw_absence()
    figure, places = strip_figure((OVERVIEW, OVERVIEW))
    limit = max(*np.abs(robust_limits(reliability.r)), _SMALLEST_LIMIT)
    titles = (
        "Expected correlation with measured BOLD; inside the line it may be interpreted",
        "What the correlation exceeds in 90 % of people",
    )
    for (axes, bar), title, values in zip(places, titles, (reliability.r, reliability.lower), strict=True):
        image = draw_strip(axes, map_strip(run.grid, values, OVERVIEW), OVERVIEW, DIVERGING, (-limit, limit))
        figure.colorbar(image, cax=bar, extend="both").set_label("r", fontsize=7.5)
        bar.tick_params(labelsize=7)
        draw_outline(axes, run.grid, reliability.interpretable, OVERVIEW, OUTLINE)
        axes.set_title(title)
    grey = reliability.r[reliability.grey]
    mean = f"{grey.mean():.2f}" if len(grey) else "not known"
    return Drawing(
        figure,
        f"Synthetic: {100 * reliability.share_interpretable:.0f} % of grey matter may be interpreted; the correlation "
        f"expected in grey matter is {mean} on average. {reliability.caps.statement}",
        {"parcel_r": parcel_means(run.grid, reliability.r)},
    )


def _draw_absence() -> Drawing:
    figure, ((axes, bar),) = strip_figure((OVERVIEW,))
    draw_strip(axes, template_strip(OVERVIEW), OVERVIEW, GREYS, (0.0, 1.0), alpha=0.3)
    bar.set_axis_off()
    axes.set_title("This model has no reliability atlas: nobody held out says where it may be interpreted")
    return Drawing(figure, "Synthetic: this model has no reliability atlas. Where it may be interpreted is not known.")
