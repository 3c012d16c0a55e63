"""Where the electrodes sit, which of them are used, and what this cap can see of the brain, or lacks."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from ...bold.atlas import load_atlas
from ...eeg.cap_match import CapMatch
from ...eeg.leadfield import sphere_directions, template_directions
from ...eeg.recording import Recording
from ..figures.head import draw_head, flatten
from ..panel import Drawing
from ..run import RunReport
from ..style import BLUE, FAINT, MUTED, ORANGE, SEQUENTIAL, new_figure, quiet, shortened, top_of_axes

_TEN_TWENTY = (
    *("Fp1", "Fp2", "F7", "F3", "Fz", "F4", "F8", "T7", "C3", "Cz"),
    *("C4", "T8", "P7", "P3", "Pz", "P4", "P8", "O1", "O2"),
)
_NEAR_DEG = 18.0


def draw_montage(run: RunReport) -> Drawing:
    """Draw the electrodes from above, and how well each parcel is resolved or how the network's own cap is made."""
    recording = run.recording
    figure = new_figure(4.4)
    grid = figure.add_gridspec(
        2, 3, left=0.02, right=0.93, top=top_of_axes(figure, 0.3), bottom=0.09, width_ratios=(2.5, 1.25, 1.25),
        wspace=0.12, hspace=0.25,
    )  # fmt: skip
    absent = _draw_cap(figure.add_subplot(grid[:, 0]), recording)
    if run.summary.resolution is not None:
        views = [figure.add_subplot(grid[place]) for place in ((0, 1), (0, 2), (1, 1))]
        _draw_resolution(figure, views, run, run.summary.resolution)
    if run.summary.cap is not None:
        _draw_own_cap(figure.add_subplot(grid[:, 1]), run.summary.cap)
    _list_counts(figure.add_subplot(grid[1, 2]), recording, absent)
    used = int(recording.good.sum())
    return Drawing(
        figure,
        f"{used} electrodes used, {len(recording.channel_names) - used} bad, {len(recording.left_out)} channels left "
        f"out, {len(absent)} positions of the 10-20 system without an electrode. {_fit(run)}",
    )


def _fit(run: RunReport) -> str:
    """How recording and network go together, in a sentence."""
    cap, resolution = run.summary.cap, run.summary.resolution
    if cap is None:
        return "" if resolution is None else f"Median resolution of the parcels {np.median(resolution):.2f} of 1."
    made = ", ".join(f"{name} ({reason})" for name, reason in cap.interpolated.items()) or "none"
    return f"The network's cap has {len(cap.channel_names)} channels; interpolated: {made}."


def _draw_cap(axes: Axes, recording: Recording) -> list[str]:
    """Draw head and electrodes; the 10-20 sites that no electrode is near are returned."""
    directions = sphere_directions(recording.positions_m, recording.channel_names)
    places = flatten(directions)
    draw_head(axes)
    sites = template_directions(_TEN_TWENTY)
    near = (sites @ directions.T).max(1) > np.cos(np.radians(_NEAR_DEG))
    empty = flatten(sites)[~near]
    good = np.asarray(recording.good, bool)
    size = float(np.clip(9000 / max(len(places), 1), 40, 230))
    marks: tuple[tuple[str, Float[np.ndarray, "points 2"], dict[str, Any]], ...] = (
        ("10-20 site, no electrode", empty, {"facecolor": "none", "edgecolor": MUTED, "linestyle": ":"}),
        ("used", places[good], {"color": BLUE}),
        ("bad, not used", places[~good], {"facecolor": "white", "edgecolor": ORANGE, "linewidth": 1.4}),
    )
    for label, points, look in marks:
        axes.scatter(points[:, 0], points[:, 1], s=size, **look)
        axes.scatter([], [], s=45, label=label, **look)
    _name_electrodes(axes, recording, places)
    across, along = (float(reach) for reach in np.abs(places).max(axis=0))
    axes.set(
        xlim=(-max(1.2, across + 0.1), max(1.2, across + 0.1)), ylim=(-max(1.12, along + 0.1), max(1.25, along + 0.1))
    )
    axes.set_aspect("equal")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=3, handletextpad=0.2, columnspacing=1.0)
    quiet(axes)
    axes.set_title("Electrodes from above, nose at the top", loc="center")
    return [name for name, is_near in zip(_TEN_TWENTY, near, strict=True) if not is_near]


