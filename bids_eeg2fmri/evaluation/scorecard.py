"""Every score of one forecast of one recording, and its nulls."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from ..bold.grid import Grid
from .forecast import Forecast, Observed
from .nulls import N_SURROGATES, CrossSpectrum, Null, timing_nulls
from .parcels import parcel_scores
from .pictures import picture_scores
from .voxels import VoxelScores

__all__ = ["Forecast", "Observed", "null_scores", "scorecard"]

MAX_PICTURES = 16


def scorecard(
    forecast: Forecast,
    observed: Observed,
    grid: Grid,
    *,
    truth: Float[np.ndarray, "volumes parcels"] | None = None,
    max_pictures: int | None = MAX_PICTURES,
) -> dict[str, float]:
    """Score a forecast; :mod:`.definitions` says what each number means.

    The published metrics are computed on volumes ``picture + picture sd * z``, on both sides. SSIM mostly scores that
    picture: compare with the mean volume's row only.

    Parameters
    ----------
    forecast, observed
        Same volumes, voxels and parcels. NaN is allowed at voxels and parcels that are not valid.
    grid
        Where the voxels are.
    truth
        Noise-free parcel series of a phantom: adds ``parcel_r_truth``.
    max_pictures
        Number of volumes, spread evenly over the recording, that the published metrics are averaged over; ``None``
        takes all. Their spread over volumes is small, and they take most of the time.

    Raises
    ------
    ValueError
        Forecast and observation have different shapes.
    """
    _check(forecast, observed)
    voxels = VoxelScores(observed.valid, forecast.widths)
    voxels.update(forecast.mean_z, forecast.sd_z, observed.z)
    scores = parcel_scores(
        forecast.parcel_mean_z,
        observed.parcel_z,
        observed.tr_s,
        sd=forecast.parcel_sd_z,
        valid=observed.parcel_valid,
        widths=forecast.parcel_widths,
        truth=truth,
    )
    scores |= voxels.scores()
    if observed.picture is None:
        return scores
    index = _spread(len(observed.z), max_pictures)
    # Voxels without a signal show the picture alone, on both sides.
    true, guess = (np.where(observed.valid, series[index], 0) for series in (observed.z, forecast.mean_z))
    picture = forecast.picture or observed.picture
    return scores | picture_scores(observed.picture.volumes(true, grid), picture.volumes(guess, grid), grid)


def null_scores(
    forecast: Forecast,
    observed: Observed,
    seed: int = 0,
    *,
    truth: Float[np.ndarray, "volumes parcels"] | None = None,
    count: int = N_SURROGATES,
) -> Null:
    """Circular shifts and phase surrogates of a forecast, for the mean r of parcels, of voxels and against a truth.

    Parameters
    ----------
    forecast, observed
        As for :func:`scorecard`.
    seed, count
        Of the surrogates; recordings that are averaged afterwards need different seeds and the same count.
    truth
        Noise-free parcel series of a phantom.
    """
    _check(forecast, observed)
    others = {"voxel_r": CrossSpectrum.mean_of(forecast.mean_z, observed.z, observed.valid)}
    if truth is not None:
        others["parcel_r_truth"] = CrossSpectrum.mean_of(forecast.parcel_mean_z, truth, observed.parcel_valid)
    return timing_nulls(
        forecast.parcel_mean_z,
        observed.parcel_z,
        observed.tr_s,
        valid=observed.parcel_valid,
        others=others,
        seed=seed,
        count=count,
    )


def _check(forecast: Forecast, observed: Observed) -> None:
    voxels, parcels = (forecast.mean_z.shape, observed.z.shape), (forecast.parcel_mean_z.shape, observed.parcel_z.shape)
    for name, (given, expected) in {"voxels": voxels, "parcels": parcels}.items():
        if given != expected:
            raise ValueError(f"the forecast's {name} have shape {given}, the observed ones {expected}")


def _spread(n_volumes: int, count: int | None) -> np.ndarray:
    if count is None or count >= n_volumes:
        return np.arange(n_volumes)
    return np.linspace(0, n_volumes - 1, count).round().astype(int)
