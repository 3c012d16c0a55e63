"""Parcels by name or from a file: what is read, what is refused, and how they lie on a grid."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from bids_eeg2fmri.bold.atlas import load_atlas
from bids_eeg2fmri.bold.grid import make_grid
from bids_eeg2fmri.bold.parcellation import load_parcellation, overlap
from bids_eeg2fmri.errors import BadDataError, MissingInputError
from bids_eeg2fmri.settings import OutputSpace

# 8 mm voxels; the brain lies in the middle.
AFFINE = np.array([[8.0, 0, 0, -80], [0, 8, 0, -110], [0, 0, 8, -60], [0, 0, 0, 1]])
SHAPE = (20, 24, 18)


@pytest.fixture(scope="module")
def grid():
    return make_grid(OutputSpace(resolution="4"))


def _labels() -> np.ndarray:
    labels = np.zeros(SHAPE, np.int16)
    labels[4:7, 8:12, 8:11] = 30
    labels[12:15, 8:12, 8:11] = 7
    return labels


def _save(path: Path, data: np.ndarray, affine: np.ndarray = AFFINE) -> str:
    nib.save(nib.Nifti1Image(data, affine), path)
    return str(path)


def test_schaefer200_is_the_cortex_of_the_bundled_atlas(grid) -> None:
    atlas, parcels = load_atlas(), load_parcellation("Schaefer200")
    assert (parcels.label, len(parcels)) == ("Schaefer200", 200)
    lying = overlap(parcels, grid.coordinates_mm)
    cortical = np.array(atlas.networks) != "Subcortical"
    np.testing.assert_array_equal(parcels.names, np.array(atlas.names)[cortical])
    np.testing.assert_allclose(
        lying.averaging.toarray(), atlas.averaging_matrix(grid.coordinates_mm).toarray()[cortical], atol=1e-7
    )
    np.testing.assert_array_equal(lying.share[:, 1:][:, cortical], np.eye(200))
    np.testing.assert_array_equal(lying.covered[:, cortical], np.eye(200))
    assert not lying.share[:, 0].any()


def test_labels_of_a_file_keep_their_values_and_get_names(tmp_path: Path, grid) -> None:
    path = _save(tmp_path / "tpl-MNI152NLin2009cAsym_seg-Two_dseg.nii.gz", _labels())
    (tmp_path / "tpl-MNI152NLin2009cAsym_seg-Two_dseg.tsv").write_text("index\tname\tr\n7\tright one\t1\n1\tnone\t2\n")
    parcels = load_parcellation(path)
    assert (parcels.label, parcels.indices, parcels.names) == ("Two", (7, 30), ("right one", "parcel-30"))
    labels = parcels.labels_at(grid.coordinates_mm)
    x_mm = grid.coordinates_mm[:, 0]
    assert (x_mm[labels == 1] > 0).all() and (x_mm[labels == 2] < 0).all()
    lying = overlap(parcels, grid.coordinates_mm)
    np.testing.assert_allclose(lying.averaging.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(lying.share.sum(axis=1), 1)
    assert 0 < lying.covered.max() <= 1


def test_nearest_voxel_by_world_coordinates(tmp_path: Path) -> None:
    """Turned and shifted, against nibabel's own arithmetic."""
    affine = np.array([[0, -6.0, 0, 70], [6.0, 0, 0, -100], [0, 0, 6.0, -50], [0, 0, 0, 1]])
    labels = np.random.default_rng(0).integers(0, 5, (24, 24, 20)).astype(np.uint8)
    parcels = load_parcellation(_save(tmp_path / "turned.nii", labels, affine))
    voxels = np.array([[3, 4, 5], [20, 10, 12], [7, 18, 2]])
    places = nib.affines.apply_affine(affine, voxels) + 2.0
    np.testing.assert_array_equal(parcels.labels_at(places), labels[tuple(voxels.T)])


def test_the_digest_is_that_of_image_and_names(tmp_path: Path) -> None:
    one = load_parcellation(_save(tmp_path / "a.nii.gz", _labels()))
    (tmp_path / "a.tsv").write_text("index\tname\n7\tx\n")
    load_parcellation.cache_clear()
    assert load_parcellation(str(tmp_path / "a.nii.gz")).sha256 != one.sha256


def test_a_parcel_that_the_grid_misses_is_named_empty(tmp_path: Path, grid) -> None:
    labels = _labels()
    labels[0, 0, 0] = 1
    lying = overlap(load_parcellation(_save(tmp_path / "corner.nii.gz", labels)), grid.coordinates_mm)
    np.testing.assert_array_equal(lying.empty, [0])
    assert not lying.averaging[[0]].toarray().any()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda labels: labels + 0.5, "not whole numbers"),
        (lambda labels: labels - 1, "not whole numbers"),
        (lambda labels: 0 * labels, "no voxel has a label"),
        (lambda labels: np.stack([labels, labels], 3), "one 3-D volume is expected"),
        (lambda labels: np.where(labels > 0, np.nan, 0), "not whole numbers"),
        (lambda labels: np.roll(labels, 9, axis=2), "another space"),
    ],
    ids=["fractions", "negative", "empty", "series", "nan", "elsewhere"],
)
def test_images_that_are_refused(tmp_path: Path, change, reason: str) -> None:
    data = change(_labels().astype(np.float32)).astype(np.float32)
    with pytest.raises(BadDataError, match=reason):
        load_parcellation(_save(tmp_path / "bad.nii.gz", data))


def test_names_of_other_spaces_and_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(BadDataError, match="space MNI152NLin6Asym by its name"):
        load_parcellation(_save(tmp_path / "space-MNI152NLin6Asym_dseg.nii.gz", _labels()))
    with pytest.raises(MissingInputError, match="schaefer200"):
        load_parcellation(str(tmp_path / "absent.nii.gz"))
    (tmp_path / "text.nii.gz").write_text("no image")
    with pytest.raises(BadDataError, match="cannot be read"):
        load_parcellation(str(tmp_path / "text.nii.gz"))


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ("label\tname\n1\ta\n", "cannot be used"),
        ("index\tname\none\ta\n", "cannot be used"),
        ("index\tname\n7\tsame\n30\tsame\n", "several parcels have the name 'same'"),
    ],
)
def test_tables_that_are_refused(tmp_path: Path, table: str, reason: str) -> None:
    path = _save(tmp_path / "parcels.nii.gz", _labels())
    (tmp_path / "parcels.tsv").write_text(table)
    with pytest.raises(BadDataError, match=reason):
        load_parcellation(path)