def _name_electrodes(axes: Axes, recording: Recording, places: Float[np.ndarray, "channels 2"]) -> None:
    dense = len(places) > 90
    size = 5.2 if len(places) > 40 else 7
    for name, (x, y), is_good in zip(recording.channel_names, places, recording.good, strict=True):
        if not (dense and is_good):
            colour = "white" if is_good else ORANGE
            label = shortened(name, 5)
            axes.text(x, y, label, ha="center", va="center_baseline", color=colour, fontsize=size, fontweight="bold")


def _draw_own_cap(axes: Axes, cap: CapMatch) -> None:
    """Draw the channels of the network's cap: taken from the recording, or interpolated."""
    places = flatten(cap.directions)
    absent = np.array([name in cap.interpolated for name in cap.channel_names])
    draw_head(axes)
    looks: tuple[tuple[str, Bool[np.ndarray, " channels"], str], ...] = (
        ("recorded", ~absent, BLUE),
        ("interpolated", absent, ORANGE),
    )
    for label, chosen, colour in looks:
        axes.scatter(places[chosen, 0], places[chosen, 1], s=18, color=colour, label=f"{label}: {chosen.sum()}")
    for name, (x, y) in zip(cap.channel_names, places, strict=True):
        if name in cap.interpolated:
            axes.text(x, y + 0.08, shortened(name, 5), ha="center", color=ORANGE, fontsize=7, fontweight="bold")
    axes.set(xlim=(-1.25, 1.25), ylim=(-1.15, 1.3))
    axes.set_aspect("equal")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 0.0), handletextpad=0.2)
    quiet(axes)
    axes.set_title("The network's own cap", fontsize=8.5)


def _draw_resolution(
    figure: Figure, views: list[Axes], run: RunReport, resolution: Float[np.ndarray, " parcels"]
) -> None:
    centres = load_atlas().centres_mm
    order = np.argsort(resolution)
    outline = run.grid.coordinates_mm
    norm = Normalize(0, max(float(resolution.max()), 1e-6))
    for axes, (across, upward), name in zip(
        views, ((0, 1), (1, 2), (0, 2)), ("from above", "from the side", "from behind"), strict=True
    ):
        edges_mm = [np.arange(outline[:, axis].min(), outline[:, axis].max() + 4, 4) for axis in (across, upward)]
        shadow, _, _ = np.histogram2d(outline[:, across], outline[:, upward], bins=edges_mm)
        middles = [(edge[1:] + edge[:-1]) / 2 for edge in edges_mm]
        axes.contourf(*middles, (shadow.T > 0).astype(float), levels=[0.5, 1.5], colors=[FAINT], alpha=0.5)
        dots = axes.scatter(
            centres[order, across], centres[order, upward], c=resolution[order], s=11, cmap=SEQUENTIAL, norm=norm
        )
        axes.set_aspect("equal")
        quiet(axes)
        axes.set_title(f"Resolution, {name}", fontsize=8.5)
    bar = figure.colorbar(dots, cax=figure.add_axes((0.945, 0.55, 0.012, 0.3)))
    bar.set_label("resolution (0-1)")


def _list_counts(axes: Axes, recording: Recording, absent: list[str]) -> None:
    quiet(axes)
    used = int(np.sum(recording.good))
    lines = [
        f"Used: {used} of {len(recording.channel_names)}",
        f"Bad: {_some(list(recording.cleaning.bad_channels))}",
        f"Left out: {_some(list(recording.left_out))}",
        f"10-20 sites empty: {_some(absent)}",
        f"Positions: {shortened(recording.positions_source, 24)}",
    ]
    for row, line in enumerate(lines):
        axes.text(0.02, 0.88 - 0.17 * row, line, transform=axes.transAxes, fontsize=8.5, va="center")


def _some(names: list[str]) -> str:
    return f"{len(names)} ({shortened(', '.join(names), 22)})" if names else "none"
