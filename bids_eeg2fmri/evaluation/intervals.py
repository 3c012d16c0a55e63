"""Central predictive intervals: how often they cover, and how wide they are."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Bool, Float
from scipy.special import ndtri

LEVELS = (0.5, 0.8, 0.9, 0.95)
# Half-widths in units of the predictive sd, keyed as a bundle's calibration states them.
GAUSSIAN_WIDTHS: dict[str, float] = {f"{level:g}": float(ndtri((1 + level) / 2)) for level in LEVELS}


def half_widths(widths: Mapping[str, float] | None) -> dict[str, float]:
    """Half-width of every interval of :data:`LEVELS` in units of the predictive sd.

    Parameters
    ----------
    widths
        A bundle's calibrated multipliers (keys ``"0.5"`` to ``"0.95"``), or ``None`` for a Gaussian's quantiles.
    """
    return {name: float((widths or GAUSSIAN_WIDTHS)[name]) for name in GAUSSIAN_WIDTHS}


def covered(
    mean: Float[np.ndarray, "..."],
    sd: Float[np.ndarray, "..."],
    observed: Float[np.ndarray, "..."],
    widths: Mapping[str, float] | None = None,
) -> dict[str, Bool[np.ndarray, "..."]]:
    """Whether each observation lies inside each central interval, by level."""
    error = np.abs(observed - mean)
    return {level: error <= width * sd for level, width in half_widths(widths).items()}


def percent(level: str) -> str:
    """A level as metric names spell it: ``"0.9"`` is ``"90"``."""
    return f"{100 * float(level):g}"
