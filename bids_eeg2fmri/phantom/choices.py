"""The named alternatives of a simulation."""

from __future__ import annotations

from typing import Literal, get_args

Reference = Literal[
    "average",
    "Cz",
    "FCz",
    "CPz",
    "Fz",
    "Pz",
    "AFz",
    "mastoids",
    "ears",
    "TP9-TP10",
    "M1",
    "M2",
    "A1",
    "A2",
    "TP9",
    "TP10",
]
"""What the EEG is referenced to: the average, one electrode, or the mean of two (mastoids, ears, TP9 and TP10)."""

Haemodynamics = Literal["linear", "balloon"]

REFERENCES: tuple[Reference, ...] = get_args(Reference)
HAEMODYNAMICS: tuple[Haemodynamics, ...] = get_args(Haemodynamics)
