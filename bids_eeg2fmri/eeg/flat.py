"""Find stretches in which the cap was not recorded: samples that only repeat the last value, or zeros."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from .bad_channels import WHOLE_CAP
from .samples import window_samples


def constant_windows(
    signals_v: Float[np.ndarray, "channels samples"], sfreq_hz: float
) -> Bool[np.ndarray, "channels windows"]:
    """Windows of 0.25 s in which every sample of a channel is the same number.

    Parameters
    ----------
    signals_v
        Signals as read: a filter turns the step into a constant stretch, and rounding, into variation.
    sfreq_hz
        Sampling rate.
    """
    starts = np.arange(0, signals_v.shape[1], window_samples(sfreq_hz))
    return np.array(
        [np.maximum.reduceat(signal, starts) == np.minimum.reduceat(signal, starts) for signal in signals_v]
    )


def flat_windows(constant: Bool[np.ndarray, "channels windows"]) -> Bool[np.ndarray, " windows"]:
    """Windows in which more than a third of the channels are constant, where at least half a second is.

    A single window may be constant by chance in a quiet, coarsely digitised file, and the last one of a recording is
    as short as one sample. A single window between two flat ones is flat: held values may end in a step to zero.

    Parameters
    ----------
    constant
        From :func:`constant_windows`, of the good channels.
    """
    flat = constant.mean(axis=0) > WHOLE_CAP
    flat[1:-1] |= flat[:-2] & flat[2:]
    following = flat[:-1] & flat[1:]
    kept = np.zeros_like(flat)
    kept[:-1] |= following
    kept[1:] |= following
    return kept
