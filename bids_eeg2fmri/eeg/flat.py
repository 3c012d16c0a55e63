"""Find what was not recorded: samples that only repeat the last value, zeros, the ends of the amplifier's range."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from .bad_channels import WHOLE_CAP
from .window_ends import WindowEnds

_MOSTLY = 0.5


def saturated_share(ends: WindowEnds, left_out: Bool[np.ndarray, "channels windows"]) -> Float[np.ndarray, " channels"]:
    """Share of every channel's samples that stand at its largest or smallest value.

    EEG touches the ends of its range once; where the amplifier's range is too small, it rests there. Padding, or an
    amplifier that is still blocked, does so too, in many channels at once: such windows do not count.

    Parameters
    ----------
    ends
        Ends of the range of every window.
    left_out
        Windows that are known to be bad or to hold no numbers.
    """
    constant = ends.constant
    recorded = constant.mean(axis=1) <= _MOSTLY
    flat = flat_windows(constant[recorded]) if recorded.any() else constant.all(axis=0)
    counted = ~(left_out | flat)
    lowest = ends.lowest.min(axis=1, where=counted, initial=np.inf)
    highest = ends.highest.max(axis=1, where=counted, initial=-np.inf)
    n_there = ends.n_lowest.sum(axis=1, where=counted & (ends.lowest == lowest[:, None]))
    n_there += ends.n_highest.sum(axis=1, where=counted & (ends.highest == highest[:, None]))
    return n_there / np.maximum(counted.sum(axis=1) * ends.n_samples, 1)


def flat_windows(constant: Bool[np.ndarray, "channels windows"]) -> Bool[np.ndarray, " windows"]:
    """Windows in which more than a third of the channels are constant, where at least half a second is.

    A single window may be constant by chance in a quiet, coarsely digitised file, and the last one of a recording is
    as short as one sample. A single window between two flat ones is flat: held values may end in a step to zero.

    Parameters
    ----------
    constant
        Windows in which a channel holds one value, of the good channels.
    """
    flat = constant.mean(axis=0) > WHOLE_CAP
    flat[1:-1] |= flat[:-2] & flat[2:]
    following = flat[:-1] & flat[1:]
    kept = np.zeros_like(flat)
    kept[:-1] |= following
    kept[1:] |= following
    return kept
