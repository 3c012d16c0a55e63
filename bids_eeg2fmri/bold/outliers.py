"""Outliers of a BOLD series by the interquartile range, taken out before scaling and put back after it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

REACH = 1.5


@dataclass(frozen=True)
class Outliers:
    """Samples of a series beyond Tukey's fences.

    Attributes
    ----------
    low, high
        The fences, in the units of the series.
    places
        Index of every outlier in the flattened series.
    values
        Their values.
    """

    low: float
    high: float
    places: Int[np.ndarray, " outliers"]
    values: Float[np.ndarray, " outliers"]

    def removed(self, series: Float[np.ndarray, "..."], *, fill: float | None = None) -> Float[np.ndarray, "..."]:
        """A copy of the series with every outlier at its nearest fence, or at ``fill``.

        The published preprocessing fills with 0, in raw units, which the scaling after it turns into outliers again.
        """
        replacement = np.clip(self.values, self.low, self.high) if fill is None else fill
        return self._with(series, replacement)

    def restored(self, series: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
        """A copy of the series with every outlier back where it was, and nowhere else."""
        return self._with(series, self.values)

    def _with(
        self, series: Float[np.ndarray, "..."], values: Float[np.ndarray, " outliers"] | float
    ) -> Float[np.ndarray, "..."]:
        flat = np.array(series).ravel()
        flat[self.places] = values
        return flat.reshape(series.shape)


def find_outliers(series: Float[np.ndarray, "..."]) -> Outliers:
    """Samples more than 1.5 interquartile ranges below the first or above the third quartile of the whole series.

    Parameters
    ----------
    series
        BOLD of one person in any units: all voxels and volumes that the scaling will see.
    """
    first, third = np.percentile(series, [25, 75], method="midpoint")
    low, high = first - REACH * (third - first), third + REACH * (third - first)
    flat = series.ravel()
    places = np.flatnonzero((flat < low) | (flat > high))
    return Outliers(float(low), float(high), places, flat[places])
