"""The section of the group page on a comparison of people's maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import nibabel as nib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from nilearn.plotting import plot_glass_brain

from .group_section import GroupSection, figures_section, group_figure
from .style import mark_synthetic, report_style

_SHOWN_UNCORRECTED_Z = 2.3
_LARGEST_CLUSTERS = 10
_COLUMNS = ["map", "cluster", "x", "y", "z (mm)", "peak z", "size (mm³)"]
_CAPTION = (
    "A general linear model over people in every voxel ({question}; {people} people{weighting}), on maps of the "
    "synthetic BOLD: amplitude is its sd between 0.01 and 0.1 Hz, tstd its sd over time, event its "
    "response to that type of events. Coloured: false discovery rate below 5 % in each map, clusters of {cluster} "
    "voxels or more. What differs here is the prediction, that is the EEG as the model reads it; that BOLD differs "
    "is not shown. A bad picture: one colour over the whole brain, which is a difference in the quality of the EEG "
    "as likely as one in the brain."
)


@dataclass(frozen=True)
class ContrastResult:
    """One compared map.

    Attributes
    ----------
    measure
        Which map.
    z
        z scores.
    threshold
        What survives correction exceeds it; infinite when nothing does.
    clusters
        nilearn's table of clusters.
    """

    measure: str
    z: nib.Nifti1Image
    threshold: float
    clusters: pd.DataFrame


def contrast_section(
    column: str, question: str, n_people: int, weighted: bool, cluster_voxels: int, results: Sequence[ContrastResult]
) -> GroupSection:
    """Glass brains and the largest clusters.

    Parameters
    ----------
    column, question
        What was compared, and what positive values mean.
    n_people, weighted
        How many people, and whether they weighed by their uncertainty.
    cluster_voxels
        The smallest cluster shown.
    results
        One per map.
    """
    weighting = ", weighted by their uncertainty" if weighted else ", all weighing the same"
    caption = _CAPTION.format(question=question, people=n_people, weighting=weighting, cluster=cluster_voxels)
    rows = [[result.measure, *row] for result in results for row in _largest(result.clusters)]
    none = [result.measure for result in results if not np.isfinite(result.threshold)]
    warning = (
        f"Nothing survives correction in {', '.join(none)}: the picture shows |z| above {_SHOWN_UNCORRECTED_Z:g}, "
        "uncorrected, which is no finding."
        if none
        else None
    )
    figures = [group_figure(_draw(result), f"{column}: {result.measure}", _describe(result)) for result in results]
    table = {"columns": _COLUMNS, "rows": rows} if rows else None
    return figures_section(f"People compared by {column}", caption, figures, warning=warning, table=table)


def _draw(result: ContrastResult) -> Figure:
    shown = result.threshold if np.isfinite(result.threshold) else _SHOWN_UNCORRECTED_Z
    with report_style():
        figure = Figure(figsize=(9.0, 2.9))
        plot_glass_brain(
            result.z, figure=figure, axes=(0.0, 0.0, 0.94, 0.86), threshold=shown, plot_abs=False, colorbar=True
        )
        mark_synthetic(figure)
    return figure


def _describe(result: ContrastResult) -> str:
    if not np.isfinite(result.threshold):
        return f"{result.measure}: no voxel survives a false discovery rate of 5 %. Shown uncorrected."
    return (
        f"{result.measure}: {len(result.clusters)} rows of clusters and peaks with |z| above {result.threshold:.2f}; "
        f"largest z {np.max(result.z.get_fdata()):.2f}, smallest {np.min(result.z.get_fdata()):.2f}."
    )


def _largest(clusters: pd.DataFrame) -> list[list[str]]:
    """Rows of whole clusters, not of their further peaks."""
    if clusters.empty:
        return []
    sizes = pd.to_numeric(clusters["Cluster Size (mm3)"], errors="coerce")
    whole = clusters[sizes.notna()].assign(size=sizes).nlargest(_LARGEST_CLUSTERS, "size")
    return [
        [
            str(row["Cluster ID"]),
            *(f"{row[axis]:.0f}" for axis in "XYZ"),
            f"{row['Peak Stat']:.2f}",
            f"{row['size']:.0f}",
        ]
        for _, row in whole.iterrows()
    ]
