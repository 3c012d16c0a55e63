"""Electrode caps of the 10-05 system."""

from __future__ import annotations

from ..errors import UsageError

_19 = "Fp1 Fp2 F7 F3 Fz F4 F8 T7 C3 Cz C4 T8 P7 P3 Pz P4 P8 O1 O2"
_32 = "FC5 FC1 FC2 FC6 CP5 CP1 CP2 CP6 TP9 TP10 POz Oz FCz"
_64 = (
    "AF3 AF4 AF7 AF8 AFz F1 F2 F5 F6 FC3 FC4 FT7 FT8 FT9 FT10 C1 C2 C5 C6 CP3 CP4 CPz TP7 TP8 P1 P2 P5 P6 "
    "PO3 PO4 PO7 PO8"
)
_128 = (
    "Fpz F9 F10 AFF1h AFF2h AFF5h AFF6h FFC1h FFC2h FFC3h FFC4h FFC5h FFC6h FFT7h FFT8h FCC1h FCC2h FCC3h FCC4h "
    "FCC5h FCC6h FTT7h FTT8h CCP1h CCP2h CCP3h CCP4h CCP5h CCP6h TTP7h TTP8h CPP1h CPP2h CPP3h CPP4h CPP5h CPP6h "
    "TPP7h TPP8h PPO1h PPO2h PPO5h PPO6h POO1 POO2 POO9h POO10h OI1h OI2h PO9 PO10 P9 P10 Iz FC1h FC2h "
    "AFp1 AFp2 FFT9h FFT10h TPP9h TPP10h PPO9h PPO10h"
)
"""The standard caps by their number of electrodes; each holds the smaller ones."""


def cap_names(cap: int | str) -> tuple[str, ...]:
    """Electrode names of a standard cap (19, 32, 64 or 128) or of a comma-separated list.

    Raises
    ------
    UsageError
        There is no such cap, or the list has fewer than two names.
    """
    layers = [layer.split() for layer in (_19, _32, _64, _128)]
    names: tuple[str, ...] = ()
    for layer in layers:
        names += tuple(layer)
        if str(cap) == str(len(names)):
            return names
    listed = tuple(name.strip() for name in str(cap).split(",") if name.strip())
    if len(listed) >= 2 and len(set(listed)) == len(listed):
        return listed
    raise UsageError(f"unknown cap {cap!r}.", remedy="Give 19, 32, 64, 128 or names separated by commas.")
