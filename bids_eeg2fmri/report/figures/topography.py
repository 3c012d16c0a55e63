"""Values of electrodes as a map on the head."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.image import AxesImage
from matplotlib.patches import Circle
from scipy.interpolate import RBFInterpolator

from ..style import DIVERGING_ON_WHITE, INK, MUTED
from .head import HEAD_RADIUS, draw_head, frame_head

_GRID = np.linspace(-1.2, 1.2, 121)


def draw_topography(
    axes: Axes,
    values: Float[np.ndarray, " electrodes"],
    places: Float[np.ndarray, "electrodes 2"],
    reach: float,
    *,
    contours: bool = True,
) -> AxesImage:
    """Draw relevance on one head; colours end at ``reach``."""
    across, along = np.meshgrid(_GRID, _GRID)
    spline = RBFInterpolator(places, values, kernel="thin_plate_spline", smoothing=1e-6)
    shown = spline(np.column_stack([across.ravel(), along.ravel()])).reshape(across.shape)
    image = axes.imshow(
        shown, origin="lower", extent=(_GRID[0], _GRID[-1], _GRID[0], _GRID[-1]), cmap=DIVERGING_ON_WHITE,
        vmin=-reach, vmax=reach, interpolation="bilinear",
    )  # fmt: skip
    image.set_clip_path(Circle((0, 0), HEAD_RADIUS, transform=axes.transData))
    if contours:
        inside = np.hypot(across, along) <= HEAD_RADIUS
        levels = np.linspace(-reach, reach, 9)
        axes.contour(_GRID, _GRID, np.where(inside, shown, np.nan), levels=levels, colors=MUTED, linewidths=0.4)
    axes.scatter(places[:, 0], places[:, 1], s=5, color=INK, linewidth=0)
    draw_head(axes)
    frame_head(axes)
    return image
