"""RMSE and SSIM as the published network's code defines them, so that tables can stand beside its tables.

Both are computed on volumes in person-standardised units, background included, and mostly score the picture of the
mean brain: see the documentation of the evaluation.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from .ssim import mean_or_nan, similarity_map

SLICE_STEP = 3
_OFFSET = 1e-9


def published_rmse(
    observed: Float[np.ndarray, "volumes x y z"], predicted: Float[np.ndarray, "volumes x y z"], batch_size: int = 1
) -> Float[np.ndarray, " batches"]:
    """Root mean square error of every batch, over all its volumes and voxels (eeg-to-fmri 0.0.9, ``rmse``).

    The published figures are the mean over batches of one volume.
    """
    return np.array(
        [
            np.sqrt(np.square(predicted[first : first + batch_size] - observed[first : first + batch_size]).mean())
            for first in range(0, len(observed), batch_size)
        ]
    )


def published_ssim(
    observed: Float[np.ndarray, "volumes x y z"], predicted: Float[np.ndarray, "volumes x y z"], batch_size: int = 1
) -> Float[np.ndarray, " batches"]:
    """SSIM of every batch (eeg-to-fmri 0.0.9, ``ssim``): the mean of :func:`published_similarity`.

    The published figures are the mean over batches of one volume. NaN where slices are smaller than the window.
    """
    return np.array(
        [
            mean_or_nan(
                published_similarity(observed[first : first + batch_size], predicted[first : first + batch_size])
            )
            for first in range(0, len(observed), batch_size)
        ]
    )


def published_similarity(
    observed: Float[np.ndarray, "volumes x y z"], predicted: Float[np.ndarray, "volumes x y z"]
) -> Float[np.ndarray, "inner_x inner_y slices"]:
    """SSIM at the pixels of the slices z = 0, 3, 6, ... (a third of them) of one batch.

    The data range of a slice is the larger of its two maxima: a maximum and not a range, although the values are
    signed. Of a batch of several volumes the first is scored, with the maxima of the whole batch.
    """
    chosen = SLICE_STEP * np.arange(observed.shape[3] // SLICE_STEP)
    true, guess = observed[..., chosen] + _OFFSET, predicted[..., chosen] + _OFFSET
    largest = np.maximum(true.max(axis=(0, 1, 2)), guess.max(axis=(0, 1, 2)))
    # Only the square of the range counts; a range of zero would divide zero by zero.
    return similarity_map(true[0], guess[0], np.maximum(np.abs(largest), _OFFSET).tolist())
