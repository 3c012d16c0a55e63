"""Names of parcels from the table beside an image of labels."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from jaxtyping import Int

from ..errors import BadDataError


def read_parcel_names(table: Path, indices: Int[np.ndarray, " parcels"]) -> tuple[str, ...]:
    """A name for every label, unique: from the table, else ``parcel-<label>``.

    Parameters
    ----------
    table
        A tab-separated table with the columns ``index`` and ``name``; it need not exist.
    indices
        The labels.

    Raises
    ------
    BadDataError
        The table cannot be read, or two parcels have one name.
    """
    named = _read(table) if table.is_file() else {}
    names = tuple(named.get(int(index), f"parcel-{index}") for index in indices)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadDataError(
            f"several parcels have the name {twice[0]!r}.", path=table, remedy="Give every parcel a name of its own."
        )
    return names


def _read(table: Path) -> dict[int, str]:
    try:
        with table.open(encoding="utf-8-sig", newline="") as stream:
            rows = csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE)
            # Names become the header of a table.
            return {int(row["index"]): " ".join(row["name"].split()) for row in rows}
    except (OSError, UnicodeDecodeError, KeyError, ValueError, TypeError, AttributeError, csv.Error) as error:
        raise BadDataError(
            f"the table of parcel names cannot be used ({type(error).__name__}: {error}).",
            path=table,
            remedy="Give it the columns index (whole numbers) and name, separated by tabs, or remove it.",
        ) from error
