"""Names of parcels from the table beside an image of labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Int

from ..eeg.tables import read_tsv
from ..errors import BadDataError

_DIGITS = 18


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
    BadDataError, MissingInputError
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
        rows = read_tsv(table, required=("index", "name"))
    except BadDataError as error:
        raise _unusable(table, error.problem) from error
    if wrong := [row["index"] for row in rows if not row["index"].isdecimal() or len(row["index"]) > _DIGITS]:
        raise _unusable(table, f"the index {wrong[0][:30]!r} is not a whole number.")
    return {int(row["index"]): " ".join(row["name"].split()) for row in rows}


def _unusable(table: Path, reason: str) -> BadDataError:
    return BadDataError(
        f"the table of parcel names cannot be used: {reason}",
        path=table,
        remedy="Give it the columns index (whole numbers) and name, separated by tabs, or remove it.",
    )
