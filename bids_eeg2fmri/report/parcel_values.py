"""A recording's maps as one number per parcel: what its summary keeps for the group page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import nibabel as nib
import numpy as np
from jaxtyping import Float
from scipy import sparse

from ..bold.atlas import load_atlas
from ..bold.grid import Grid


@lru_cache(maxsize=1)
def averaging_of(grid: Grid) -> sparse.csr_array:
    """Rows that average a map over every parcel (parcels x voxels): several panels of a recording ask for them."""
    return load_atlas().averaging_matrix(grid.coordinates_mm)


def parcel_means(grid: Grid, values: Float[np.ndarray, " voxels"]) -> list[float | None]:
    """Mean of a map over every parcel; ``None`` where the parcel has no voxel with a finite value."""
    averaging = averaging_of(grid)
    finite = np.isfinite(values)
    shares = averaging @ finite.astype(np.float32)
    sums = averaging @ np.where(finite, values, 0).astype(np.float32)
    return [float(f"{total / share:.5g}") if share > 0 else None for total, share in zip(sums, shares, strict=True)]


def as_parcels(listed: object) -> Float[np.ndarray, " parcels"] | None:
    """The list of a summary as numbers, NaN for ``None``; ``None`` when it is no list of this atlas."""
    if not isinstance(listed, Sequence) or len(listed) != len(load_atlas()):
        return None
    numbers = [value if isinstance(value, int | float) and math.isfinite(value) else np.nan for value in listed]
    return np.array(numbers, np.float32)


def on_template(values: Float[np.ndarray, " parcels"]) -> nib.Nifti1Image:
    """Values painted on the voxels of their parcels, NaN elsewhere, in the atlas' grid."""
    atlas = load_atlas()
    return nib.Nifti1Image(np.concatenate([[np.nan], values]).astype(np.float32)[atlas.labels], atlas.affine)
