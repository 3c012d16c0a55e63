"""Volumes with their mean picture, in the units of the published tables, and their scores.

A network that predicts fluctuations (z over time) is put beside one that predicts volumes by adding the fluctuations
to a picture: ``picture mean + picture sd * z``, in units of one mean and one standard deviation per person over all
voxels and volumes. Whatever is scored here is dominated by that picture, which differs between brain and
background far more than a voxel differs over time; a score says nothing until the row of the mean volume, which has
the same picture and no EEG, stands beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from ..bold.grid import Grid
from .published import SLICE_STEP, published_rmse, published_similarity
from .ssim import inside_windows, mean_or_nan
from .unit_range import unit_psnr, unit_range, unit_similarity


@dataclass(frozen=True)
class Picture:
    """Mean and sd over time of every brain voxel, in person-standardised units.

    Attributes
    ----------
    mean, sd
        Of the series at each voxel.
    background
        The value outside the brain.
    """

    mean: Float[np.ndarray, " voxels"]
    sd: Float[np.ndarray, " voxels"]
    background: float

    def volumes(self, z: Float[np.ndarray, "volumes voxels"], grid: Grid) -> Float[np.ndarray, "volumes x y z"]:
        """Fluctuations added to the picture, on the grid."""
        filled = np.full((len(z), *grid.shape), self.background, np.float32)
        filled[:, grid.mask] = self.mean + self.sd * z
        return filled


def standardised_picture(
    mean: Float[np.ndarray, " voxels"], sd: Float[np.ndarray, " voxels"], n_grid_voxels: int
) -> Picture:
    """The picture of a person in units of the mean and sd over all voxels and volumes.

    Parameters
    ----------
    mean, sd
        Mean and sd over time of each brain voxel, in the image's own units.
    n_grid_voxels
        Voxels of the whole volume; those outside the brain are zero and count.
    """
    mean, sd = np.asarray(mean, np.float64), np.asarray(sd, np.float64)
    centre = mean.sum() / n_grid_voxels
    variance = np.square(mean).sum() / n_grid_voxels - centre**2 + np.square(sd).sum() / n_grid_voxels
    scale = np.sqrt(variance) if variance > 0 else 1.0
    return Picture(((mean - centre) / scale).astype(np.float32), (sd / scale).astype(np.float32), -centre / scale)


def picture_scores(
    observed: Float[np.ndarray, "volumes x y z"], predicted: Float[np.ndarray, "volumes x y z"], grid: Grid
) -> dict[str, float]:
    """RMSE, SSIM and PSNR in both published conventions, whole and inside the brain, averaged over volumes."""
    brain = grid.mask
    rows = [_volume_scores(true[None], guess[None], brain) for true, guess in zip(observed, predicted, strict=True)]
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


def _volume_scores(
    observed: Float[np.ndarray, "1 x y z"], predicted: Float[np.ndarray, "1 x y z"], brain: Bool[np.ndarray, "x y z"]
) -> dict[str, float]:
    third = published_similarity(observed, predicted)
    inside = inside_windows(brain)
    scores = {
        "rmse": float(published_rmse(observed, predicted)[0]),
        "rmse_brain": float(np.sqrt(np.square(observed[:, brain] - predicted[:, brain]).mean())),
        "ssim": mean_or_nan(third),
        "ssim_brain": mean_or_nan(third[inside[..., : SLICE_STEP * third.shape[2] : SLICE_STEP]]),
    }
    observed, predicted = unit_range(observed), unit_range(predicted)
    similarity = unit_similarity(observed[0], predicted[0])
    return scores | {
        "ssim_unit": mean_or_nan(similarity),
        "ssim_unit_brain": mean_or_nan(similarity[inside]),
        "psnr_unit": float(unit_psnr(observed, predicted)[0]),
        "psnr_unit_brain": float(unit_psnr(observed, predicted, brain)[0]),
    }
