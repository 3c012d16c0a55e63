"""Streamed voxel scores against whole-array computations and closed forms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bids_eeg2fmri.evaluation.scores import crps_gaussian, r_squared, skill, temporal_correlation
from bids_eeg2fmri.evaluation.voxels import VoxelScores


def streamed(mean, sd, observed, valid=None, sizes=(1000,)):
    scores = VoxelScores(np.ones(mean.shape[1], bool) if valid is None else valid)
    start = 0
    for size in sizes:
        block = slice(start, start + size)
        scores.update(mean[block], None if sd is None else sd[block], observed[block])
        start += size
    return scores


@settings(deadline=None, max_examples=25)
@given(sizes=st.lists(st.integers(1, 30), min_size=3, max_size=6), seed=st.integers(0, 5))
def test_blocks_do_not_matter(sizes, seed):
    rng = np.random.default_rng(seed)
    mean, observed = rng.standard_normal((2, sum(sizes), 7)).astype(np.float32) + 3
    sd = rng.uniform(0.5, 2, mean.shape).astype(np.float32)
    scores = streamed(mean, sd, observed, sizes=sizes)
    found, maps = scores.scores(), scores.maps()
    np.testing.assert_allclose(maps.r, temporal_correlation(mean, observed), atol=1e-5)
    np.testing.assert_allclose(maps.crps, crps_gaussian(mean, sd, observed).mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(found["r2"], r_squared(mean, observed), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found["skill"], skill(mean, observed, 0 * mean), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(maps.spatial_r, temporal_correlation(mean.T, observed.T), atol=1e-5)


def test_a_constant_forecast_has_no_correlation_and_no_skill():
    observed = np.random.default_rng(0).standard_normal((60, 9)).astype(np.float32)
    zero = streamed(np.zeros_like(observed), None, observed).scores()
    assert zero["voxel_r"] == zero["spatial_r"] == zero["skill"] == 0
    assert zero["r2"] == pytest.approx(0, abs=0.1)
    assert streamed(np.full_like(observed, 0.1), None, observed).scores()["voxel_r"] == 0
    assert "crps" not in zero


def test_the_known_share_of_variance():
    rng = np.random.default_rng(1)
    signal, noise = rng.standard_normal((2, 2000, 20))
    observed = 0.6 * signal + 0.8 * noise
    found = streamed(0.6 * signal, np.full_like(signal, 0.8), observed).scores()
    assert found["r2"] == pytest.approx(0.36, abs=0.02)
    assert found["voxel_r"] == pytest.approx(0.6, abs=0.02)
    assert found["crps"] == pytest.approx(0.8 / np.sqrt(np.pi), rel=0.02)
    assert found["crps_ratio"] == pytest.approx(0.8, rel=0.02)
    assert found["interval_width_90"] == pytest.approx(2 * 1.6449 * 0.8, rel=1e-3)


def test_a_gaussian_is_covered_as_often_as_it_says():
    rng = np.random.default_rng(2)
    mean, sd = rng.standard_normal((500, 100)), rng.uniform(0.2, 3, (500, 100))
    found = streamed(mean, sd, mean + sd * rng.standard_normal(mean.shape)).scores()
    for level in (50, 80, 90, 95):
        # 50,000 independent values: five standard errors.
        assert found[f"coverage_{level}"] == pytest.approx(level / 100, abs=5 * np.sqrt(0.25 / mean.size))


def test_calibrated_widths_are_used():
    observed = np.full((10, 4), 1.5, np.float32)
    scores = VoxelScores(np.ones(4, bool), {"0.5": 0.1, "0.8": 1.0, "0.9": 2.0, "0.95": 3.0})
    scores.update(0 * observed, 0 * observed + 1, observed)
    found = scores.scores()
    assert [found[f"coverage_{level}"] for level in (50, 80, 90, 95)] == [0, 0, 1, 1]
    assert found["interval_width_90"] == 4


def test_voxels_without_signal_do_not_count():
    rng = np.random.default_rng(3)
    mean, observed = rng.standard_normal((2, 40, 6))
    valid = np.array([True, True, False, True, False, True])
    expected = streamed(mean[:, valid], None, observed[:, valid]).scores()
    mean[:, ~valid], observed[:, ~valid] = np.nan, np.nan
    scores = streamed(mean, None, observed, valid)
    assert scores.scores() == expected
    np.testing.assert_array_equal(np.isnan(scores.maps().r), ~valid)
    nowhere = streamed(mean, None, observed, np.zeros(6, bool)).scores()
    assert all(np.isnan(value) for value in nowhere.values())
