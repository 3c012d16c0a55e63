"""The cap of the training people: what a network's channels are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
from jaxtyping import Float

from ...bold.volume_box import volume_box
from ...errors import BadDataError
from ...network.calhas2022.trained import Calhas2022Facts

MIN_CHANNELS = 8


@dataclass(frozen=True)
class RecordedCap:
    """What training needs to know of a recording before it is read for good.

    Attributes
    ----------
    channel_names, positions_m
        Its EEG channels, bad ones included.
    tr_s
        Repetition time of its volumes.
    sfreq_hz
        Sampling rate.
    """

    channel_names: tuple[str, ...]
    positions_m: Float[np.ndarray, "channels 3"]
    tr_s: float
    sfreq_hz: float


def training_facts(caps: Sequence[RecordedCap], fmri_shape: tuple[int, int, int], n_bins: int) -> Calhas2022Facts:
    """Meaning of the arrays of a network trained on these recordings.

    Its channels are those that all recordings have, at their mean positions, in the order of the first; its window is
    their median repetition time.

    Raises
    ------
    BadDataError
        The recordings share fewer than 8 channels.
    """
    shared = reduce(set.intersection, (set(cap.channel_names) for cap in caps))
    names = tuple(name for name in caps[0].channel_names if name in shared)
    if len(names) < MIN_CHANNELS:
        raise BadDataError(
            f"the recordings share only {len(names)} channels ({', '.join(names) or 'none'}).",
            remedy="Train on one cap at a time, or train neuralfield, which takes any cap.",
        )
    positions = np.mean([_positions(cap, names) for cap in caps], axis=0)
    tr_s = float(np.median([cap.tr_s for cap in caps]))
    nyquist_hz = min(cap.sfreq_hz for cap in caps) / 2
    return Calhas2022Facts(
        channel_names=names,
        positions_m=tuple((float(x), float(y), float(z)) for x, y, z in positions),
        tr_s=tr_s,
        affine=tuple(tuple(row) for row in volume_box(fmri_shape).affine.tolist()),
        highest_hz=min(n_bins / tr_s, nyquist_hz),
    )


def _positions(cap: RecordedCap, names: Sequence[str]) -> Float[np.ndarray, "channels 3"]:
    rows = [cap.channel_names.index(name) for name in names]
    return np.asarray(cap.positions_m)[rows]
