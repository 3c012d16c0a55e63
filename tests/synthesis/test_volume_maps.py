"""From a network's own grid to the output's: trilinear within the brain, and nothing where it does not reach."""

from __future__ import annotations

import numpy as np
from nibabel.affines import apply_affine
from scipy import ndimage

from bids_eeg2fmri.synthesis.volume_maps import brain_interpolation

AFFINE = np.array([[2.0, 0, 0, -10], [0, 3, 0, -12], [0, 0, 4, -20], [0, 0, 0, 1]])
SHAPE = (9, 8, 7)


def test_inside_the_brain_it_is_trilinear() -> None:
    rng = np.random.default_rng(0)
    volume = rng.standard_normal(SHAPE)
    voxels = rng.uniform(0, np.array(SHAPE) - 1.001, (200, 3))
    matrix = brain_interpolation(np.ones(SHAPE, bool), AFFINE, apply_affine(AFFINE, voxels))
    expected = ndimage.map_coordinates(volume, voxels.T, order=1)
    np.testing.assert_allclose(matrix @ volume.ravel(), expected, atol=1e-5)


def test_the_own_grid_comes_back_as_it_is() -> None:
    volume = np.random.default_rng(1).standard_normal(SHAPE).astype(np.float32)
    places = apply_affine(AFFINE, np.argwhere(np.ones(SHAPE, bool)))
    np.testing.assert_array_equal(
        brain_interpolation(np.ones(SHAPE, bool), AFFINE, places) @ volume.ravel(), volume.ravel()
    )


def test_voxels_outside_the_brain_have_no_part_in_it() -> None:
    brain = np.zeros(SHAPE, bool)
    brain[2:7, 2:6, 2:5] = True
    volume = np.where(brain, 3.0, 1e6).astype(np.float32)
    voxels = np.random.default_rng(2).uniform(1.3, 6.5, (300, 3)) * (1, 5.5 / 6.5, 4.5 / 6.5)
    matrix = brain_interpolation(brain, AFFINE, apply_affine(AFFINE, voxels))
    reached = matrix.sum(axis=1) > 0
    assert reached.mean() > 0.9
    np.testing.assert_allclose((matrix @ volume.ravel())[reached], 3.0, rtol=1e-5)


def test_points_out_of_reach_get_nothing() -> None:
    far = apply_affine(AFFINE, np.array([[40.0, 4, 3], [-9.0, 4, 3]]))
    matrix = brain_interpolation(np.ones(SHAPE, bool), AFFINE, far)
    assert matrix.shape == (2, 9 * 8 * 7) and matrix.nnz == 0
    # Half a voxel beyond the last centre is still inside the voxel.
    near = brain_interpolation(np.ones(SHAPE, bool), AFFINE, apply_affine(AFFINE, np.array([[8.5, 4, 3]])))
    assert near.sum() == 1
