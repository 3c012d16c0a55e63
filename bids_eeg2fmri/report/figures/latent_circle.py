"""Where people lie on the circle of a Fourier latent, by class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from ..style import (
    BLUE,
    FAINT,
    GREEN,
    MUTED,
    ORANGE,
    PURPLE,
    SAND,
    new_figure,
    quiet,
    report_style,
    shortened,
    top_of_axes,
)
from ..style import (
    mark as mark_figure,
)

_LOOKS = ((BLUE, "o"), (ORANGE, "^"), (GREEN, "s"), (PURPLE, "D"), (SAND, "v"))


@report_style()
def plot_latent_circle(
    angles_rad: Float[np.ndarray, "samples dimensions"],
    classes: Sequence[str],
    *,
    n_circles: int = 4,
    mark: str | None = None,
) -> Figure:
    """Angles of a Fourier latent (before its cosine) on the unit circle, coloured by class.

    The contrastive classifier draws pairs of one class together and pushes the others a margin of pi apart, which is
    the opposite side of the circle.

    Parameters
    ----------
    angles_rad
        The latent of every sample in radians; what differs by 2 pi is the same.
    classes
        The class of every sample.
    n_circles
        How many dimensions to show: those whose classes lie farthest apart.
    mark
        Where the data come from, in the red box at the top.

    Returns
    -------
    Figure
        A circle per dimension. The line from the middle points in the mean direction of a class; it is as long as the
        class agrees (1: all samples at one angle).

    Raises
    ------
    ValueError
        Samples and classes differ in number.
    """
    angles = np.asarray(angles_rad, float)
    angles = angles[:, None] if angles.ndim == 1 else angles
    if len(angles) != len(classes) or not len(classes):
        raise ValueError(f"{len(angles)} samples, {len(classes)} classes")
    members = {name: np.array([each == name for each in classes]) for name in dict.fromkeys(classes)}
    separation = _separation(angles, list(members.values()))
    shown = np.argsort(-separation, kind="stable")[:n_circles]
    figure = new_figure(3.9)
    mark_figure(figure, mark)
    top = top_of_axes(figure, 0.68 if mark else 0.36)
    grid = figure.add_gridspec(1, max(len(shown), 2), left=0.02, right=0.98, top=top, bottom=0.14, wspace=0.12)
    for place, dimension in enumerate(shown):
        axes = figure.add_subplot(grid[place])
        _draw_circle(axes, angles[:, dimension], members)
        axes.set_title(f"Dimension {dimension}: classes {separation[dimension]:.2f} apart", loc="center", fontsize=8.5)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncols=len(labels))
    return figure


def mean_directions(
    angles_rad: Float[np.ndarray, "samples dimensions"],
) -> Float[np.ndarray, "dimensions 2"]:
    """Mean of the points on the circle, per dimension; its length says how well the samples agree."""
    return np.stack([np.cos(angles_rad).mean(axis=0), np.sin(angles_rad).mean(axis=0)], axis=1)


def _separation(angles: np.ndarray, members: Sequence[np.ndarray]) -> Float[np.ndarray, " dimensions"]:
    """Largest distance (0-2) between two classes' mean points, per dimension."""
    means = np.stack([mean_directions(angles[inside]) for inside in members])
    return np.linalg.norm(means[:, None] - means[None], axis=-1).max(axis=(0, 1))


def _draw_circle(axes: Axes, angles: Float[np.ndarray, " samples"], members: dict[str, np.ndarray]) -> None:
    axes.add_patch(Circle((0, 0), 1, fill=False, edgecolor=MUTED, linewidth=0.9))
    axes.plot([-1, 1], [0, 0], color=FAINT, linewidth=0.7, zorder=0)
    axes.plot([0, 0], [-1, 1], color=FAINT, linewidth=0.7, zorder=0)
    for index, (name, inside) in enumerate(members.items()):
        colour, marker = _LOOKS[index % len(_LOOKS)]
        # Classes stand on rings of their own, so that equal angles do not hide each other.
        radius = 1 + 0.09 * index
        axes.scatter(
            radius * np.cos(angles[inside]), radius * np.sin(angles[inside]), s=22, marker=marker, color=colour,
            alpha=0.75, linewidth=0, label=f"{shortened(name)} ({inside.sum()})",
        )  # fmt: skip
        ((x, y),) = mean_directions(angles[inside][:, None])
        axes.plot([0, x], [0, y], color=colour, linewidth=2)
    reach = 1.15 + 0.09 * len(members)
    for angle, label in ((0, "0"), (np.pi / 2, "π/2"), (np.pi, "π"), (-np.pi / 2, "-π/2")):
        place = reach + 0.06
        axes.text(place * np.cos(angle), place * np.sin(angle), label, ha="center", va="center", fontsize=7.5)
    axes.set(xlim=(-reach - 0.2, reach + 0.2), ylim=(-reach - 0.2, reach + 0.2))
    axes.set_aspect("equal")
    quiet(axes)
