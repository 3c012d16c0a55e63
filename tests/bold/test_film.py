"""The viewer's slices show the right place at the right time, whatever the grid and the blocks."""

from __future__ import annotations

import numpy as np
import pytest

from bids_eeg2fmri.bold.film import PIXEL_MM, SLICES_MM, SliceFilm
from bids_eeg2fmri.bold.grid import Grid, make_grid
from bids_eeg2fmri.settings import OutputSpace


@pytest.fixture(scope="module", params=["4", "3"])
def grid(request: pytest.FixtureRequest) -> Grid:
    return make_grid(OutputSpace(resolution=request.param))


def test_pixels_are_where_they_are(grid: Grid) -> None:
    film = SliceFilm(grid, 3)
    x, y, z = grid.coordinates_mm.T
    film.update(0, np.stack([x, y, z]), np.ones((3, len(x)), np.float32))
    across, along, up = film.mean_z
    reach = 0.5 * max(grid.voxel_size_mm) + 1e-3
    columns = np.arange(film.inside.shape[2]) * PIXEL_MM - 74
    rows = np.arange(film.inside.shape[1]) * PIXEL_MM - 106
    for shown, expected in (
        (across, columns[None, None, :]),
        (along, rows[None, :, None]),
        (up, np.array(SLICES_MM)[:, None, None]),
    ):
        assert np.nanmax(np.abs(shown - expected)) <= reach
    assert np.isnan(across[~film.inside]).all()
    assert film.inside.mean() > 0.4


def test_blocks_make_no_difference(grid: Grid) -> None:
    n_volumes = 100
    series = np.arange(n_volumes, dtype=np.float32)[:, None] * np.ones(len(grid.tissue), np.float32)
    whole, blocks = SliceFilm(grid, n_volumes), SliceFilm(grid, n_volumes)
    whole.update(0, series, 2 * series)
    for first in range(0, n_volumes, 33):
        blocks.update(first, series[first : first + 33], 2 * series[first : first + 33])
    np.testing.assert_array_equal(whole.mean_z, blocks.mean_z)
    np.testing.assert_array_equal(blocks.mean_z[:, blocks.inside].mean(axis=1), whole.volumes)
    np.testing.assert_array_equal(blocks.sd_z[:, blocks.inside], 2 * blocks.mean_z[:, blocks.inside])
    assert whole.volumes[0] == 0 and whole.volumes[-1] == n_volumes - 1
    assert len(whole.volumes) <= 40


def test_one_volume_is_one_frame(grid: Grid) -> None:
    assert SliceFilm(grid, 1).volumes.tolist() == [0]
