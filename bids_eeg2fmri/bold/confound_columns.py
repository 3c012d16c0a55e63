"""Columns of a preprocessing's confounds table, to be regressed out of measured BOLD."""

from __future__ import annotations

from fnmatch import filter as matching
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float
from pandas.errors import EmptyDataError, ParserError

from ..bids.content import require_content
from ..errors import BadDataError, UsageError

_MOST_NAMED = 40


def read_confounds(path: Path, columns: tuple[str, ...], n_volumes: int) -> Float[np.ndarray, "volumes columns"]:
    """Read some columns of a table of confounds.

    Parameters
    ----------
    path
        A ``_desc-confounds_timeseries.tsv`` with one row per volume.
    columns
        Names, or patterns such as ``cosine*``.
    n_volumes
        Number of volumes of the image.

    Returns
    -------
    ndarray
        Values in the order of ``columns``; ``n/a`` in the first row, where changes have no value, is 0.

    Raises
    ------
    MissingInputError
        The content is not here.
    UsageError
        A column does not exist, or they are too many for the volumes.
    BadDataError
        The table is broken, has another number of rows, or lacks values after the first row.
    """
    require_content(path)
    try:
        table = pd.read_csv(path, sep="\t", na_values=["n/a"])
    except (UnicodeDecodeError, ParserError, EmptyDataError) as error:
        raise BadDataError(f"not a readable table ({error}).", path=path, remedy="Make it again.") from error
    if len(table) != n_volumes:
        raise BadDataError(
            f"{len(table)} rows of confounds for {n_volumes} volumes.",
            path=path,
            remedy="Give image and table of one run.",
        )
    chosen = table[_existing(path, columns, list(table.columns))]
    if chosen.shape[1] + 2 >= n_volumes:
        raise UsageError(
            f"{chosen.shape[1]} confounds leave nothing of {n_volumes} volumes.", path=path, remedy="Ask for fewer."
        )
    try:
        values = chosen.to_numpy(float, copy=True)
    except ValueError as error:
        raise BadDataError(f"a confound is not a number ({error}).", path=path, remedy="Correct the table.") from error
    values[0] = np.nan_to_num(values[0], nan=0.0)
    row, column = (indices[:1] for indices in np.nonzero(~np.isfinite(values)))
    if row.size:
        raise BadDataError(
            f"the confound {chosen.columns[column[0]]} has no value at volume {row[0]}.",
            path=path,
            remedy="Leave it out of --confounds.",
        )
    return values


def _existing(path: Path, columns: tuple[str, ...], available: list[str]) -> list[str]:
    found = {wanted: matching(available, wanted) for wanted in columns}
    missing = [wanted for wanted, names in found.items() if not names]
    if missing:
        shown = ", ".join(available[:_MOST_NAMED]) + (", ..." if len(available) > _MOST_NAMED else "")
        raise UsageError(
            f"no confound named {', '.join(missing)}.", path=path, remedy=f"The table has: {shown or 'no columns'}."
        )
    return list(dict.fromkeys(name for names in found.values() for name in names))
