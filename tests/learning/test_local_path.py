"""The weights that regions share, on BOLD that was made from them."""

import numpy as np
import pytest

from bids_eeg2fmri.evaluation.scores import temporal_correlation
from bids_eeg2fmri.learning.local_path import LocalPath, fit_shared_weights, fit_spread, solve_around
from bids_eeg2fmri.learning.ridge import accumulate, solve

N_PARCELS, N_STATES, N_STREAMS = 60, 40, 4
TRUE = np.array([1.0, 0.0, -0.5, 0.3])
PARCELS = np.eye(N_PARCELS, dtype=np.float32)


@pytest.fixture(scope="module")
def loadings():
    return (np.random.default_rng(5).standard_normal((N_PARCELS, N_STATES)) / np.sqrt(N_STATES)).astype(np.float32)


def _recordings(n, seed, loadings):
    rng = np.random.default_rng(seed)
    for _ in range(n):
        states = rng.standard_normal((80, N_STREAMS, N_STATES)).astype(np.float32)
        truth = np.einsum("vts,t,ps->vp", states, TRUE, loadings)
        noisy = truth + 3 * rng.standard_normal(truth.shape)
        yield states.reshape(80, -1), noisy.astype(np.float32), truth


@pytest.fixture(scope="module")
def moments(loadings):
    return accumulate((x, y) for x, y, _ in _recordings(20, 0, loadings))


@pytest.fixture(scope="module")
def local(moments, loadings):
    to_parcels = fit_shared_weights(moments, PARCELS, loadings)
    return LocalPath(to_parcels, fit_spread(moments, to_parcels, 0.1))


def _weights(to_parcels, loadings):
    """One weight per stream, and that there is nothing else."""
    blocks = to_parcels.reshape(N_STREAMS, N_STATES, N_PARCELS)
    weights = np.einsum("tsp,ps->t", blocks, loadings) / np.square(loadings).sum()
    np.testing.assert_allclose(blocks, weights[:, None, None] * loadings.T, atol=1e-5)
    return weights


def test_finds_the_streams_and_signs(local, loadings):
    np.testing.assert_allclose(_weights(local.to_parcels, loadings), TRUE, atol=0.05)


def test_shared_weights_are_the_least_squares_over_all_volumes_and_parcels(moments, loadings):
    """Every volume of every parcel is a row; every stream's prediction of it a column."""
    rows, right = [], []
    for states, noisy, _ in _recordings(20, 0, loadings):
        by_stream = states.reshape(80, N_STREAMS, N_STATES) @ loadings.T
        rows.append(by_stream.transpose(0, 2, 1).reshape(-1, N_STREAMS))
        right.append(noisy.ravel())
    expected = np.linalg.lstsq(np.concatenate(rows), np.concatenate(right), rcond=None)[0]
    found = _weights(fit_shared_weights(moments, PARCELS, loadings), loadings)
    np.testing.assert_allclose(found, expected, atol=2e-3)


def test_parcels_without_bold_teach_nothing(loadings):
    def blind():
        for states, noisy, _ in _recordings(20, 0, loadings):
            gaps = noisy.copy()
            gaps[:, :25] = np.nan
            yield states, gaps

    found = _weights(fit_shared_weights(accumulate(blind()), PARCELS, loadings), loadings)
    np.testing.assert_allclose(found, TRUE, atol=0.07)


def test_parcels_of_several_voxels_are_their_average(loadings):
    """Two voxels per parcel, of which one nobody has: the other is the parcel."""
    averaging = np.repeat(PARCELS, 2, axis=0) / 2

    def pairs():
        for states, noisy, _ in _recordings(20, 0, loadings):
            both = np.repeat(noisy, 2, axis=1)
            both[:, 1::2] = np.nan
            yield states, both

    single = fit_shared_weights(accumulate((x, y) for x, y, _ in _recordings(20, 0, loadings)), PARCELS, loadings)
    np.testing.assert_allclose(fit_shared_weights(accumulate(pairs()), averaging, loadings), single, atol=1e-4)


def test_the_spread_is_the_ridge_on_what_parcels_predict(moments, loadings):
    to_parcels = fit_shared_weights(moments, PARCELS, loadings)
    pairs = [(states @ to_parcels, noisy) for states, noisy, _ in _recordings(20, 0, loadings)]
    x, y = (np.concatenate(part).astype(float) for part in zip(*pairs, strict=True))
    gram = x.T @ x
    penalty = 0.1 * np.trace(gram) / len(gram)
    expected = np.linalg.solve(gram + penalty * np.eye(len(gram)), x.T @ y)
    np.testing.assert_allclose(fit_spread(moments, to_parcels, 0.1), expected, atol=2e-3)


def test_shrinking_towards_it_beats_shrinking_towards_nothing(moments, local, loadings):
    around, plain = solve_around(moments, local, 3.0), solve(moments.gram, moments.cross, 3.0)
    r = np.array(
        [
            [temporal_correlation(x @ weights, truth).mean() for weights in (around, plain)]
            for x, _, truth in _recordings(4, 1, loadings)
        ]
    )
    assert (r[:, 0] > r[:, 1] + 0.05).all()


def test_the_penalty_draws_to_the_local_solution_and_none_leaves_least_squares(moments, local):
    start = local.to_parcels @ local.to_voxels
    np.testing.assert_allclose(solve_around(moments, local, 1e8), start, atol=1e-5)
    np.testing.assert_allclose(solve_around(moments, local, 1e-7), solve(moments.gram, moments.cross, 0.0), atol=5e-3)


def test_projection_on_maps_is_the_projection_of_the_weights(moments, local):
    maps = np.random.default_rng(2).standard_normal((N_PARCELS, 3)).astype(np.float32)
    np.testing.assert_allclose(
        solve_around(moments, local, 3.0, maps), solve_around(moments, local, 3.0) @ maps, rtol=1e-2, atol=1e-3
    )
