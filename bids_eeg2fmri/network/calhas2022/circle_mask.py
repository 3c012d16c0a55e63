"""The published stand-in for a brain mask: a spheroid in the middle of the volume."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool


def circle_mask(shape: tuple[int, int, int], radius_voxels: float = 30.0) -> Bool[np.ndarray, "x y z"]:
    """Voxels within a radius of the central voxel, the last axis weighted by the quotient of first and last length.

    Parameters
    ----------
    shape
        Shape of the volume.
    radius_voxels
        Radius in voxels of the first two axes.
    """
    x, y, z = np.ogrid[tuple(slice(-(length // 2), length - length // 2) for length in shape)]
    return x**2 + y**2 + shape[0] / shape[2] * z**2 <= radius_voxels**2
