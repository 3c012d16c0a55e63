"""Everybody's similarity to everybody is what it is pair by pair."""

from __future__ import annotations

import numpy as np
import pytest

from bids_eeg2fmri.evaluation.connectivity import all_similarities, pair_similarity


@pytest.fixture
def people() -> np.ndarray:
    """Twelve people who share something, of whom some lack pairs, each their own or the same."""
    rng = np.random.default_rng(0)
    values = (rng.standard_normal(300) + rng.standard_normal((12, 300))).astype(np.float32)
    values[2:5, :40] = np.nan
    values[7, 100:200] = np.nan
    values[8] = 0.25
    values[9, 2:] = np.nan
    values[10] = np.nan
    return values


def reference(people: np.ndarray) -> np.ndarray:
    matrix = np.full((len(people), len(people)), np.nan)
    for one, a in enumerate(people):
        for other, b in enumerate(people):
            known = np.isfinite(a) & np.isfinite(b)
            if known.sum() >= 3 and np.ptp(a[known]) > 0 and np.ptp(b[known]) > 0:
                matrix[one, other] = np.corrcoef(a[known].astype(float), b[known].astype(float))[0, 1]
    return matrix


def test_all_pairs_at_once(people: np.ndarray) -> None:
    matrix = all_similarities(people)
    np.testing.assert_allclose(matrix, reference(people), atol=1e-5)
    np.testing.assert_array_equal(np.isnan(matrix).sum(axis=1), [3] * 8 + [12, 12, 12, 3])


def test_one_pair(people: np.ndarray) -> None:
    expected = reference(people)
    for one, other in ((0, 1), (0, 3), (7, 11), (0, 8), (0, 9), (0, 10)):
        assert pair_similarity(people[one], people[other]) == pytest.approx(expected[one, other], abs=1e-5, nan_ok=True)


def test_people_who_all_lack_the_same_pairs(people: np.ndarray) -> None:
    alike = people[:2].repeat(20, axis=0)
    alike[:, 5:50] = np.nan
    np.testing.assert_allclose(all_similarities(alike), reference(alike), atol=1e-5)


def test_nobody_is_more_than_alike() -> None:
    """Rounding alone takes products of equal rows beyond 1."""
    values = np.random.default_rng(0).standard_normal((50, 300)).astype(np.float32)
    matrix = all_similarities(np.concatenate([values, -values]))
    assert np.abs(matrix).max() <= 1
    assert all(abs(pair_similarity(row, sign * row)) <= 1 for row in values for sign in (1, -1))
