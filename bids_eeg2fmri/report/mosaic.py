"""Strips of brain slices at fixed MNI coordinates, for any grid."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Bool, Float
from matplotlib.axes import Axes
from matplotlib.image import AxesImage
from nibabel.affines import apply_affine
from scipy import ndimage

from ..bold.grid import SPACE, Grid, load_asset
from .style import GREYS, INK, quiet

_STEP_MM = 1.5
_EXTENT_MM = {"x": (-76.0, 76.0), "y": (-110.0, 78.0), "z": (-70.0, 86.0)}
_GAP_PIXELS = 3
_HATCH_PIXELS, _HATCH_WIDTH = 6, 2
_OUTSIDE = -1e6


@dataclass(frozen=True)
class Cut:
    """A plane through the brain: the axis it is perpendicular to, and where it stands."""

    axis: str
    position_mm: float

    @property
    def label(self) -> str:
        """``z = 14`` and the like."""
        return f"{self.axis} = {self.position_mm:g}"


OVERVIEW = (
    *(Cut("z", z) for z in (-40.0, -24.0, -8.0, 8.0, 24.0, 40.0, 56.0)),
    Cut("y", -20.0),
    Cut("x", -8.0),
)
CORONAL = tuple(Cut("y", y) for y in (-92.0, -72.0, -52.0, -32.0, -12.0, 8.0, 28.0, 48.0, 62.0))
SAGITTAL = tuple(Cut("x", x) for x in (-56.0, -38.0, -20.0, -6.0, 6.0, 20.0, 38.0, 56.0))


def _plane_axes(cut: Cut) -> tuple[str, str]:
    horizontal, vertical = {"z": ("x", "y"), "y": ("x", "z"), "x": ("y", "z")}[cut.axis]
    return horizontal, vertical


def _plane_mm(cut: Cut) -> Float[np.ndarray, "rows columns 3"]:
    """World coordinates of a cut's pixels; rows upward, columns to the right (left is left)."""
    horizontal, vertical = _plane_axes(cut)
    across = np.arange(*_EXTENT_MM[horizontal], _STEP_MM)
    upward = np.arange(*_EXTENT_MM[vertical], _STEP_MM)
    coordinates = {
        horizontal: np.broadcast_to(across, (len(upward), len(across))),
        vertical: np.broadcast_to(upward[:, None], (len(upward), len(across))),
        cut.axis: np.full((len(upward), len(across)), cut.position_mm),
    }
    return np.stack([coordinates["x"], coordinates["y"], coordinates["z"]], axis=-1)


@lru_cache(maxsize=8)
def _layout(cuts: tuple[Cut, ...]) -> tuple[tuple[slice, slice], ...]:
    """Where each cut's tile lies in its strip (all tiles centred in height)."""
    shapes = [_plane_mm(cut).shape[:2] for cut in cuts]
    height = max(rows for rows, _ in shapes)
    places, left = [], 0
    for rows, columns in shapes:
        bottom = (height - rows) // 2
        places.append((slice(bottom, bottom + rows), slice(left, left + columns)))
        left += columns + _GAP_PIXELS
    return tuple(places)


def _voxels(affine: Float[np.ndarray, "4 4"], cuts: tuple[Cut, ...]) -> Float[np.ndarray, "3 rows columns"]:
    """Voxel coordinates of a strip's pixels; those between the tiles lie outside of any volume."""
    places = _layout(cuts)
    voxels = np.full((3, max(rows.stop for rows, _ in places), places[-1][1].stop), _OUTSIDE)
    to_voxel = np.linalg.inv(affine)
    for cut, place in zip(cuts, places, strict=True):
        voxels[:, *place] = np.moveaxis(apply_affine(to_voxel, _plane_mm(cut)), -1, 0)
    return voxels


def _sample(volume: Float[np.ndarray, "x y z"], voxels: Float[np.ndarray, "3 *pixels"]) -> Float[np.ndarray, "*pixels"]:
    """A volume sampled at pixels; 0 where it does not reach."""
    return ndimage.map_coordinates(volume, voxels, output=np.float32, order=1, cval=0.0)


@lru_cache(maxsize=4)
def mask_strip(grid: Grid, cuts: tuple[Cut, ...]) -> Float[np.ndarray, "rows columns"]:
    """The brain's share of every pixel of a strip."""
    return _sample(grid.mask.astype(np.float32), _voxels(grid.affine, cuts))


@lru_cache(maxsize=4)
def _brain_pixels(
    grid: Grid, cuts: tuple[Cut, ...]
) -> tuple[Bool[np.ndarray, "rows columns"], Float[np.ndarray, "3 pixels"]]:
    """Which pixels of a strip have a share of the brain, and their voxel coordinates."""
    inside = mask_strip(grid, cuts) > 0
    return inside, _voxels(grid.affine, cuts)[:, inside]


def _brain_strip(
    grid: Grid, values: Float[np.ndarray, " voxels"], cuts: tuple[Cut, ...]
) -> Float[np.ndarray, "rows columns"]:
    """Brain voxel values sampled on a strip; 0 outside the brain."""
    inside, voxels = _brain_pixels(grid, cuts)
    strip = np.zeros(inside.shape, np.float32)
    strip[inside] = _sample(grid.volume(np.asarray(values, np.float32)), voxels)
    return strip


