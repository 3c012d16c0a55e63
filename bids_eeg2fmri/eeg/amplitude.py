"""How large the signals are, and whether that can be EEG at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Float

from ..errors import BadDataError
from .scratch import released_rows

EEG_RANGE_V = (0.05e-6, 5e-3)
_USUAL_V = 1e-5
# What rounding leaves of a constant after filtering is smaller; EEG in any wrong unit is larger.
_ROUNDING_V = 1e-15
_MAX_VALUES = 40_000
_NORMAL_MAD = 0.6745


def robust_sd(signals_v: Float[np.ndarray, "channels samples"]) -> Float[np.ndarray, " channels"]:
    """Standard deviation over time that artefacts hardly change: the median absolute value of a centred signal.

    Parameters
    ----------
    signals_v
        High-passed signals; at most 80,000 evenly spread samples of them are looked at.
    """
    step = max(signals_v.shape[1] // _MAX_VALUES, 1)
    return np.array([np.median(np.abs(signal[::step])) for signal in released_rows(signals_v)]) / _NORMAL_MAD


def check_amplitude(sd_v: Float[np.ndarray, " channels"], path: Path) -> None:
    """Refuse signals that are far too large or too small for scalp EEG.

    Parameters
    ----------
    sd_v
        Robust standard deviation of every channel.
    path
        The file, for the message.

    Raises
    ------
    BadDataError
        When the median channel lies outside 0.05 microvolts to 5 millivolts; the message names the power of a
        thousand by which the unit is probably wrong.
    """
    median_v = float(np.median(sd_v))
    if EEG_RANGE_V[0] <= median_v <= EEG_RANGE_V[1]:
        return
    if median_v < _ROUNDING_V:
        raise BadDataError(
            "Most EEG channels are constant.", path=path, remedy="Check that the file holds the signals."
        )
    power = round(np.log10(_USUAL_V / median_v) / 3) * 3
    raise BadDataError(
        f"The median channel has a standard deviation of {median_v:.2g} V, which no scalp EEG has; "
        f"its unit is probably wrong by a factor of 1e{power:d}"
        + (" (volts written as microvolts?)." if power == 6 else "."),
        path=path,
        remedy="Correct the unit in the file's header, or in channels.tsv where the file has none.",
    )
