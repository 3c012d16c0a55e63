from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nibabel.affines import apply_affine, from_matvec
from nilearn.image import resample_img
from scipy.ndimage import map_coordinates

from bids_eeg2fmri.bold.trilinear import trilinear_weights

SHAPE = (7, 6, 5)
# Oblique, with a flipped axis and voxels of three sizes.
AFFINE = from_matvec([[-2.0, 0.3, 0.1], [0.2, 3.0, -0.2], [0.1, 0.2, 2.5]], [10.0, -20.0, 5.0])


@pytest.fixture
def volume() -> np.ndarray:
    return np.random.default_rng(0).standard_normal(SHAPE).astype(np.float32)


def test_values_are_those_of_scipy(volume: np.ndarray) -> None:
    voxels = np.random.default_rng(1).uniform(-1, 7, (500, 3))
    points = apply_affine(AFFINE, voxels)
    weights, inside = trilinear_weights(points, AFFINE, SHAPE)
    expected = map_coordinates(volume, voxels.T, order=1)
    assert 0 < inside.sum() < 500
    assert np.array_equal(inside, ((voxels >= -1e-3) & (voxels <= np.array(SHAPE) - 1 + 1e-3)).all(axis=1))
    np.testing.assert_allclose((weights @ volume.ravel(order="F"))[inside], expected[inside], atol=1e-5)
    assert not (weights @ volume.ravel(order="F"))[~inside].any()


def test_values_are_those_of_nilearn(volume: np.ndarray) -> None:
    target, shape = from_matvec(np.diag([1.5, 1.5, 1.5]), [0.0, -18.0, 7.0]), (5, 8, 5)
    resampled = resample_img(
        nib.Nifti1Image(volume, AFFINE), target, shape, interpolation="linear", copy_header=True, force_resample=True
    )
    points = apply_affine(target, np.argwhere(np.ones(shape)))
    weights, inside = trilinear_weights(points, AFFINE, SHAPE)
    assert inside.sum() > 50
    values = weights @ volume.ravel(order="F")
    np.testing.assert_allclose(values[inside], resampled.get_fdata().ravel()[inside], atol=1e-5)


def test_voxel_centres_give_voxels_up_to_the_last(volume: np.ndarray) -> None:
    points = apply_affine(AFFINE, np.argwhere(np.ones(SHAPE))).astype(np.float32)
    weights, inside = trilinear_weights(points, AFFINE, SHAPE)
    assert inside.all()
    np.testing.assert_allclose(weights @ volume.ravel(order="F"), volume.ravel(), atol=1e-4)


def test_a_voxel_without_weight_does_not_pass_on_its_nan(volume: np.ndarray) -> None:
    volume[3, 2, 2] = np.nan
    weights, _ = trilinear_weights(apply_affine(np.eye(4), [[2, 2, 2], [2.5, 2, 2]]), np.eye(4), SHAPE)
    values = weights @ volume.ravel(order="F")
    assert values[0] == volume[2, 2, 2]
    assert np.isnan(values[1])


@pytest.mark.parametrize("shape", [(1, 6, 5), (1, 1, 1)])
def test_axes_of_one_voxel(shape: tuple[int, int, int]) -> None:
    weights, inside = trilinear_weights(np.zeros((1, 3)), np.eye(4), shape)
    assert inside.all()
    assert weights.sum() == 1


@given(st.lists(st.tuples(*[st.floats(-30, 30)] * 3), min_size=1, max_size=20))
def test_weights_of_every_point_inside_add_up_to_one(points: list[tuple[float, float, float]]) -> None:
    weights, inside = trilinear_weights(np.array(points), AFFINE, SHAPE)
    np.testing.assert_allclose(weights.sum(axis=1), inside, atol=1e-5)
    assert weights.data.size == 0 or weights.data.min() > 0
