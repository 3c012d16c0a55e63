"""How sure the model is, voxel by voxel."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from ...bold.grid import GREY_MATTER
from ...bold.units import UNITS_PER_Z
from ..mosaic import OVERVIEW, robust_limits
from ..panel import Drawing
from ..parcel_values import parcel_means
from ..run import RunReport
from ..strips import draw_map, hatch_unreliable, strip_figure
from ..style import SEQUENTIAL

RELATIVE_THRESHOLD = 1.0


def relative_uncertainty(run: RunReport) -> Float[np.ndarray, " voxels"]:
    """Predictive sd over the sd of the predicted signal; NaN where the signal is constant."""
    blank = np.full(run.total_sd_map.shape, np.nan)
    return np.divide(run.total_sd_map, run.tstd_map, out=blank, where=run.tstd_map > 0)


def share_of_grey_below(run: RunReport, threshold: float = RELATIVE_THRESHOLD) -> float:
    """Share (0-1) of grey-matter voxels whose relative uncertainty is below a threshold."""
    grey = run.grid.tissue == GREY_MATTER
    return float(np.mean(relative_uncertainty(run)[grey] < threshold)) if grey.any() else float("nan")


def draw_uncertainty(run: RunReport) -> Drawing:
    """Draw total, epistemic, aleatoric and relative uncertainty."""
    figure, places = strip_figure((OVERVIEW,) * 4)
    epistemic = run.summary.epistemic_sd_z * UNITS_PER_Z
    aleatoric = run.summary.aleatoric_sd_z * UNITS_PER_Z
    top = robust_limits(run.total_sd_map)[1]
    maps = (("Total", run.total_sd_map), ("Epistemic", epistemic), ("Aleatoric", aleatoric))
    for place, (name, values) in zip(places, maps, strict=False):
        own = (0.0, robust_limits(values)[1]) if name == "Epistemic" else (0.0, top)
        draw_map(place, run.grid, values, OVERVIEW, SEQUENTIAL, own, "BOLD units")
        place[0].set_title(f"{name} sd, {_how(name, run)}")
    relative = relative_uncertainty(run)
    draw_map(places[3], run.grid, relative, OVERVIEW, SEQUENTIAL, (0.0, 2 * RELATIVE_THRESHOLD), "ratio")
    places[3][1].axhline(RELATIVE_THRESHOLD, color="white", linewidth=2)
    stated = f"{np.nanmedian(epistemic):.2f}" if run.summary.epistemic_estimated else "not estimated"
    share = 100 * share_of_grey_below(run)
    hatched = hatch_unreliable(places[3][0], run, OVERVIEW)
    places[3][0].set_title(
        f"Relative: total sd / sd of the signal; {share:.0f} % of grey matter below {RELATIVE_THRESHOLD:g}{hatched}"
    )
    return Drawing(
        figure,
        f"Synthetic: median total sd {np.nanmedian(run.total_sd_map):.2f}, epistemic {stated}, "
        f"aleatoric {np.nanmedian(aleatoric):.2f} BOLD units; relative uncertainty {np.nanmedian(relative):.2f}; "
        f"{share:.0f} % of grey matter below {RELATIVE_THRESHOLD:g}.",
        {"parcel_relative": parcel_means(run.grid, relative)},
    )


def _how(name: str, run: RunReport) -> str:
    if name != "Epistemic":
        return "root mean square over time"
    if not run.summary.epistemic_estimated:
        return "not estimated: this network is deterministic"
    return "root mean square over time (own scale)"
