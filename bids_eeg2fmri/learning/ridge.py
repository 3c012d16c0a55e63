"""The linear path in closed form: ridge regression, its reduced rank, and its jackknife over people."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
from jaxtyping import Float
from scipy import linalg

_VOLUMES_PER_PRODUCT = 2000


@dataclass(frozen=True)
class Moments:
    """Sums over volumes that a ridge regression needs: features x features and features x voxels."""

    gram: Float[np.ndarray, "features features"]
    cross: Float[np.ndarray, "features voxels"]
    n_volumes: int

    def __add__(self, other: Moments) -> Moments:
        return Moments(self.gram + other.gram, self.cross + other.cross, self.n_volumes + other.n_volumes)

    def __sub__(self, other: Moments) -> Moments:
        return Moments(self.gram - other.gram, self.cross - other.cross, self.n_volumes - other.n_volumes)


def joined(parts: Sequence[Moments]) -> Moments:
    """The moments of all parts together."""
    return reduce(operator.add, parts)


def accumulate(
    pairs: Iterable[tuple[Float[np.ndarray, "volumes features"], Float[np.ndarray, "volumes voxels"]]],
) -> Moments:
    """Sum the moments of many recordings; a few recordings are in memory at a time."""
    total: Moments | None = None
    for features, targets in _batches(pairs):
        if total is None:
            total = Moments(features.T @ features, features.T @ targets, len(features))
            continue
        # In place: these are the largest arrays of the whole training.
        np.add(total.gram, features.T @ features, out=total.gram)
        np.add(total.cross, features.T @ targets, out=total.cross)
        total = Moments(total.gram, total.cross, total.n_volumes + len(features))
    if total is None:
        raise ValueError("no recordings to learn from")
    return total


def _batches(pairs: Iterable[tuple[np.ndarray, np.ndarray]]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Recordings joined until a product is worth the memory it writes to."""
    waiting: list[tuple[np.ndarray, np.ndarray]] = []
    for pair in pairs:
        waiting.append(pair)
        if sum(len(features) for features, _ in waiting) >= _VOLUMES_PER_PRODUCT:
            yield _join(waiting)
            waiting = []
    if waiting:
        yield _join(waiting)


def _join(pairs: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    features, targets = (np.concatenate(part).astype(np.float32) for part in zip(*pairs, strict=True))
    return features, targets


def solve(
    moments: Moments, penalty: float, cross: Float[np.ndarray, "features targets"] | None = None
) -> Float[np.ndarray, "features targets"]:
    """Ridge weights; ``penalty`` is relative to the mean diagonal of the Gram matrix."""
    gram = moments.gram.copy()
    gram[np.diag_indices_from(gram)] += penalty * np.trace(gram) / len(gram)
    factor = linalg.cho_factor(gram, lower=True, overwrite_a=True, check_finite=False)
    return linalg.cho_solve(factor, moments.cross if cross is None else cross, check_finite=False)


def leading_maps(
    moments: Moments, weights: Float[np.ndarray, "features voxels"], n_maps: int, seed: int = 0
) -> Float[np.ndarray, "voxels maps"]:
    """Orthonormal maps that hold most of the predicted variance (reduced-rank regression).

    Izenman 1975, J Multivariate Anal 5:248. A randomised range finder with two power iterations replaces the
    eigendecomposition over voxels.
    """
    rng = np.random.default_rng(seed)
    probe = rng.standard_normal((weights.shape[1], n_maps + 16)).astype(np.float32)
    for _ in range(3):
        probe = weights.T @ (moments.gram @ (weights @ probe))
        probe, _ = np.linalg.qr(probe)
    small = weights @ probe
    _, vectors = np.linalg.eigh(small.T @ moments.gram @ small)
    return probe @ vectors[:, ::-1][:, :n_maps]


def jackknife(
    folds: Sequence[Moments], fit: Callable[[Moments], Float[np.ndarray, "features targets"]]
) -> Float[np.ndarray, "members features targets"]:
    """One member per fold left out, spread so that their sample variance is that of the full estimator.

    The delete-one-group jackknife variance is (M-1)/M times the sum of squared deviations (Tukey 1958), the
    sample variance 1/(M-1) times it: deviations are stretched by (M-1)/sqrt(M).
    """
    n_folds = len(folds)
    total = joined(folds)
    full = fit(total)
    members = np.stack([fit(total - fold) for fold in folds])
    deviations = members - members.mean(axis=0)
    return full + deviations * ((n_folds - 1) / np.sqrt(n_folds))
