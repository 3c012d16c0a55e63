"""Parcels' means of a network with a grid of its own, and what its draws say of them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from bids_eeg2fmri.bold.grid import make_grid
from bids_eeg2fmri.bold.parcellation import Overlap
from bids_eeg2fmri.settings import OutputSpace
from bids_eeg2fmri.synthesis.drawn import summarised
from bids_eeg2fmri.synthesis.published_parcels import block_of_parcels, joined_parcels
from bids_eeg2fmri.synthesis.volume_maps import VolumeMaps

# Half of a parcel of ten pieces: 1/9 of the way to a voxel.
HALF = np.sqrt(8 / 9 * 0.8**2 + 1 / 9 * 1.1**2)
N_VOXELS, N_BUNDLED, N_DRAWS, N_VOLUMES = 12, 2, 8, 5
FACTOR, VOXEL_FACTOR, RESIDUAL = np.array([0.5, 0.8]), 1.1, 0.9
# Two bundled parcels of six voxels. Asked for: the first, half of the second, both.
MEMBERS = np.zeros((3, N_VOXELS))
MEMBERS[0, :6] = 1 / 6
MEMBERS[1, 6:9] = 1 / 3
MEMBERS[2] = 1 / 12
LYING = Overlap(
    sparse.csr_array(MEMBERS),
    np.array([[0, 1, 0], [0, 0, 1], [0, 0.5, 0.5]]),
    np.array([[1, 0], [0, 0.5], [1, 1]]),
)


@pytest.fixture
def maps() -> VolumeMaps:
    return VolumeMaps(
        grid=make_grid(OutputSpace(resolution="4")),
        interpolation=sparse.csr_array(np.eye(N_VOXELS)),
        averaging=sparse.csr_array((N_BUNDLED, N_VOXELS)),
        residual_sd=np.full(N_VOXELS, RESIDUAL),
        voxel_factor=np.full(N_VOXELS, VOXEL_FACTOR),
        parcel_factor=FACTOR,
    )


def _block(maps: VolumeMaps, spread: float):
    rng = np.random.default_rng(0)
    members = [rng.standard_normal((1, N_VOXELS)) * spread + np.zeros((N_VOLUMES + 2, 1)) for _ in range(N_DRAWS)]
    ones = np.ones(N_VOLUMES)
    return members, block_of_parcels(maps, LYING, summarised(members, 1.0), members, ones, 2 * ones)


def test_the_multiple_of_the_voxels_sd(maps) -> None:
    """Novelty widens by two; a half covered parcel lies between the parcel's factor and a voxel's."""
    _, block = _block(maps, 0.0)
    both = np.sqrt((0.5**2 + 0.8**2) / 2)
    np.testing.assert_allclose(block.aleatoric_sd, np.tile(2 * RESIDUAL * np.array([0.5, HALF, both]), (N_VOLUMES, 1)))


@pytest.mark.parametrize("spread", [0.2, 5.0], ids=["agreeing", "disagreeing"])
def test_what_draws_share_is_part_of_the_calibrated_total(maps, spread) -> None:
    members, block = _block(maps, spread)
    variance = RESIDUAL**2 + np.var(members, axis=0, ddof=1)[0]
    squared = np.square([0.5, HALF, np.sqrt((0.5**2 + 0.8**2) / 2)])
    total = 4 * squared * (MEMBERS @ variance)
    epistemic = np.square(block.deviations).sum(axis=0)
    np.testing.assert_allclose(np.square(block.aleatoric_sd) + epistemic, np.tile(total, (N_VOLUMES, 1)))
    of_means = 4 * squared * np.var([MEMBERS @ member[0] for member in members], axis=0, ddof=1)
    np.testing.assert_allclose(epistemic, np.tile(np.minimum(of_means, total), (N_VOLUMES, 1)), rtol=1e-6)


def test_blocks_are_joined_in_time(maps) -> None:
    _, block = _block(maps, 0.2)
    forecast = joined_parcels([block, block])
    assert forecast.mean_z.shape == forecast.sd_z.shape == (2 * N_VOLUMES, 3)
    assert forecast.deviations_z.shape == (N_DRAWS, 2 * N_VOLUMES, 3)
    np.testing.assert_array_equal(forecast.correlation, np.eye(3))
