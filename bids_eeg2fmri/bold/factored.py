"""Statistics of a series that is a product of coefficients and maps: known without any of its volumes.

Sums of squares over time are quadratic forms in a voxel's maps, and those over voxels in a volume's coefficients.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from .film import SliceFilm
from .grid import Grid
from .series_statistics import N_CARPET, SeriesStatistics, carpet_voxels, inverse_sd, region_weights
from .thinning import ColumnMeans

_VOXELS_PER_STEP = 8192
_VOLUMES_PER_STEP = 1024


class _Moments(NamedTuple):
    """Of the coefficients over time: their mean, their covariance, and the mean product of their changes."""

    mean: Float[np.ndarray, " maps"]
    covariance: Float[np.ndarray, "maps maps"]
    change: Float[np.ndarray, "maps maps"]


def factored_statistics(
    grid: Grid,
    coefficients: Float[np.ndarray, "volumes maps"],
    maps: Float[np.ndarray, "voxels maps"],
    *,
    total_sd_z: Float[np.ndarray, " voxels"],
    mean_sd_z: Float[np.ndarray, " volumes"],
    film: SliceFilm,
    n_carpet: int = N_CARPET,
) -> SeriesStatistics:
    """Statistics of ``coefficients @ maps.T``.

    Parameters
    ----------
    grid
        The output grid.
    coefficients, maps
        The two factors; the maps at the grid's brain voxels.
    total_sd_z, mean_sd_z, film
        As in :class:`.SeriesStatistics`.
    n_carpet
        Number of voxels of the carpet.
    """
    moments = _moments(coefficients)
    spread, change = _root(moments.covariance), _root(moments.change)
    columns = np.concatenate([moments.mean[None], spread, change]).astype(np.float32).T
    weights = region_weights(grid.tissue)
    over_time = np.empty((3, len(maps)), np.float32)
    products, regions = np.zeros((maps.shape[1],) * 2), np.zeros((maps.shape[1], weights.shape[1]))
    for start in range(0, len(maps), _VOXELS_PER_STEP):
        some = slice(start, start + _VOXELS_PER_STEP)
        piece = maps[some]
        means, spreads, changes = np.split(piece @ columns, [1, 1 + len(spread)], axis=1)
        over_time[:, some] = means[:, 0], np.linalg.norm(spreads, axis=1), np.linalg.norm(changes, axis=1)
        products += piece.T.astype(float) @ piece
        regions += piece.T @ weights[some]
    carpet = carpet_voxels(grid.tissue, n_carpet)
    mean_z, tstd_z, step_z = over_time
    return SeriesStatistics(
        mean_z=mean_z,
        tstd_z=tstd_z,
        total_sd_z=total_sd_z,
        mean_sd_z=mean_sd_z,
        region_means_z=np.concatenate([piece @ regions for _, piece, _ in _pieces(coefficients)]),
        step_rms_z=_step_rms(coefficients, products / len(maps)),
        typical_step_z=float(step_z.mean(dtype=float)),
        carpet_z=maps[carpet] @ _thinned(coefficients).T,
        carpet_tissue=grid.tissue[carpet],
        global_signal_share=_global_signal_share(maps[carpet].astype(float), moments.covariance),
        film=film,
    )


def _pieces(
    coefficients: Float[np.ndarray, "volumes maps"],
) -> Iterator[tuple[int, Float[np.ndarray, "some maps"], Float[np.ndarray, "changes maps"]]]:
    """The series in double precision piece by piece: first volume, volumes, and changes from each to the next."""
    for start in range(0, len(coefficients), _VOLUMES_PER_STEP):
        piece = coefficients[start : start + _VOLUMES_PER_STEP + 1].astype(float)
        yield start, piece[:_VOLUMES_PER_STEP], np.diff(piece, axis=0)


def _moments(coefficients: Float[np.ndarray, "volumes maps"]) -> _Moments:
    n_volumes, n_maps = coefficients.shape
    mean = coefficients.mean(axis=0, dtype=float)
    covariance, change = np.zeros((2, n_maps, n_maps))
    for _, piece, steps in _pieces(coefficients):
        covariance += (piece - mean).T @ (piece - mean)
        change += steps.T @ steps
    return _Moments(mean, covariance / n_volumes, change / max(n_volumes - 1, 1))


def _step_rms(
    coefficients: Float[np.ndarray, "volumes maps"], products: Float[np.ndarray, "maps maps"]
) -> Float[np.ndarray, " volumes"]:
    """Root mean square over the brain of every change; NaN for the first volume."""
    squares = [((steps @ products) * steps).sum(axis=1) for _, _, steps in _pieces(coefficients)]
    return np.append(np.nan, np.sqrt(np.maximum(np.concatenate(squares), 0)))


def _thinned(coefficients: Float[np.ndarray, "volumes maps"]) -> Float[np.ndarray, "columns maps"]:
    means = ColumnMeans(*coefficients.shape)
    for start, piece, _ in _pieces(coefficients):
        means.update(start, piece)
    return means.means


def _global_signal_share(maps: Float[np.ndarray, "subset maps"], covariance: Float[np.ndarray, "maps maps"]) -> float:
    """Mean correlation of all pairs: the variance of the mean over voxels of their standardised series."""
    share = inverse_sd(((maps @ covariance) * maps).sum(axis=1)) @ maps / len(maps)
    return float(share @ covariance @ share)


def _root(products: Float[np.ndarray, "maps maps"]) -> Float[np.ndarray, "maps maps"]:
    """Rows whose outer products sum to these mean products."""
    values, vectors = np.linalg.eigh(products)
    return np.sqrt(np.maximum(values, 0))[:, None] * vectors.T
