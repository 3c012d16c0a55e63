"""Mean synthetic BOLD over the template, to check space and orientation."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from ..mosaic import (
    CORONAL,
    OVERVIEW,
    SAGITTAL,
    draw_contour,
    draw_strip,
    map_strip,
    robust_limits,
    template_strip,
)
from ..panel import Drawing
from ..run import RunReport
from ..strips import strip_figure
from ..style import GREYS, SEQUENTIAL

_CONTOUR = "#ff5a36"
_LEAST_SPAN = 0.01
_TITLES = (
    "Template T1w; line: brain mask of the output",
    "Mean synthetic BOLD over the template",
    "Mean synthetic BOLD, coronal",
    "Mean synthetic BOLD, sagittal",
)


def draw_boldref(run: RunReport) -> Drawing:
    """Draw the template with the outline of the mask, then the mean synthetic BOLD over it."""
    rows = (OVERVIEW, OVERVIEW, CORONAL, SAGITTAL)
    figure, places = strip_figure(rows)
    limits = _limits(run.mean_map)
    for row, ((axes, bar), cuts) in enumerate(zip(places, rows, strict=True)):
        draw_strip(axes, template_strip(cuts), cuts, GREYS, (0.0, 1.0))
        if row == 0:
            bar.set_axis_off()
        else:
            strip = map_strip(run.grid, run.mean_map, cuts)
            image = draw_strip(axes, strip, cuts, SEQUENTIAL, limits, alpha=0.7, labels=False)
            figure.colorbar(image, cax=bar).set_label("BOLD units", fontsize=7.5)
            bar.tick_params(labelsize=7)
        draw_contour(axes, run.grid, cuts, _CONTOUR)
    for (axes, _), title in zip(places, _TITLES, strict=True):
        axes.set_title(title)
    size = " x ".join(f"{edge:g}" for edge in run.grid.voxel_size_mm)
    return Drawing(
        figure,
        f"Synthetic: mean of {run.recording.clock.n_volumes} predicted volumes in {run.grid.space}, voxels of {size} "
        f"mm, {int(run.grid.mask.sum())} of them brain, median {np.nanmedian(run.mean_map):.1f} BOLD units.",
    )


def _limits(values: Float[np.ndarray, " voxels"]) -> tuple[float, float]:
    """Robust limits, but never narrower than 2 % of the baseline: a flat mean must look flat."""
    low, high = robust_limits(values)
    middle = (low + high) / 2
    half = max((high - low) / 2, abs(middle) * _LEAST_SPAN)
    return middle - half, middle + half
