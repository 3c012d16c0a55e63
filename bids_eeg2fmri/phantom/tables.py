"""Tab-separated tables as BIDS wants them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ..derivatives.atomic import write_text


def write_table(path: Path, columns: Mapping[str, Sequence[object] | np.ndarray]) -> None:
    """Write columns of equal length; numbers keep six significant digits.

    Raises
    ------
    WriteError, OutputError
        The file cannot be written.
    """
    rows = ["\t".join(columns)]
    rows += ["\t".join(map(_cell, row)) for row in zip(*columns.values(), strict=True)]
    write_text(path, "\n".join(rows) + "\n")


def _cell(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float | np.floating) else str(value)
