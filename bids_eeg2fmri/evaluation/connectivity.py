"""Whether a forecast connects the parcels as the scanner's series do."""

from __future__ import annotations

from itertools import combinations_with_replacement

import numpy as np
from jaxtyping import Float

_LEAST_PAIRS = 3
_LEAST_RANGE = 1e-6


def connectivity_similarity(
    predicted: Float[np.ndarray, "volumes parcels"], observed: Float[np.ndarray, "volumes parcels"]
) -> float:
    """Correlation between the two matrices of functional connectivity.

    Connectivity is the Pearson correlation of every pair of parcels; the matrices are compared over the pairs above
    the diagonal whose parcels vary in both. NaN with fewer than three such parcels, or where one of the matrices
    is constant. It needs no agreement in time: a series shifted as a whole keeps all of it.
    """
    varies = (np.ptp(predicted, axis=0) > 0) & (np.ptp(observed, axis=0) > 0)
    if varies.sum() < 3:
        return float("nan")
    one, other = (np.corrcoef(series[:, varies], rowvar=False) for series in (predicted, observed))
    return matrix_similarity(one, other)


def matrix_similarity(one: Float[np.ndarray, "parcels parcels"], other: Float[np.ndarray, "parcels parcels"]) -> float:
    """Correlation between two matrices over the pairs above the diagonal that are finite in both.

    NaN with fewer than three such pairs, or where one of the matrices is constant.
    """
    pairs = np.triu_indices(len(one), 1)
    return pair_similarity(np.asarray(one)[pairs], np.asarray(other)[pairs])


def pair_similarity(one: Float[np.ndarray, " pairs"], other: Float[np.ndarray, " pairs"]) -> float:
    """As :func:`matrix_similarity`, of the entries above the diagonal alone."""
    known = np.isfinite(one) & np.isfinite(other)
    product = _standardised(one[None, known]) @ _standardised(other[None, known]).T
    return float(np.clip(product, -1, 1)[0, 0])


def all_similarities(people: Float[np.ndarray, "people pairs"]) -> Float[np.ndarray, "people people"]:
    """:func:`pair_similarity` of everybody with everybody, in time for thousands of people.

    Parameters
    ----------
    people
        Everybody's entries above the diagonal.
    """
    known = np.isfinite(people)
    _, first, group = np.unique(np.packbits(known, axis=1), axis=0, return_index=True, return_inverse=True)
    # People usually lack the same pairs, or none: then all of them are one group and one product.
    members = [np.flatnonzero(group.ravel() == number) for number in range(len(first))]
    matrix = np.empty((len(people), len(people)), np.float32)
    for one, other in combinations_with_replacement(range(len(members)), 2):
        common = known[first[one]] & known[first[other]]
        rows = _standardised(people[np.ix_(members[one], common)])
        columns = rows if one == other else _standardised(people[np.ix_(members[other], common)])
        # Rounding takes the product of equal rows beyond 1.
        block = np.clip(rows @ columns.T, -1, 1)
        matrix[np.ix_(members[one], members[other])] = block
        matrix[np.ix_(members[other], members[one])] = block.T
    return matrix


def _standardised(values: Float[np.ndarray, "rows pairs"]) -> Float[np.ndarray, "rows pairs"]:
    """Rows whose products are correlations; NaN where a row is constant or there are fewer than three pairs."""
    if values.shape[1] < _LEAST_PAIRS:
        return np.full((len(values), 1), np.nan)
    centred = values - values.mean(axis=1, keepdims=True)
    centred[np.ptp(values, axis=1) < _LEAST_RANGE] = np.nan
    centred /= np.linalg.norm(centred, axis=1, keepdims=True)
    return centred
