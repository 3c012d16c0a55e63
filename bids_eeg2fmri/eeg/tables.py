"""Read the TSV and JSON files that describe a recording, with errors that name file and line."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from ..errors import BadDataError, MissingInputError

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
        When the file cannot be opened.
    BadDataError
        When it is not text, lacks a required column or has a row of another length than the header.
    """
    lines = list(csv.reader(_read_text(path).splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))
    header = [name.strip() for name in lines[0]] if lines else []
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


def read_json(path: Path) -> dict[str, Any]:
    """Content of a JSON sidecar.

    Raises
    ------
    MissingInputError
        When the file cannot be opened.
    BadDataError
        When it is not a JSON object.
    """
    try:
        content = json.loads(_read_text(path))
    except json.JSONDecodeError as error:
        raise BadDataError(f"Not valid JSON: {error}.", path=path, remedy="Correct the file.") from error
    if not isinstance(content, dict):
        raise BadDataError("The JSON file does not hold an object.", path=path, remedy="Correct the file.")
    return content


def number(text: str) -> float | None:
    """Value of a table cell, or ``None`` where it is ``n/a`` or no finite number."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) < float("inf") else None


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadDataError(
            "The file is not UTF-8 text.", path=path, remedy="Save it as UTF-8, as BIDS asks."
        ) from error
    except OSError as error:
        raise MissingInputError(
            f"The file cannot be read ({error.strerror}).", path=path, remedy="Fetch it or correct its permissions."
        ) from error
