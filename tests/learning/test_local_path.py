"""The shared local weights on BOLD that was made from them."""

import numpy as np
import pytest

from bids_eeg2fmri.evaluation.scores import temporal_correlation
from bids_eeg2fmri.learning.local_path import NEIGHBOURHOODS_MM, fit_local_path, solve_around
from bids_eeg2fmri.learning.ridge import accumulate, solve

N_PARCELS, N_BANDS, N_LAGS = 214, 6, 2


def _recordings(n, seed):
    rng = np.random.default_rng(seed)
    for _ in range(n):
        features = rng.standard_normal((80, N_LAGS, N_PARCELS, N_BANDS)).astype(np.float32)
        truth = features[:, 0, :, 5] - features[:, 1, :, 2]
        noisy = truth + 3 * rng.standard_normal(truth.shape)
        yield features.reshape(80, -1), noisy.astype(np.float32), truth


@pytest.fixture(scope="module")
def moments():
    return accumulate((x, y) for x, y, _ in _recordings(20, 0))


def test_finds_the_bands_lags_and_signs(moments):
    local = fit_local_path(moments, np.eye(N_PARCELS, dtype=np.float32), 0.1)
    own = np.diagonal(local.to_parcels.reshape(N_LAGS, N_PARCELS, N_BANDS, N_PARCELS), axis1=1, axis2=3)
    expected = np.zeros((N_LAGS, N_BANDS))
    expected[0, 5], expected[1, 2] = 1, -1
    np.testing.assert_allclose(own.mean(axis=2), expected, atol=0.05)
    assert NEIGHBOURHOODS_MM[0] == 0


def test_shrinking_towards_it_beats_shrinking_towards_nothing(moments):
    local = fit_local_path(moments, np.eye(N_PARCELS, dtype=np.float32), 0.1)
    around, plain = solve_around(moments, local, 3.0), solve(moments.gram, moments.cross, 3.0)
    r = np.array(
        [
            [temporal_correlation(x @ weights, truth).mean() for weights in (around, plain)]
            for x, _, truth in _recordings(4, 1)
        ]
    )
    assert (r[:, 0] > r[:, 1] + 0.1).all()


def test_projection_on_maps_is_the_projection_of_the_weights(moments):
    local = fit_local_path(moments, np.eye(N_PARCELS, dtype=np.float32), 0.1)
    maps = np.random.default_rng(2).standard_normal((N_PARCELS, 3)).astype(np.float32)
    np.testing.assert_allclose(
        solve_around(moments, local, 3.0, maps), solve_around(moments, local, 3.0) @ maps, rtol=1e-2, atol=1e-3
    )
