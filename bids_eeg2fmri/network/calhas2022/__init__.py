"""The published network of EEG-to-fMRI synthesis (Calhas and Henriques 2022)."""

from __future__ import annotations

from .config import ArchitectureError, Blocks, Calhas2022Config, VariationalCosine
from .network import Calhas2022
from .upstream import from_upstream

__all__ = ["ArchitectureError", "Blocks", "Calhas2022", "Calhas2022Config", "VariationalCosine", "from_upstream"]
