"""The sd of parcels' means: calibrated for whole parcels, a voxel's for a voxel, no less than right in between."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from bids_eeg2fmri.bold.parcellation import Overlap
from bids_eeg2fmri.synthesis.parcel_forecast import (
    PIECES_PER_PARCEL,
    combined_correlation,
    combined_sd,
    error_correlation,
)

N_BUNDLED = 3
PARCEL_SD, VOXEL_SD = np.array([[2.0, 3.0, 4.0]]), 6.0


def _lying(share: np.ndarray, covered: np.ndarray) -> Overlap:
    return Overlap(sparse.csr_array((len(share), 1)), np.asarray(share, float), np.asarray(covered, float))


def _sd(share, covered, correlation=None):
    correlation = np.eye(N_BUNDLED) if correlation is None else correlation
    voxel_sd = np.full((1, 1), VOXEL_SD)
    return combined_sd(_lying(np.array([share]), np.array([covered])), PARCEL_SD, voxel_sd, correlation)[0, 0]


def test_a_whole_bundled_parcel_has_its_calibrated_sd():
    assert _sd([0, 0, 1, 0], [0, 1, 0]) == pytest.approx(3)


def test_a_voxel_has_the_sd_of_a_voxel():
    assert _sd([0, 0, 1, 0], [0, 1e-9, 0]) == pytest.approx(VOXEL_SD)
    assert _sd([1, 0, 0, 0], [0, 0, 0]) == pytest.approx(VOXEL_SD)


def test_two_whole_parcels_by_their_correlation():
    correlation = error_correlation(np.eye(N_BUNDLED))
    r = correlation[0, 1]
    assert 0 < r < 1
    expected = np.sqrt(0.25 * (4 + 9 + 2 * r * 2 * 3))
    assert _sd([0, 0.5, 0.5, 0], [1, 1, 0], correlation) == pytest.approx(expected)


@pytest.mark.parametrize("n_covered", [1, 3, 5, 9, 10])
def test_a_part_of_a_parcel_of_pieces(n_covered):
    """Errors of ten pieces, of which a part is common: exact for any number of them."""
    rng = np.random.default_rng(0)
    common, alone = 2.0, 5.0
    errors = common * rng.standard_normal((50_000, 1)) + alone * rng.standard_normal((50_000, PIECES_PER_PARCEL))
    whole, part, voxel = errors.mean(axis=1).std(), errors[:, :n_covered].mean(axis=1).std(), errors[:, 0].std()
    lying = _lying(np.array([[0.0, 1.0]]), np.array([[n_covered / PIECES_PER_PARCEL]]))
    stated = combined_sd(lying, np.array([[whole]]), np.array([[voxel]]), np.eye(1))[0, 0]
    assert stated == pytest.approx(part, rel=0.02)


def test_correlations_are_those_of_a_covariance():
    rng = np.random.default_rng(1)
    root = rng.standard_normal((N_BUNDLED, 8))
    between = error_correlation(root @ root.T)
    share = rng.dirichlet(np.ones(N_BUNDLED + 1), 6)
    lying = _lying(share, rng.uniform(0, 1, (6, N_BUNDLED)))
    sd = combined_sd(lying, PARCEL_SD, np.full((1, 6), VOXEL_SD), between)[0]
    correlation = combined_correlation(lying, PARCEL_SD[0], sd, between)
    np.testing.assert_array_equal(np.diag(correlation), 1)
    np.testing.assert_allclose(correlation, correlation.T)
    assert np.linalg.eigvalsh(correlation).min() > -1e-9
