"""The reliability atlas where its fields are constants: what it says of a cap follows by hand."""

from __future__ import annotations

import numpy as np
import pytest
from flax import nnx
from scipy import stats

from bids_eeg2fmri.network.reliability import GROUPS, Reliability, group_of

POINTS = np.random.default_rng(0).uniform(-60, 60, (5, 3)).astype(np.float32)
GREY = np.linspace(0, 1, 5, dtype=np.float32)
Z = (0.1, 0.2, 0.4, 0.6)
LOG_VARIANCE = (-4.0, 0.0, 0.5, -0.5, 1.0)
SIZES = (19.0, 32.0, 64.0, 128.0)


def atlas(people=(20, 20, 20, 20)):
    reliability = Reliability(n_fourier=4, width=8, rngs=nnx.Rngs(0))
    for field, values in ((reliability.mean, Z), (reliability.log_variance, LOG_VARIANCE)):
        field.maps.kernel[...] = 0 * field.maps.kernel[...]
        field.maps.bias[...] = np.array(values, np.float32)
    reliability.n_people[...] = np.array(people, np.float32)
    reliability.n_electrodes[...] = np.array(SIZES, np.float32)
    return reliability


def expected_lower(z, log_variance, n_people):
    reach = stats.t.ppf(0.9, n_people - 1) * np.sqrt(1 + 1 / n_people)
    return np.tanh(z - reach * np.exp(log_variance / 2))


@pytest.mark.parametrize(("size", "group"), [(8, 0), (25, 0), (26, 1), (45, 1), (46, 2), (90, 2), (91, 3), (300, 3)])
def test_caps_belong_to_groups(size, group):
    assert group_of(size) == group
    assert len(GROUPS) == 4


@pytest.mark.parametrize("group", range(4))
def test_at_a_groups_mean_size_its_own_maps(group):
    maps = atlas().r_maps(POINTS, GREY, int(SIZES[group]))
    np.testing.assert_allclose(maps.r, np.tanh(Z[group]), rtol=1e-5)
    lower = expected_lower(Z[group], LOG_VARIANCE[0] + LOG_VARIANCE[1 + group], 20)
    np.testing.assert_allclose(maps.lower, lower, rtol=1e-4)


def test_between_sizes_half_way_is_their_geometric_mean():
    size = round(np.sqrt(32 * 64))
    share = np.log(size / 32) / np.log(2)
    weights = atlas().weights(size)
    np.testing.assert_allclose(weights, [0, 1 - share, share, 0], atol=1e-6)
    assert share == pytest.approx(0.5, abs=0.01)
    maps = atlas().r_maps(POINTS, GREY, size)
    np.testing.assert_allclose(maps.r, np.tanh((1 - share) * 0.2 + share * 0.4), rtol=1e-5)


@pytest.mark.parametrize(("size", "group"), [(1, 0), (8, 0), (256, 3)])
def test_beyond_the_sizes_the_last_one_stays(size, group):
    np.testing.assert_array_equal(atlas().weights(size), np.eye(4)[group])


@pytest.mark.parametrize("size", [8, 19, 64, 256])
def test_one_cap_in_the_data_speaks_for_all(size):
    maps = atlas(people=(0, 12, 0, 0)).r_maps(POINTS, GREY, size)
    np.testing.assert_allclose(maps.r, np.tanh(0.2), rtol=1e-5)
    np.testing.assert_allclose(maps.lower, expected_lower(0.2, -3.5, 12), rtol=1e-4)


def test_few_people_promise_less_and_one_promises_nothing():
    lower = [float(atlas(people=(0, 0, n, 0)).r_maps(POINTS, GREY, 64).lower[0]) for n in (1000, 20, 3, 2, 1)]
    assert lower == sorted(lower, reverse=True)
    assert lower[0] == pytest.approx(np.tanh(0.4 - 1.2816 * np.exp(-2.25)), abs=2e-3)
    assert lower[-1] == -1
    assert np.isfinite(lower).all()


def test_without_people_nothing_is_known():
    fresh = Reliability(n_fourier=4, width=8, rngs=nnx.Rngs(0))
    assert not fresh.known and atlas().known
    with pytest.raises(ValueError, match="no group"):
        fresh.r_maps(POINTS, GREY, 64)


def test_what_is_exceeded_in_90_percent_of_people_is():
    rng = np.random.default_rng(1)
    mean, sd, n_people, n_trials = 0.3, 0.12, 6, 20_000
    samples = mean + sd * rng.standard_normal((n_trials, n_people))
    others = mean + sd * rng.standard_normal(n_trials)
    reach = stats.t.ppf(0.9, n_people - 1) * np.sqrt(1 + 1 / n_people)
    bound = samples.mean(axis=1) - reach * samples.std(axis=1, ddof=1)
    assert (others > bound).mean() == pytest.approx(0.9, abs=0.006)
