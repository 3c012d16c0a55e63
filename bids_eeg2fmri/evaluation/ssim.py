"""Structural similarity of 2-D slices, the one that all published figures of this field are made of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Shaped
from skimage.metrics import structural_similarity

SIGMA = 1.5
WINDOW = 11
_MARGIN = (WINDOW - 1) // 2


def similarity_map(
    observed: Float[np.ndarray, "x y slices"],
    predicted: Float[np.ndarray, "x y slices"],
    data_ranges: Sequence[float],
) -> Float[np.ndarray, "inner_x inner_y slices"]:
    """SSIM at every pixel whose window lies inside its slice (Wang et al. 2004).

    Gaussian window of 11 x 11 pixels, sigma 1.5; K1 = .01, K2 = .03; population covariances. TensorFlow's
    ``tf.image.ssim`` and the default of torchmetrics are the mean of this map.

    Parameters
    ----------
    observed, predicted
        Slices along the last axis.
    data_ranges
        One per slice.

    Returns
    -------
    Five pixels less on every side; empty for slices smaller than the window.
    """
    if min(observed.shape[:2]) < WINDOW:
        return np.zeros_like(inside_windows(observed))
    maps = [
        structural_similarity(
            observed[..., z],
            predicted[..., z],
            data_range=data_range,
            gaussian_weights=True,
            sigma=SIGMA,
            use_sample_covariance=False,
            full=True,
        )[1]
        for z, data_range in enumerate(data_ranges)
    ]
    return inside_windows(np.stack(maps, axis=-1))


def inside_windows(slices: Shaped[np.ndarray, "x y slices"]) -> Shaped[np.ndarray, "inner_x inner_y slices"]:
    """The part of slices, or of a mask, that :func:`similarity_map` covers."""
    return slices[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN]


def mean_or_nan(values: Float[np.ndarray, "..."]) -> float:
    """The mean; NaN of nothing."""
    return float(values.mean(dtype=np.float64)) if values.size else float("nan")
