"""The named alternatives of a simulation."""

from __future__ import annotations

from typing import Literal

Reference = Literal["average", "Cz", "FCz", "mastoids"]
Haemodynamics = Literal["linear", "balloon"]
