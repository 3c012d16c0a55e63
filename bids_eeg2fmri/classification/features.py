"""Tables of features in blocks that shall weigh the same, whatever their number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float


@dataclass(frozen=True)
class Features:
    """Features of every unit.

    Attributes
    ----------
    values
        NaN where a feature is not known.
    names, blocks
        Name and block of every feature.
    """

    values: Float[np.ndarray, "units features"]
    names: tuple[str, ...]
    blocks: tuple[str, ...]


def standardised(
    features: Features, training: Bool[np.ndarray, " units"], degree: int = 1
) -> Float[np.ndarray, "units columns"]:
    """Features without the training units' mean and in units of their sd; every block has one in total variance.

    With a ``degree`` above one, elementwise powers of the standardised features follow, each as blocks of their own.
    What is not known, or does not vary among the training units, becomes zero.
    """
    values = _standardise(features.values, training)
    parts = [values, *(_standardise(values**power, training) for power in range(2, degree + 1))]
    return np.concatenate([_weigh_blocks(part, features.blocks, training) for part in parts], axis=1)


def _standardise(
    values: Float[np.ndarray, "units features"], training: Bool[np.ndarray, " units"]
) -> Float[np.ndarray, "units features"]:
    known = np.where(training[:, None], values, np.nan)
    count = np.maximum(np.isfinite(known).sum(axis=0), 1)
    mean = np.nansum(known, axis=0) / count
    sd = np.sqrt(np.nansum(np.square(known - mean), axis=0) / count)
    # A tiny sd is what rounding leaves of a constant.
    moves = sd > 1e-9 * np.maximum(np.abs(mean), 1e-9)
    return np.nan_to_num(np.where(moves, (values - mean) / np.where(moves, sd, 1), 0.0), nan=0.0)


def _weigh_blocks(
    values: Float[np.ndarray, "units features"], blocks: tuple[str, ...], training: Bool[np.ndarray, " units"]
) -> Float[np.ndarray, "units features"]:
    varies = (values[training] != 0).any(axis=0)
    sizes = {block: max(int((varies & (np.array(blocks) == block)).sum()), 1) for block in set(blocks)}
    return values / np.sqrt([sizes[block] for block in blocks])
