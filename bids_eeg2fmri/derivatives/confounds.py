"""The confounds table and its description, as files."""

from __future__ import annotations

from typing import Any

import pandas as pd

from .atomic import write_json, write_text
from .names import OutputNames, sidecar


def write_confounds(names: OutputNames, table: pd.DataFrame, description: dict[str, Any]) -> None:
    """Write ``_desc-confounds_timeseries.tsv`` and ``.json``; values that do not exist become ``n/a``.

    Raises
    ------
    WriteError, OutputError
        The files cannot be written.
    """
    text = table.to_csv(sep="\t", index=False, na_rep="n/a", float_format="%.10g", lineterminator="\n")
    write_text(names.confounds, text)
    write_json(sidecar(names.confounds), description)
