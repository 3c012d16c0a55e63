"""Scores against the scanner's BOLD as a table: the model above the baselines and chance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .score_definitions import SCORES, TABLE, table_cells


def score_table(text_of: Callable[[str], str]) -> dict[str, Any]:
    """Columns and rows for the template ``score_table.html.j2``.

    Parameters
    ----------
    text_of
        Makes the text of a cell from the name of its score; empty where there is none.
    """
    return {
        "columns": [
            {"label": SCORES[name].label, "unit": SCORES[name].unit, "definition": SCORES[name].definition}
            for name in TABLE
        ],
        "rows": [
            {
                "label": label,
                "definition": definition,
                "cells": ["" if name is None else text_of(name) for name in names],
            }
            for label, definition, names in table_cells()
        ],
    }
