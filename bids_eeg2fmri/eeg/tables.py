"""Read the tables that describe a recording, with errors that name file and line."""

from __future__ import annotations

from pathlib import Path

from ..bids.content import read_text
from ..errors import BadDataError

MISSING = ("n/a", "")


def read_tsv(path: Path, required: tuple[str, ...]) -> list[dict[str, str]]:
    """Rows of a BIDS table as dictionaries of stripped text.

    Parameters
    ----------
    path
        A tab-separated file with a header line.
    required
        Columns without which the table is of no use.

    Raises
    ------
    MissingInputError
        When the file cannot be read.
    BadDataError
        When it is not text, lacks a required column or has a row of another length than the header.
    """
    lines = [line.split("\t") for line in read_text(path).split("\n")]
    header = [name.strip() for name in lines[0]]
    absent = [name for name in required if name not in header]
    if absent:
        raise BadDataError(
            f"The table has no column {' or '.join(absent)}.",
            path=path,
            remedy="Correct the table (tab-separated, with a header line) or remove it.",
        )
    rows = []
    for number, cells in enumerate(lines[1:], start=2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            raise BadDataError(
                f"Line {number} has {len(cells)} cells where the header has {len(header)}.",
                path=path,
                remedy="Separate the cells by single tabs.",
            )
        rows.append({name: cell.strip() for name, cell in zip(header, cells, strict=True)})
    return rows


def number(text: str) -> float | None:
    """Value of a table cell, or ``None`` where it is ``n/a`` or no finite number."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) < float("inf") else None
