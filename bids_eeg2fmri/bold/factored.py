"""Statistics of a series that is a product of coefficients and maps: known without any of its volumes.

Sums of squares over time are quadratic forms in a voxel's maps, and those over voxels in a volume's coefficients.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from .film import SliceFilm
from .grid import Grid
from .series_statistics import N_CARPET, SeriesStatistics, carpet_voxels, region_weights

_VOXELS_PER_STEP = 8192


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
        Number of voxels whose whole series is kept.
    """
    precise = coefficients.astype(float)
    mean, steps = precise.mean(axis=0), np.diff(precise, axis=0)
    spread, change = _root_of_squares(precise - mean), _root_of_squares(steps)
    columns = np.concatenate([mean[None], spread, change]).astype(np.float32).T
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
    step_squares = np.maximum(((steps @ products) * steps).sum(axis=1), 0) / len(maps)
    carpet = carpet_voxels(grid.tissue, n_carpet)
    mean_z, tstd_z, step_z = over_time
    return SeriesStatistics(
        mean_z=mean_z,
        tstd_z=tstd_z,
        total_sd_z=total_sd_z,
        mean_sd_z=mean_sd_z,
        region_means_z=precise @ regions,
        step_rms_z=np.append(np.nan, np.sqrt(step_squares)),
        typical_step_z=float(step_z.mean(dtype=float)),
        carpet_z=maps[carpet] @ coefficients.T,
        carpet_tissue=grid.tissue[carpet],
        film=film,
    )


def _root_of_squares(series: Float[np.ndarray, "times maps"]) -> Float[np.ndarray, "maps maps"]:
    """Rows whose outer products sum to the mean over time of the series' own."""
    values, vectors = np.linalg.eigh(series.T @ series / max(len(series), 1))
    return np.sqrt(np.maximum(values, 0))[:, None] * vectors.T
