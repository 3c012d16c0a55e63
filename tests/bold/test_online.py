"""Streamed statistics against the same statistics of the whole series."""

from __future__ import annotations

import numpy as np
import pytest

from bids_eeg2fmri.bold import thinning
from bids_eeg2fmri.bold.grid import CSF, WHITE_MATTER, make_grid
from bids_eeg2fmri.bold.online import OnlineStatistics
from bids_eeg2fmri.bold.series_statistics import CARPET_ORDER
from bids_eeg2fmri.settings import OutputSpace


@pytest.fixture(scope="module")
def grid():
    return make_grid(OutputSpace(resolution="4"))


@pytest.fixture(scope="module")
def series_z(grid):
    return np.random.default_rng(3).standard_normal((37, len(grid.tissue))).astype(np.float32)


@pytest.fixture(scope="module")
def sd_z(series_z):
    return np.abs(series_z[::-1]) + 0.1


def streamed(grid, series_z, sd_z, cuts=(10, 11, 30)):
    statistics = OnlineStatistics(grid, len(series_z), n_carpet=500)
    for values, sd in zip(np.split(series_z, cuts), np.split(sd_z, cuts), strict=True):
        statistics.update(values, sd)
    return statistics.finish()


def test_maps_and_series_equal_those_of_the_whole_recording(grid, series_z, sd_z):
    statistics = streamed(grid, series_z, sd_z)
    bold = 1000 + 10 * series_z.astype(float)
    np.testing.assert_allclose(statistics.mean_map, bold.mean(0), rtol=1e-6)
    np.testing.assert_allclose(statistics.tstd_map, bold.std(0), rtol=1e-4)
    np.testing.assert_allclose(statistics.total_sd_map, 10 * np.sqrt((sd_z.astype(float) ** 2).mean(0)), rtol=1e-5)
    np.testing.assert_allclose(statistics.mean_sd_z, sd_z.mean(1), rtol=1e-5)
    np.testing.assert_allclose(statistics.csf, bold[:, grid.tissue == CSF].mean(1), rtol=1e-6)
    np.testing.assert_allclose(statistics.white_matter, bold[:, grid.tissue == WHITE_MATTER].mean(1), rtol=1e-6)
    np.testing.assert_allclose(statistics.global_signal, bold.mean(1), rtol=1e-6)
    steps = np.diff(bold, axis=0)
    assert np.isnan(statistics.dvars[0])
    np.testing.assert_allclose(statistics.dvars[1:], np.sqrt((steps**2).mean(1)), rtol=1e-5)
    typical = np.sqrt((steps**2).mean(0)).mean()
    np.testing.assert_allclose(statistics.std_dvars[1:], np.sqrt((steps**2).mean(1)) / typical, rtol=1e-5)


def test_the_block_size_does_not_matter(grid, series_z, sd_z):
    whole, pieces = streamed(grid, series_z, sd_z, cuts=()), streamed(grid, series_z, sd_z, cuts=range(1, 37))
    np.testing.assert_array_equal(whole.mean_map, pieces.mean_map)
    np.testing.assert_array_equal(whole.tstd_map, pieces.tstd_map)
    np.testing.assert_array_equal(whole.dvars, pieces.dvars)


def test_a_tiny_sd_on_a_large_mean_is_not_lost(grid, series_z, sd_z):
    statistics = streamed(grid, 50 + 1e-3 * series_z, sd_z)
    np.testing.assert_allclose(statistics.tstd_map, 1e-2 * series_z.std(0), rtol=0.02)


def test_the_carpet_is_a_fixed_subset_ordered_by_tissue(grid, series_z, sd_z):
    statistics = streamed(grid, series_z, sd_z)
    assert statistics.carpet_z.shape == (500, 37)
    ranks = [CARPET_ORDER.index(tissue) for tissue in statistics.carpet_tissue]
    assert ranks == sorted(ranks)
    voxels = [np.flatnonzero((head == series_z[:2].T).all(1))[0] for head in statistics.carpet_z[:, :2]]
    np.testing.assert_array_equal(statistics.carpet_z, series_z[:, voxels].T)
    np.testing.assert_array_equal(statistics.carpet_tissue, grid.tissue[voxels])
    again = streamed(grid, 2 * series_z, sd_z)
    np.testing.assert_array_equal(again.carpet_z, 2 * statistics.carpet_z)


@pytest.mark.parametrize("cuts", [(), (10, 11, 30)])
def test_the_global_signals_share_is_the_mean_correlation_of_pairs(grid, series_z, sd_z, cuts):
    together = 0.5 * series_z + series_z[:, :1] + 3
    statistics = streamed(grid, together, sd_z, cuts)
    assert statistics.global_signal_share == pytest.approx(np.corrcoef(statistics.carpet_z).mean(), rel=1e-4)


def test_a_long_carpet_is_thinned(grid, series_z, sd_z, monkeypatch):
    whole = streamed(grid, series_z, sd_z)
    monkeypatch.setattr(thinning, "MOST_COLUMNS", 10)
    thinned = streamed(grid, series_z, sd_z)
    assert thinned.carpet_z.shape == (500, 10)
    np.testing.assert_allclose(thinned.carpet_z[:, 2], whole.carpet_z[:, 8:12].mean(axis=1), atol=1e-6)
    np.testing.assert_allclose(thinned.carpet_z[:, -1], whole.carpet_z[:, 36], atol=1e-6)
    assert thinned.global_signal_share == pytest.approx(whole.global_signal_share)


def test_a_constant_prediction_gives_no_division_by_zero(grid):
    constant = np.full((5, len(grid.tissue)), 0.5, np.float32)
    statistics = streamed(grid, constant, constant, cuts=(2,))
    assert statistics.global_signal_share == 0
    assert (statistics.tstd_map == 0).all()
    assert (statistics.dvars[1:] == 0).all()
    assert (statistics.std_dvars[1:] == 0).all()
