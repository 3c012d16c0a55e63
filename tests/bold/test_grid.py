"""Grids against TemplateFlow's numbers, and masks against the anatomy."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from bids_eeg2fmri.bold.grid import (
    CSF,
    GREY_MATTER,
    WHITE_MATTER,
    Grid,
    grey_fraction,
    make_grid,
    named_geometry,
    sample_template,
)
from bids_eeg2fmri.errors import BadDataError, MissingInputError, UsageError
from bids_eeg2fmri.settings import OutputSpace


@pytest.fixture(scope="module")
def grids() -> dict[str, Grid]:
    return {label: make_grid(OutputSpace(resolution=label)) for label in "1234"}


# res-1 and res-2: TemplateFlow, tpl-MNI152NLin2009cAsym.
@pytest.mark.parametrize(
    ("label", "size", "origin", "shape"),
    [
        ("1", 1, (-96, -132, -78), (193, 229, 193)),
        ("2", 2, (-96.5, -132.5, -78.5), (97, 115, 97)),
        ("3", 3, (-96, -132, -78), (65, 77, 65)),
        ("4", 4, (-96, -132, -78), (49, 58, 49)),
    ],
)
def test_named_grids_have_their_affine_and_shape(grids, label, size, origin, shape):
    grid = grids[label]
    assert grid.shape == grid.dseg.shape == shape
    np.testing.assert_array_equal(np.diag(grid.affine), [size, size, size, 1])
    np.testing.assert_array_equal(grid.affine[:3, 3], origin)
    assert grid.resolution == label
    assert f"{size} x {size} x {size} mm" in grid.description
    assert ("TemplateFlow" in grid.description) == (label in "12")


def test_brain_and_tissue_volumes_agree_between_resolutions_and_with_an_adult_brain(grids):
    litres = {label: grid.mask.sum() * np.prod(grid.voxel_size_mm) / 1e6 for label, grid in grids.items()}
    assert 1.6 < litres["1"] < 2.1  # the ICBM 152 average brain is larger than most
    for value in litres.values():
        assert value == pytest.approx(litres["1"], rel=0.03)
    for grid in grids.values():
        share = np.bincount(grid.tissue, minlength=4) / grid.tissue.size
        assert 0.35 < share[GREY_MATTER] < 0.65
        assert 0.2 < share[WHITE_MATTER] < 0.5
        assert 0.02 < share[CSF] < 0.25


def test_coordinates_follow_the_mask_in_c_order(grids):
    grid = grids["4"]
    volume = grid.volume(np.arange(len(grid.coordinates_mm), dtype=float), fill=-1)
    for row in (0, 1000, len(grid.coordinates_mm) - 1):
        voxel = np.argwhere(volume == row)[0]
        np.testing.assert_allclose(grid.affine[:3, :3] @ voxel + grid.affine[:3, 3], grid.coordinates_mm[row])
    assert (volume[~grid.mask] == -1).all()
    np.testing.assert_array_equal(grid.image(np.ones(len(grid.tissue))).get_fdata() > 0, grid.mask)


def test_a_reference_image_gives_its_grid(tmp_path: Path):
    affine = np.array([[-3.0, 0, 0, 90], [0, 3, 0, -126], [0, 0, 4, -72], [0, 0, 0, 1]])
    path = tmp_path / "reference.nii.gz"
    nib.save(nib.Nifti1Image(np.zeros((60, 72, 48, 2), np.float32), affine), path)
    grid = make_grid(OutputSpace(resolution=None, reference_image=path))
    assert grid.shape == (60, 72, 48)
    assert grid.resolution is None
    np.testing.assert_array_equal(grid.affine, affine)
    assert 1.5e6 < grid.mask.sum() * 36 < 2.1e6
    assert "reference image" in grid.description


def test_bad_requests_are_refused_with_a_reason(tmp_path: Path):
    with pytest.raises(UsageError, match="res-1"):
        make_grid(OutputSpace(resolution="5"))
    with pytest.raises(UsageError, match="MNI152NLin2009cAsym"):
        make_grid(OutputSpace(space="MNI152NLin6Asym"))
    with pytest.raises(MissingInputError):
        make_grid(OutputSpace(reference_image=tmp_path / "absent.nii"))
    (tmp_path / "text.nii").write_text("not an image")
    with pytest.raises(BadDataError):
        make_grid(OutputSpace(reference_image=tmp_path / "text.nii"))
    nib.save(nib.Nifti1Image(np.zeros((4, 4), np.float32), np.eye(4)), tmp_path / "flat.nii")
    with pytest.raises(BadDataError, match="3-D"):
        make_grid(OutputSpace(reference_image=tmp_path / "flat.nii"))


def test_grey_fraction_is_high_in_cortex_and_low_outside_the_head():
    fractions = grey_fraction(np.array([[-6.0, -82, 8], [0, 0, 150], [24, -40, 34]]))
    assert fractions[0] > 0.5  # calcarine cortex
    assert fractions[1] == 0
    assert fractions[2] < 0.3  # white matter


@pytest.mark.parametrize("label", ["2", "3", "4"])
def test_shipped_tissues_are_the_template_sampled_anew(grids, label):
    np.testing.assert_array_equal(grids[label].dseg, sample_template(*named_geometry(label)))
    assert grids[label].dseg.dtype == np.uint8
