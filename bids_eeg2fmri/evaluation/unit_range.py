"""SSIM and PSNR of volumes scaled to 0-1, the convention of E2fNet and NT-ViT.

Those networks are trained on BOLD volumes that were each scaled by their own minimum and maximum, and predict in
that unit. Here the forecast is scaled by its own minimum and maximum: the range of the true volume is not known
to a forecast.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float
from skimage.metrics import mean_squared_error

from .ssim import mean_or_nan, similarity_map


def unit_range(volumes: Float[np.ndarray, "volumes x y z"]) -> Float[np.ndarray, "volumes x y z"]:
    """Every volume scaled to 0-1 by its own minimum and maximum; a constant one becomes zero."""
    low = volumes.min(axis=(1, 2, 3), keepdims=True)
    span = volumes.max(axis=(1, 2, 3), keepdims=True) - low
    return (volumes - low) / np.where(span > 0, span, 1)


def unit_ssim(
    observed: Float[np.ndarray, "volumes x y z"], predicted: Float[np.ndarray, "volumes x y z"]
) -> Float[np.ndarray, " volumes"]:
    """Mean SSIM of volumes from :func:`unit_range`; NaN where slices are smaller than the window."""
    return np.array([mean_or_nan(unit_similarity(*pair)) for pair in zip(observed, predicted, strict=True)])


def unit_similarity(
    observed: Float[np.ndarray, "x y z"], predicted: Float[np.ndarray, "x y z"]
) -> Float[np.ndarray, "inner_x inner_y z"]:
    """SSIM at the pixels of all slices of one volume, data range 1."""
    return similarity_map(observed, predicted, [1.0] * observed.shape[2])


def unit_psnr(
    observed: Float[np.ndarray, "volumes x y z"],
    predicted: Float[np.ndarray, "volumes x y z"],
    mask: Bool[np.ndarray, "x y z"] | None = None,
) -> Float[np.ndarray, " volumes"]:
    """Peak signal-to-noise ratio in dB of volumes in the unit range (peak 1); infinite for a copy.

    Parameters
    ----------
    observed, predicted
        Volumes from :func:`unit_range`.
    mask
        Average the squared error over these voxels instead of all.
    """
    keep = np.ones(observed.shape[1:], bool) if mask is None else mask
    errors = [mean_squared_error(true[keep], guess[keep]) for true, guess in zip(observed, predicted, strict=True)]
    with np.errstate(divide="ignore"):
        return -10 * np.log10(np.array(errors))
