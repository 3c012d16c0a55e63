"""The box of voxels that a network with volumes of a fixed shape predicts."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from jaxtyping import Float
from nibabel.affines import apply_affine

from ..settings import OutputSpace
from .grid import Grid, make_grid, sample_template


@lru_cache(maxsize=4)
def volume_box(shape: tuple[int, int, int] = (64, 64, 30)) -> Grid:
    """A grid of the given shape whose voxels tile the bounding box of the template's brain.

    Voxels need not be cubes: 64 x 64 x 30 voxels measure about 2.2 x 2.8 x 4.8 mm. Every millimetre of brain lies in
    a voxel; :attr:`Grid.mask` says which voxels are brain.
    """
    lowest_mm, highest_mm = _brain_bounds_mm()
    size_mm = (highest_mm - lowest_mm) / shape
    affine = np.diag([*size_mm, 1.0])
    affine[:3, 3] = lowest_mm + size_mm / 2
    return Grid(affine, shape, sample_template(affine, shape), None)


def _brain_bounds_mm() -> tuple[Float[np.ndarray, " 3"], Float[np.ndarray, " 3"]]:
    """Outer edges of the template's brain voxels, at 1 mm."""
    template = make_grid(OutputSpace(resolution="1"))
    voxels = np.argwhere(template.mask)
    return (
        apply_affine(template.affine, voxels.min(axis=0) - 0.5),
        apply_affine(template.affine, voxels.max(axis=0) + 0.5),
    )
