"""Find the mains hum that stands out of the spectra."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

MAINS_HZ = (50.0, 60.0)
_STANDS_OUT = 3.0
_NYQUIST_SHARE = 0.95


def find_line_noise(
    freqs_hz: Float[np.ndarray, " frequencies"],
    power: Float[np.ndarray, "channels frequencies"],
    declared_hz: float | None,
) -> tuple[float, ...]:
    """The mains frequency, if its peak stands out, and those of its harmonics that do.

    A peak stands out when a quarter of the channels have three times the power of their neighbouring bins there.

    Parameters
    ----------
    freqs_hz, power
        Spectra of the channels up to Nyquist.
    declared_hz
        ``PowerLineFrequency`` of the sidecar, or ``None``: then 50 and 60 Hz are tried.
    """
    for base_hz in MAINS_HZ if declared_hz is None else (declared_hz,):
        harmonics = np.arange(base_hz, _NYQUIST_SHARE * freqs_hz[-1], base_hz)
        if len(harmonics) and _stands_out(freqs_hz, power, base_hz):
            return tuple(float(line_hz) for line_hz in harmonics if _stands_out(freqs_hz, power, line_hz))
    return ()


def declared_line_hz(value: object) -> float | None:
    """``PowerLineFrequency`` as a number; ``None`` for ``n/a`` and for values that no grid has.

    Parameters
    ----------
    value
        Content of the sidecar's field.
    """
    try:
        line_hz = float(str(value))
    except ValueError:
        return None
    return line_hz if 45.0 <= line_hz <= 65.0 else None


def _stands_out(
    freqs_hz: Float[np.ndarray, " frequencies"], power: Float[np.ndarray, "channels frequencies"], line_hz: float
) -> bool:
    distance_hz = np.abs(freqs_hz - line_hz)
    peak = power[:, distance_hz <= 0.5].max(axis=1)
    floor = np.median(power[:, (distance_hz >= 2.0) & (distance_hz <= 5.0)], axis=1)
    ratio = np.divide(peak, floor, out=np.ones_like(peak), where=floor > 0)
    return bool(np.percentile(ratio, 75) > _STANDS_OUT)


def describe_line_noise(lines_hz: Sequence[float]) -> str:
    """One sentence on what was removed.

    Parameters
    ----------
    lines_hz
        Frequencies that :func:`find_line_noise` found.
    """
    if not lines_hz:
        return "No line-noise peak stood out of the spectra; none was removed."
    shown = ", ".join(f"{line_hz:g}" for line_hz in lines_hz)
    return f"Line noise was removed at {shown} Hz (zero-phase notch, 1.7 Hz wide)."
