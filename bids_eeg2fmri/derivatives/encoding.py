"""How predicted values are stored in an image: units, data type, and an exact zero outside the brain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..bold.units import BASELINE, UNITS_PER_Z


@dataclass(frozen=True)
class Encoding:
    """An affine map from values to image units, and from image units to stored numbers.

    ``units = offset + gain x value`` and ``stored = (units - intercept) / slope``. The slope and the intercept
    are fixed before the first value is known, because a NIfTI header comes first. Slopes are small
    multiples of a power of two, so that the number stored outside the brain scales to exactly zero in
    single and in double precision.

    Attributes
    ----------
    dtype
        NumPy name of the stored type.
    slope, intercept
        NIfTI ``scl_slope`` and ``scl_inter``.
    gain, offset
        Image units per value, and image units of the value zero.
    """

    dtype: str
    slope: float = 1.0
    intercept: float = 0.0
    gain: float = 1.0
    offset: float = 0.0

    @property
    def is_integer(self) -> bool:
        """Whether whole numbers are stored."""
        return bool(np.issubdtype(self.dtype, np.integer))

    @property
    def outside(self) -> float:
        """Stored number that means zero image units."""
        return -self.intercept / self.slope

    @property
    def limits(self) -> tuple[float, float]:
        """Smallest and largest number stored in a brain voxel; never the number that marks the outside."""
        if not self.is_integer:
            return float(np.finfo(self.dtype).min), float(np.finfo(self.dtype).max)
        information = np.iinfo(self.dtype)
        return float(information.min + (self.outside == information.min)), float(information.max)

    @property
    def range_units(self) -> tuple[float, float] | None:
        """Smallest and largest value, in image units, that can be stored; ``None`` for a floating-point type."""
        if not self.is_integer:
            return None
        lowest, highest = self.limits
        return self.intercept + self.slope * lowest, self.intercept + self.slope * highest


# 0.02 to 1280 in steps of 0.02: a standardised value between -99 and 27, in steps of 0.002.
_BOLD_INT16 = Encoding("int16", slope=5 / 256, intercept=640.0, gain=UNITS_PER_Z, offset=BASELINE)
_BOLD_FLOAT32 = Encoding("float32", gain=UNITS_PER_Z, offset=BASELINE)
# Up to 1024, a standardised sd of 102, in steps of 0.003: three thousandths of a usual sd. With steps eight times as
# fine the image is half as large again, of digits that no calibration knows.
_TOTAL_SD_INT16 = Encoding("int16", slope=1 / 32, gain=UNITS_PER_Z)
# Up to 128, a standardised sd of 12.8, in steps of 0.0004: the epistemic part may be small.
_SD_INT16 = Encoding("int16", slope=1 / 256, gain=UNITS_PER_Z)
_SD_FLOAT32 = Encoding("float32", gain=UNITS_PER_Z)

MASK = Encoding("uint8")
# Unlike a mask of the brain, this one is also zero inside it.
PART_OF_BRAIN = Encoding("int16")
CORRELATION = Encoding("int16", slope=1 / 16384)


def bold_encoding(float32: bool = False) -> Encoding:
    """Encoding of synthetic BOLD: 1000 + 10 z, zero outside the brain."""
    return _BOLD_FLOAT32 if float32 else _BOLD_INT16


def total_sd_encoding(float32: bool = False) -> Encoding:
    """Encoding of the predictive standard deviation of every volume: 10 sd, zero outside the brain."""
    return _SD_FLOAT32 if float32 else _TOTAL_SD_INT16


def sd_encoding(float32: bool = False) -> Encoding:
    """Encoding of the maps of both parts of it: 10 sd, zero outside the brain."""
    return _SD_FLOAT32 if float32 else _SD_INT16
