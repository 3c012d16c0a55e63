"""The bundled parcels: their count, places, and averages."""

from __future__ import annotations

import numpy as np
import pytest

from bids_eeg2fmri.bold.atlas import NETWORKS, load_atlas
from bids_eeg2fmri.bold.grid import GREY_MATTER, make_grid
from bids_eeg2fmri.settings import OutputSpace


@pytest.fixture(scope="module")
def grid():
    return make_grid(OutputSpace(resolution="3"))


def test_there_are_200_cortical_and_14_subcortical_parcels():
    atlas = load_atlas()
    assert len(atlas) == 214 == len(set(atlas.names))
    assert atlas.networks.count("Subcortical") == 14
    assert set(atlas.networks) == set(NETWORKS)
    np.testing.assert_array_equal(np.unique(atlas.labels), np.arange(215))


def test_parcels_lie_in_their_hemisphere_and_their_centre_of_mass():
    atlas = load_atlas()
    x_mm = atlas.centres_mm[:, 0]
    left = np.array([hemisphere.upper().startswith("L") for hemisphere in atlas.hemispheres])
    assert (x_mm[left] < 0).all()
    assert (x_mm[~left] > 0).all()
    for parcel in (0, 99, 150, 213):
        voxels = np.argwhere(atlas.labels == parcel + 1)
        centre_mm = atlas.affine[:3, :3] @ voxels.mean(0) + atlas.affine[:3, 3]
        np.testing.assert_allclose(centre_mm, atlas.centres_mm[parcel], atol=0.1)


def test_visual_parcels_are_posterior():
    atlas = load_atlas()
    visual = np.array(atlas.networks) == "Vis"
    assert atlas.centres_mm[visual, 1].mean() < -60


def test_labels_at_coordinates_are_those_of_the_nearest_voxel():
    atlas = load_atlas()
    voxel = np.argwhere(atlas.labels == 42)[5]
    centre_mm = atlas.affine[:3, :3] @ voxel + atlas.affine[:3, 3]
    np.testing.assert_array_equal(atlas.labels_at(np.array([centre_mm, centre_mm + 0.4, [0, 0, 500]])), [42, 42, 0])


def test_averaging_matrix_gives_parcel_means(grid):
    atlas = load_atlas()
    matrix = atlas.averaging_matrix(grid.coordinates_mm)
    assert matrix.shape == (214, len(grid.tissue))
    np.testing.assert_allclose(matrix.sum(1), 1, rtol=1e-5)
    labels = atlas.labels_at(grid.coordinates_mm)
    values = np.random.default_rng(0).standard_normal(len(labels)).astype(np.float32)
    means = [values[labels == parcel].mean() for parcel in range(1, 215)]
    np.testing.assert_allclose(matrix @ values, means, atol=1e-5)


def test_most_of_the_parcels_voxels_are_grey_matter_or_at_its_edge(grid):
    labels = load_atlas().labels_at(grid.coordinates_mm)
    assert (grid.tissue[labels > 0] == GREY_MATTER).mean() > 0.6
