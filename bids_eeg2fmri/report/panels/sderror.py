"""Whether the stated uncertainty foretells the error against the scanner's BOLD."""

from __future__ import annotations

import numpy as np

from ..figures.uncertainty import plot_uncertainty_against_error, usable_pairs
from ..panel import Drawing
from ..run import RunReport
from ..style import SYNTHETIC_TEXT


def has_errors(run: RunReport) -> bool:
    """Whether the parcels' errors were kept, and are enough to be grouped."""
    comparison = run.comparison
    if comparison is None or comparison.parcel_error_z is None or comparison.parcel_sd_z is None:
        return False
    return usable_pairs(comparison.parcel_sd_z, comparison.parcel_error_z) is not None


def draw_sderror(run: RunReport) -> Drawing:
    """Draw the parcels' errors by their stated standard deviation."""
    comparison = run.comparison
    if comparison is None or comparison.parcel_error_z is None or comparison.parcel_sd_z is None:
        raise ValueError("the recording was not compared with a scanner's BOLD")
    sd, error = comparison.parcel_sd_z, comparison.parcel_error_z
    figure = plot_uncertainty_against_error(sd, error, mark=SYNTHETIC_TEXT)
    inside = 100 * np.mean(np.abs(error[np.isfinite(error)]) < 2 * sd[np.isfinite(error)])
    return Drawing(
        figure,
        f"Synthetic against the {comparison.scanner}: error of {error.shape[1]} parcels in {error.shape[0]} volumes; "
        f"root mean square {np.sqrt(np.nanmean(error**2)):.2f}, stated {np.sqrt(np.nanmean(sd**2)):.2f} standardised "
        f"units; {inside:.0f} % of the errors within two stated standard deviations (normal: 95 %).",
    )
