"""The head from above, on which electrodes stand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.patches import Circle, Polygon

from ...eeg.leadfield import sphere_directions, template_directions
from ..style import INK, quiet

HEAD_RADIUS = 1.09


def flatten(directions: Float[np.ndarray, "points 3"]) -> Float[np.ndarray, "points 2"]:
    """Azimuthal equidistant projection around Cz; 90 degrees from it is at radius 1."""
    vertex = template_directions(["Cz"])[0]
    tilt = np.arctan2(vertex[1], vertex[2])
    x, front, up = directions.T
    y = front * np.cos(tilt) - up * np.sin(tilt)
    z = front * np.sin(tilt) + up * np.cos(tilt)
    angle = np.arccos(np.clip(z, -1, 1)) / (np.pi / 2)
    azimuth = np.arctan2(x, y)
    return np.column_stack([angle * np.sin(azimuth), angle * np.cos(azimuth)])


def places_on_head(
    positions_m: Float[np.ndarray, "channels 3"], names: Sequence[str]
) -> Float[np.ndarray, "channels 2"]:
    """Where electrodes lie on the drawing.

    Parameters
    ----------
    positions_m
        Positions in metres, head frame (right, anterior, superior).
    names
        Their names: those of the 10-05 system are laid onto the template's.

    Raises
    ------
    ValueError
        Positions and names differ in number, or there are fewer than four.
    """
    if np.shape(positions_m) != (len(names), 3) or len(names) < 4:
        raise ValueError(f"{len(names)} names, positions of shape {np.shape(positions_m)}; at least four are needed")
    return flatten(sphere_directions(np.asarray(positions_m, float), names))


def draw_head(axes: Axes) -> None:
    """Draw the outline of a head with nose and ears."""
    nose = [(-0.13, HEAD_RADIUS - 0.01), (0, HEAD_RADIUS + 0.12), (0.13, HEAD_RADIUS - 0.01)]
    axes.add_patch(Polygon(nose, closed=False, fill=False, edgecolor=INK))
    for side in (-1, 1):
        shape = ((-0.01, 0.16), (0.05, 0.14), (0.06, -0.12), (-0.01, -0.16))
        ear = [(side * (HEAD_RADIUS + out), up) for out, up in shape]
        axes.add_patch(Polygon(ear, closed=False, fill=False, edgecolor=INK))
    axes.add_patch(Circle((0, 0), HEAD_RADIUS, fill=False, edgecolor=INK, linewidth=1.1))


def frame_head(axes: Axes) -> None:
    """Give an axes the size of a head, without frame and ticks."""
    axes.set(xlim=(-1.25, 1.25), ylim=(-1.2, 1.28))
    axes.set_aspect("equal")
    quiet(axes)
