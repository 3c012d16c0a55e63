"""The whole run at a glance: events, novelty, uncertainty, global signal, DVARS and the carpet."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ...bold.grid import CSF, GREY_MATTER, WHITE_MATTER
from ...bold.thinning import volumes_per_column
from ..panel import Drawing
from ..run import RunReport
from ..style import BLUE, FAINT, GREEN, GREYS, MUTED, ORANGE, PURPLE, SAND, mark_synthetic
from ..timeaxis import (
    add_scale,
    columns_end_s,
    confound,
    draw_bad_segments,
    draw_events,
    draw_series,
    event_lanes,
    name_row,
    time_figure,
    volume_span_s,
)

_TISSUES = {GREY_MATTER: ("Grey matter", MUTED), WHITE_MATTER: ("White matter", SAND), CSF: ("CSF", BLUE)}
_LEAST_LIMIT_Z = 0.02


def draw_carpet(run: RunReport) -> Drawing:
    """Draw the carpet by tissue under the series that explain it, on one time axis."""
    lanes = event_lanes(run)
    heights_in = (0.1 + 0.16 * len(lanes), 0.1, 0.4, 0.4, 0.45, 0.4, 2.7)
    figure, (events, bad, novelty, sd, signal, dvars, carpet) = time_figure(heights_in)
    mark_synthetic(figure)
    draw_events(events, lanes)
    draw_bad_segments(bad, run)
    draw_series(novelty, run, run.summary.novelty, "Novelty of the features (percentile of training)", PURPLE)
    novelty.set_ylim(0, 103)
    novelty.axhline(95, color=MUTED, linestyle=":", linewidth=0.8)
    draw_series(sd, run, run.mean_sd_z, "Mean predictive sd of each volume (z)", ORANGE)
    draw_series(signal, run, confound(run, "global_signal"), "Global signal (BOLD units)", BLUE)
    draw_series(dvars, run, confound(run, "dvars"), "DVARS (BOLD units)", GREEN)
    _draw_voxels(figure, carpet, run)
    history_s = run.sidecar.get("IncompleteHistory", {}).get("Seconds", 0.0)
    for row in (novelty, sd, signal, dvars):
        row.axvspan(0.0, history_s, color=FAINT, alpha=0.6, linewidth=0)
    for row in (events, bad, novelty, sd, signal, dvars):
        row.spines["bottom"].set_visible(False)
        row.xaxis.set_visible(False)
    carpet.set_xlim(*volume_span_s(run))
    return Drawing(
        figure,
        f"Synthetic: carpet of {run.carpet_z.shape[0]} voxels over {run.n_volumes} volumes with "
        f"{len(run.recording.events)} events; median novelty percentile {np.nanmedian(run.summary.novelty):.0f}, "
        f"mean predictive sd {np.nanmean(run.mean_sd_z):.2f} standardised units.",
    )


def _draw_voxels(figure: Figure, axes: Axes, run: RunReport) -> None:
    n_voxels = len(run.carpet_z)
    # A prediction is smaller than a measurement: the grey scale spans what this recording holds.
    limit_z = max(float(np.percentile(np.abs(run.carpet_z), 99)), _LEAST_LIMIT_Z) if run.carpet_z.size else 1.0
    image = axes.imshow(
        run.carpet_z, aspect="auto", cmap=GREYS, vmin=-limit_z, vmax=limit_z, interpolation="antialiased",
        interpolation_stage="data", extent=(0.0, columns_end_s(run, run.carpet_z), max(n_voxels, 1), 0),
    )  # fmt: skip
    axes.set_yticks([])
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    each = volumes_per_column(run.n_volumes)
    means = f", means over {each} volumes" if each > 1 else ""
    name_row(axes, f"Carpet: {n_voxels} brain voxels by tissue{means}")
    starts = np.flatnonzero(np.diff(run.carpet_tissue, prepend=-1))
    for start, stop in zip(starts.tolist(), [*starts[1:].tolist(), n_voxels], strict=True):
        name, colour = _TISSUES.get(int(run.carpet_tissue[start]), ("Other", MUTED))
        axes.add_patch(
            Rectangle(
                (-0.014, start), 0.009, stop - start, facecolor=colour, transform=axes.get_yaxis_transform(),
                clip_on=False,
            )
        )  # fmt: skip
        axes.text(-0.018, (start + stop) / 2, name, transform=axes.get_yaxis_transform(), ha="right", va="center")
    add_scale(figure, axes, image)