def map_strip(
    grid: Grid, values: Float[np.ndarray, " voxels"], cuts: tuple[Cut, ...]
) -> Float[np.ndarray, "rows columns"]:
    """Brain voxel values on a strip of cuts; NaN outside the brain."""
    share = mask_strip(grid, cuts)
    finite = np.nan_to_num(np.asarray(values, np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    strip = _brain_strip(grid, finite, cuts)
    return np.where(share >= 0.5, strip / np.maximum(share, 0.5), np.nan)


def partial_map_strip(
    grid: Grid, values: Float[np.ndarray, " voxels"], cuts: tuple[Cut, ...]
) -> Float[np.ndarray, "rows columns"]:
    """As :func:`map_strip`, but NaN also where the values are: a map of a part of the brain."""
    known = np.isfinite(values)
    share = _brain_strip(grid, known, cuts)
    strip = _brain_strip(grid, np.where(known, values, 0), cuts)
    return np.where(share >= 0.5, strip / np.maximum(share, 0.5), np.nan)


@lru_cache(maxsize=4)
def template_strip(cuts: tuple[Cut, ...]) -> Float[np.ndarray, "rows columns"]:
    """The template's T1w image on a strip of cuts, 0-1; NaN outside the head."""
    image = load_asset(f"space/{SPACE}_res-2_T1w.nii.gz")
    strip = _sample(np.asarray(image.dataobj, np.float32) / 255.0, _voxels(image.affine, cuts))
    return np.where(strip > 0.06, strip, np.nan)


def strip_aspect(cuts: tuple[Cut, ...]) -> float:
    """Height of a strip over its width."""
    places = _layout(cuts)
    return max(rows.stop for rows, _ in places) / places[-1][1].stop


def draw_strip(
    axes: Axes,
    strip: Float[np.ndarray, "rows columns"],
    cuts: tuple[Cut, ...],
    cmap: str,
    limits: tuple[float, float],
    alpha: float = 1.0,
    labels: bool = True,
) -> AxesImage:
    """Draw a strip and write each cut's coordinate under its tile.

    Parameters
    ----------
    axes
        Where to draw; loses frame and ticks.
    strip
        From :func:`map_strip` or :func:`template_strip`.
    cuts
        The cuts of ``strip``.
    cmap, limits, alpha
        Colour map, its limits in the unit of ``strip``, and opacity.
    labels
        Whether to write the coordinates.
    """
    # The strip's own pixels go into the file; whoever shows it smooths them.
    image = axes.imshow(
        strip, origin="lower", cmap=cmap, vmin=limits[0], vmax=limits[1], alpha=alpha, interpolation="none"
    )
    quiet(axes)
    if labels:
        for cut, (_, columns) in zip(cuts, _layout(cuts), strict=True):
            axes.text((columns.start + columns.stop) / 2, -1, cut.label, ha="center", va="top", fontsize=7.5)
        _mark_left(axes, cuts)
    return image


def _mark_left(axes: Axes, cuts: tuple[Cut, ...]) -> None:
    rows, columns = _layout(cuts)[0]
    if cuts[0].axis != "x":
        axes.text(columns.start + 1, rows.stop - 2, "L", ha="left", va="top", fontsize=8, fontweight="bold", color=INK)


def draw_contour(axes: Axes, grid: Grid, cuts: tuple[Cut, ...], colour: str) -> None:
    """Draw the outline of the brain mask."""
    axes.contour(mask_strip(grid, cuts), levels=[0.5], colors=[colour], linewidths=0.9)


def draw_outline(
    axes: Axes, grid: Grid, inside: Bool[np.ndarray, " voxels"], cuts: tuple[Cut, ...], colour: str
) -> None:
    """Draw the outline of some of the brain's voxels."""
    share = _brain_strip(grid, inside, cuts)
    if share.max() > 0.5:
        axes.contour(share, levels=[0.5], colors=[colour], linewidths=0.9)


def hatch(axes: Axes, grid: Grid, hatched: Bool[np.ndarray, " voxels"], cuts: tuple[Cut, ...]) -> None:
    """Draw white lines over some of the brain's voxels, to say that what is below them does not count."""
    share = _brain_strip(grid, hatched, cuts)
    rows, columns = np.indices(share.shape)
    lines = (share >= 0.5) & ((rows + columns) % _HATCH_PIXELS < _HATCH_WIDTH)
    axes.imshow(
        np.where(lines, 1.0, np.nan), origin="lower", cmap=GREYS, vmin=0, vmax=1, alpha=0.8, interpolation="nearest"
    )


def robust_limits(values: Float[np.ndarray, " voxels"], low: float = 2.0, high: float = 98.0) -> tuple[float, float]:
    """Percentiles of the finite values, never equal to each other."""
    finite = values[np.isfinite(values)]
    if finite.size == 0:
        return 0.0, 1.0
    bottom, top = (float(value) for value in np.percentile(finite, [low, high]))
    return (bottom, top) if top > bottom else (bottom - 0.5, top + 0.5)
