"""Axial slices of a volume in a row, whatever its grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import nibabel as nib
import numpy as np
from jaxtyping import Bool, Float
from matplotlib.axes import Axes
from matplotlib.image import AxesImage

from ..style import quiet

Volume: TypeAlias = nib.Nifti1Image | np.ndarray

_GAP_PIXELS = 1
_MARGIN_VOXELS = 1
# Of the largest slice: smaller ones at the bottom and the top are not shown.
_LEAST_SHARE = 0.15


@dataclass(frozen=True)
class AxialSlices:
    """Which slices of a grid are shown, and what part of them.

    Attributes
    ----------
    mask
        Voxels that are shown, right-anterior-superior.
    indices
        The slices, from bottom to top.
    names
        What to call each of them: millimetres where the grid has an affine.
    across, along
        The part of a slice that holds the mask.
    """

    mask: Bool[np.ndarray, "x y z"]
    indices: tuple[int, ...]
    names: tuple[str, ...]
    across: slice
    along: slice

    @property
    def aspect(self) -> float:
        """Height over width of all slices in a row."""
        width = (self.across.stop - self.across.start + _GAP_PIXELS) * len(self.indices) - _GAP_PIXELS
        return (self.along.stop - self.along.start) / width

    def row(self, values: Float[np.ndarray, "x y z"]) -> Float[np.ndarray, "rows columns"]:
        """The slices of a volume side by side; NaN outside the mask."""
        shown = np.where(self.mask, values, np.nan)
        tiles = [shown[self.across, self.along, index].T for index in self.indices]
        gap = np.full((tiles[0].shape[0], _GAP_PIXELS), np.nan)
        return np.concatenate([part for tile in tiles for part in (tile, gap)][:-1], axis=1)

    def draw(self, axes: Axes, values: Float[np.ndarray, "x y z"], cmap: str, limits: tuple[float, float]) -> AxesImage:
        """Draw the slices of a volume in a row; left is left."""
        low, high = limits
        image = axes.imshow(self.row(values), origin="lower", cmap=cmap, vmin=low, vmax=high, interpolation="nearest")
        quiet(axes)
        width = self.across.stop - self.across.start
        for place, name in enumerate(self.names):
            middle = place * (width + _GAP_PIXELS) + (width - 1) / 2
            axes.text(middle, -1, name, ha="center", va="top", fontsize=7.5)
        axes.text(0, self.along.stop - self.along.start - 1, "L", ha="left", va="top", fontsize=8, fontweight="bold")
        return image


def values_of(volume: Volume) -> Float[np.ndarray, "x y z"]:
    """The numbers of a volume; those of an image turned to right-anterior-superior.

    Raises
    ------
    ValueError
        It does not have three axes.
    """
    values = volume if isinstance(volume, np.ndarray) else nib.as_closest_canonical(volume).dataobj
    values = np.asarray(values, np.float32)
    if values.ndim != 3:
        raise ValueError(f"a volume has three axes, this one has {values.ndim}")
    return values


def axial_slices(reference: Volume, mask: Volume | None = None, n_slices: int = 10) -> AxialSlices:
    """Slices spread evenly over what a volume holds.

    Parameters
    ----------
    reference
        The volume whose grid is shown.
    mask
        Which voxels are shown; ``None``: where the reference is finite and not zero.
    n_slices
        How many slices.

    Raises
    ------
    ValueError
        The mask is empty or of another shape.
    """
    values = values_of(reference)
    shown = np.isfinite(values) & (values != 0) if mask is None else values_of(mask) > 0
    if shown.shape != values.shape:
        raise ValueError(f"the mask has shape {shown.shape}, the volume {values.shape}")
    if not shown.any():
        raise ValueError("the volume holds nothing: every voxel is zero, undefined or outside the mask")
    across, along = (_extent(shown, axis) for axis in range(2))
    area = shown.sum(axis=(0, 1))
    upward = _span(area > _LEAST_SHARE * area.max())
    places = np.linspace(upward.start, upward.stop - 1, n_slices)
    indices = tuple(int(index) for index in np.unique(np.round(places)))
    if isinstance(reference, np.ndarray):
        names = tuple(f"slice {index}" for index in indices)
    else:
        affine = nib.as_closest_canonical(reference).affine
        names = tuple(f"z = {affine[2, 2] * index + affine[2, 3]:.0f} mm" for index in indices)
    return AxialSlices(shown, indices, names, across, along)


def _extent(mask: Bool[np.ndarray, "x y z"], axis: int) -> slice:
    filled = _span(np.asarray(mask.any(axis=tuple(other for other in range(3) if other != axis))))
    return slice(max(filled.start - _MARGIN_VOXELS, 0), min(filled.stop + _MARGIN_VOXELS, mask.shape[axis]))


def _span(filled: Bool[np.ndarray, " places"]) -> slice:
    places = np.flatnonzero(filled)
    return slice(int(places[0]), int(places[-1]) + 1)
