"""Rows of axes over one time axis, so that EEG, features and BOLD stand under each other on the page."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from ..bold.thinning import volumes_per_column
from .run import RunReport
from .style import BLUE, FAINT, MUTED, ORANGE, new_figure, shortened

LEFT, RIGHT = 0.115, 0.905
_GAP_IN, _BELOW_IN = 0.27, 0.5
_MAX_EVENT_LANES = 7


def time_figure(heights_in: Sequence[float], above_in: float = 0.62) -> tuple[Figure, list[Axes]]:
    """A figure of axes below each other over one x axis, at the same place in every figure.

    Parameters
    ----------
    heights_in
        Height of every axes in inches, from top to bottom.
    above_in
        Room above the first axes, in inches.
    """
    height_in = above_in + sum(heights_in) + _GAP_IN * (len(heights_in) - 1) + _BELOW_IN
    figure = new_figure(height_in)
    rows: list[Axes] = []
    top_in = height_in - above_in
    for row_in in heights_in:
        place = (LEFT, (top_in - row_in) / height_in, RIGHT - LEFT, row_in / height_in)
        rows.append(figure.add_axes(place, sharex=rows[0] if rows else None))
        rows[-1].tick_params(labelbottom=len(rows) == len(heights_in))
        top_in -= row_in + _GAP_IN
    rows[-1].set_xlabel("Time from the first volume (s)")
    return figure, rows


def volume_times_s(run: RunReport, count: int) -> Float[np.ndarray, " volumes"]:
    """Onsets of the first ``count`` volumes, in seconds from volume 0."""
    return run.recording.clock.tr_s * np.arange(count)


def volume_span_s(run: RunReport) -> tuple[float, float]:
    """From the onset of the first volume to the end of the last, in seconds from volume 0."""
    clock = run.recording.clock
    return 0.0, clock.tr_s * max(clock.n_volumes, 1)


def columns_end_s(run: RunReport, columns: Float[np.ndarray, "rows columns"]) -> float:
    """Where the last column of a thinned series ends, in seconds from volume 0.

    After the end of the last volume, when the last column stands for fewer volumes than the others.
    """
    return run.recording.clock.tr_s * max(columns.shape[1], 1) * volumes_per_column(run.n_volumes)


def bad_segments_s(run: RunReport) -> tuple[tuple[float, float], ...]:
    """Bad stretches of the EEG, in seconds from volume 0."""
    onset = run.recording.clock.first_volume_onset_s
    return tuple((start - onset, stop - onset) for start, stop in run.recording.cleaning.bad_segments_s)


def draw_bad_segments(axes: Axes, run: RunReport, colour: str = ORANGE) -> None:
    """Bars where the EEG is marked bad."""
    spans = [(start, stop - start) for start, stop in bad_segments_s(run)]
    axes.broken_barh(spans, (0, 1), facecolors=colour, linewidth=0.5, edgecolor=colour)
    axes.set_ylim(0, 1)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    name_row(axes, "Bad EEG" if spans else "Bad EEG: none")


def event_lanes(run: RunReport) -> list[tuple[str, list[tuple[float, float]]]]:
    """Events by type, the most frequent first and the rest in one lane: name, and onset and duration of each.

    Onsets are in seconds from volume 0.
    """
    onset = run.recording.clock.first_volume_onset_s
    lanes: dict[str, list[tuple[float, float]]] = {}
    for event in run.recording.events:
        lanes.setdefault(event.trial_type, []).append((event.onset_s - onset, max(event.duration_s, 0.0)))
    frequent = sorted(lanes, key=lambda name: (-len(lanes[name]), name))
    rows = [(shortened(name, 20), lanes[name]) for name in frequent[:_MAX_EVENT_LANES]]
    rest = frequent[_MAX_EVENT_LANES:]
    if rest:
        rows.append((f"{len(rest)} other types", [event for name in rest for event in lanes[name]]))
    return rows


def draw_events(axes: Axes, lanes: list[tuple[str, list[tuple[float, float]]]]) -> None:
    """One row for each lane of events: a bar for the duration, a tick at the onset."""
    for lane, (_, spans) in enumerate(lanes):
        axes.broken_barh([span for span in spans if span[1] > 0], (lane + 0.15, 0.7), facecolors=BLUE, linewidth=0)
        ticks = [[(start, lane + 0.15), (start, lane + 0.85)] for start, _ in spans]
        axes.add_collection(LineCollection(ticks, colors=BLUE, linewidths=0.8, rasterized=len(ticks) > 300))
    axes.set_ylim(max(len(lanes), 1), 0)
    axes.set_yticks(np.arange(len(lanes)) + 0.5, [name for name, _ in lanes])
    axes.tick_params(axis="y", length=0, labelsize=7)
    name_row(axes, "Events" if lanes else "Events: none")


def name_row(axes: Axes, name: str) -> None:
    """Write what a row shows above its left end."""
    axes.set_title(name, fontsize=8.5, pad=2)


def draw_series(
    axes: Axes, run: RunReport, values: Float[np.ndarray, " volumes"] | None, name: str, colour: str
) -> None:
    """A series of one value per volume; says so when there is none."""
    name_row(axes, name if values is not None else f"{name}: not in the table")
    if values is not None:
        axes.plot(volume_times_s(run, len(values)), values, color=colour)
    axes.grid(axis="y", color=FAINT, linewidth=0.5)
    axes.tick_params(axis="y", labelsize=7)
    axes.spines["bottom"].set_color(MUTED)


def add_scale(figure: Figure, axes: Axes, image: AxesImage) -> None:
    """A colour bar for standardised values at the right of a row of the time axis."""
    place = axes.get_position()
    bar = figure.colorbar(image, cax=figure.add_axes((RIGHT + 0.012, place.y0, 0.012, place.height)), extend="both")
    bar.set_label("z", rotation=0, labelpad=8)
    bar.ax.tick_params(labelsize=7)


def confound(run: RunReport, name: str) -> Float[np.ndarray, " volumes"] | None:
    """A column of the confounds table as numbers, ``n/a`` as NaN; ``None`` when the table has no such column."""
    if name not in run.confounds.columns:
        return None
    column = run.confounds[name].replace("n/a", np.nan)
    return column.to_numpy(dtype=float, na_value=np.nan)
