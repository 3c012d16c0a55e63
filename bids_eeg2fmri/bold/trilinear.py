"""Trilinear sampling of an image at points, as one sparse matrix for all of its volumes."""

from __future__ import annotations

from itertools import product

import numpy as np
from jaxtyping import Bool, Float
from nibabel.affines import apply_affine
from scipy import sparse

# Coordinates are computed in double precision from single: a point on the last voxel's centre stays inside.
_ROUNDING_VOXELS = 1e-3


def trilinear_weights(
    points_mm: Float[np.ndarray, "points 3"], affine: Float[np.ndarray, "4 4"], shape: tuple[int, int, int]
) -> tuple[sparse.csr_array, Bool[np.ndarray, " points"]]:
    """Weights that turn the voxels of a volume into its values at points.

    Parameters
    ----------
    points_mm
        Where to sample, in the millimetres of the affine.
    affine, shape
        Voxel indices to millimetres, and the number of voxels along each axis.

    Returns
    -------
    weights : scipy.sparse.csr_array
        Points x voxels, float32; voxels in Fortran order, as NIfTI stores them. Rows of points outside are empty.
    inside
        Points between the centres of the outermost voxels.
    """
    voxels = apply_affine(np.linalg.inv(affine), np.asarray(points_mm, float))
    last = np.array(shape) - 1
    inside = ((voxels >= -_ROUNDING_VOXELS) & (voxels <= last + _ROUNDING_VOXELS)).all(axis=1)
    within = np.clip(voxels[inside], 0, last)
    # The lower corner of the last cell: an axis of one voxel has no cell, only that corner.
    lower = np.minimum(np.floor(within).astype(int), np.maximum(last - 1, 0))
    fraction = within - lower
    points = np.flatnonzero(inside)
    rows, columns, values = [], [], []
    for corner in product((0, 1), repeat=3):
        weight = np.where(corner, fraction, 1 - fraction).prod(axis=1)
        index = np.minimum(lower + corner, last)
        rows.append(points)
        columns.append(np.ravel_multi_index(tuple(index.T), shape, order="F"))
        values.append(weight)
    triplets = (np.concatenate(values).astype(np.float32), (np.concatenate(rows), np.concatenate(columns)))
    weights = sparse.csr_array(triplets, shape=(len(points_mm), int(np.prod(shape))))
    # A voxel of weight zero must not pass on its NaN.
    weights.eliminate_zeros()
    return weights, inside
