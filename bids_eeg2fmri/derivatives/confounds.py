"""The confounds table and its description, as files."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from .atomic import atomic_path, write_json, writing
from .names import OutputNames, sidecar


def write_confounds(names: OutputNames, blocks: Iterable[pd.DataFrame], description: dict[str, Any]) -> None:
    """Write ``_desc-confounds_timeseries.tsv`` and ``.json``; values that do not exist become ``n/a``.

    Parameters
    ----------
    names
        The recording's outputs.
    blocks
        The table, some rows after the others.
    description
        Content of the sidecar.

    Raises
    ------
    WriteError, OutputError
        The files cannot be written.
    """
    path = names.confounds
    with atomic_path(path) as temporary, writing(path), temporary.open("wb") as stream:
        for number, block in enumerate(blocks):
            text = block.to_csv(
                sep="\t", index=False, header=number == 0, na_rep="n/a", float_format="%.10g", lineterminator="\n"
            )
            stream.write(text.encode())
    write_json(sidecar(path), description)
