"""The linear path in closed form: ridge regression, its reduced rank, and its jackknife over people."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import reduce
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy import linalg
from scipy.linalg import helmert

_VOLUMES_PER_PRODUCT = 2000
# Voxels that fewer of the volumes show than this are predicted with less amplitude.
_MIN_SHARE = 0.25


@dataclass(frozen=True)
class Moments:
    """Sums over volumes that a ridge regression needs.

    Attributes
    ----------
    gram
        Features x features.
    known_cross
        Features x voxels, over the volumes in which a voxel has a target.
    n_volumes
        Volumes of ``gram``.
    n_known
        Volumes in which each voxel has a target.
    """

    gram: Float[np.ndarray, "features features"]
    known_cross: Float[np.ndarray, "features voxels"]
    n_volumes: int
    n_known: Float[np.ndarray, " voxels"]

    def __add__(self, other: Moments) -> Moments:
        return self._combined(other, operator.add)

    def __sub__(self, other: Moments) -> Moments:
        return self._combined(other, operator.sub)

    def _combined(self, other: Moments, how: Callable[[Any, Any], Any]) -> Moments:
        return Moments(*(how(getattr(self, field.name), getattr(other, field.name)) for field in fields(Moments)))

    @property
    def known_share(self) -> Float[np.ndarray, " voxels"]:
        """Share of the volumes in which each voxel has a target."""
        return self.n_known / self.n_volumes

    @property
    def cross(self) -> Float[np.ndarray, "features voxels"]:
        """Features x voxels as if every voxel had a target in every volume; zero where it never has."""
        share = self.known_share
        if np.all(share == 1):
            return self.known_cross
        return self.known_cross / np.maximum(share, _MIN_SHARE).astype(self.known_cross.dtype)


def joined(parts: Sequence[Moments]) -> Moments:
    """The moments of all parts together."""
    return reduce(operator.add, parts)


def accumulate(
    pairs: Iterable[tuple[Float[np.ndarray, "volumes features"], Float[np.ndarray, "volumes voxels"]]],
) -> Moments:
    """Sum the moments of many recordings; a few recordings are in memory at a time.

    Targets are NaN where there are none.
    """
    total: Moments | None = None
    for features, targets in _batches(pairs):
        known = np.isfinite(targets)
        targets = np.where(known, targets, 0)
        if total is None:
            total = Moments(features.T @ features, features.T @ targets, len(features), known.sum(axis=0))
            continue
        # In place: these are the largest arrays of the whole training.
        np.add(total.gram, features.T @ features, out=total.gram)
        np.add(total.known_cross, features.T @ targets, out=total.known_cross)
        total = replace(total, n_volumes=total.n_volumes + len(features), n_known=total.n_known + known.sum(axis=0))
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
    gram: Float[np.ndarray, "features features"], cross: Float[np.ndarray, "features targets"], penalty: float
) -> Float[np.ndarray, "features targets"]:
    """Ridge weights; ``penalty`` is relative to the mean diagonal of the Gram matrix."""
    penalised = gram.copy()
    penalised[np.diag_indices_from(gram)] += penalty * np.trace(gram) / len(gram)
    factor = linalg.cho_factor(penalised, lower=True, overwrite_a=True, check_finite=False)
    return linalg.cho_solve(factor, cross, check_finite=False)


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
    folds: Sequence[Moments],
    fit: Callable[[Moments], Float[np.ndarray, "features targets"]],
    n_members: int | None = None,
) -> Float[np.ndarray, "members features targets"]:
    """One member per fold left out, spread so that their sample variance is that of the full estimator.

    The delete-one-group jackknife variance is (M-1)/M times the sum of squared deviations (Tukey 1958), the
    sample variance 1/(M-1) times it: deviations are stretched by (M-1)/sqrt(M).

    Parameters
    ----------
    folds
        Two or more.
    fit
        The estimator.
    n_members
        How many members share the deviations, if there are more members than folds.
    """
    n_folds = len(folds)
    total = joined(folds)
    full = fit(total)
    members = np.stack([fit(total - fold) for fold in folds])
    deviations = members - members.mean(axis=0)
    return full + _shared(deviations * ((n_folds - 1) / np.sqrt(n_folds)), n_members or n_folds)


def _shared(
    deviations: Float[np.ndarray, "folds features targets"], n_members: int
) -> Float[np.ndarray, "members features targets"]:
    """The same sample variance in more members, by way of orthonormal contrasts."""
    n_folds = len(deviations)
    if n_members == n_folds:
        return deviations
    weights = helmert(n_members)[: n_folds - 1].T @ helmert(n_folds) * np.sqrt((n_members - 1) / (n_folds - 1))
    return np.einsum("mk,kft->mft", weights.astype(deviations.dtype), deviations)
