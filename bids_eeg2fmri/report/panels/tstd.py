"""Temporal standard deviation and tSNR of the synthetic BOLD."""

from __future__ import annotations

import numpy as np

from ..mosaic import OVERVIEW, robust_limits
from ..panel import Drawing
from ..parcel_values import parcel_means
from ..run import RunReport
from ..strips import draw_map, hatch_unreliable, strip_figure
from ..style import SEQUENTIAL


def draw_tstd(run: RunReport) -> Drawing:
    """Draw the maps of temporal standard deviation and of tSNR."""
    figure, (upper, lower) = strip_figure((OVERVIEW, OVERVIEW))
    tsnr = np.divide(run.mean_map, run.tstd_map, out=np.full_like(run.mean_map, np.nan), where=run.tstd_map > 0)
    draw_map(upper, run.grid, run.tstd_map, OVERVIEW, SEQUENTIAL, (0.0, robust_limits(run.tstd_map)[1]), "BOLD units")
    draw_map(lower, run.grid, tsnr, OVERVIEW, SEQUENTIAL, (0.0, robust_limits(tsnr)[1]), "tSNR")
    upper[0].set_title(f"Standard deviation over time{hatch_unreliable(upper[0], run, OVERVIEW)}")
    lower[0].set_title("tSNR: mean over standard deviation (the mean is set, not predicted)")
    return Drawing(
        figure,
        f"Synthetic: median temporal standard deviation {np.nanmedian(run.tstd_map):.2f} BOLD units, "
        f"median tSNR {np.nanmedian(tsnr):.0f}, over {len(tsnr)} brain voxels.",
        {"parcel_tstd": parcel_means(run.grid, run.tstd_map)},
    )
