"""The page of the group: a strip plot per metric, its points linked to people's pages, and the table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .group_connectivity import connectivity_section
from .group_maps import map_section
from .group_outliers import outlier_section
from .group_scores import collect_group_scores
from .group_section import GroupSection
from .group_strips import collect_strips
from .group_summaries import read_summaries
from .group_table import GroupRow, column_names
from .pages import render_page
from .panels.banner import trained_on_simulations


def render_group_page(
    rows: Sequence[GroupRow],
    failures: Sequence[str],
    command: str,
    output_dir: Path,
    sections: Sequence[GroupSection] = (),
) -> str:
    """The page as HTML.

    Parameters
    ----------
    rows
        The recordings.
    failures
        What is wrong with recordings that are not in the table, one sentence each.
    command
        The command line that made the page.
    output_dir
        Root of the derivatives, where the recordings' summaries lie.
    sections
        What other analyses of the group have to show, in their order.
    """
    columns = column_names(rows)
    summaries = read_summaries(rows, output_dir)
    own = (outlier_section(rows), map_section(summaries), connectivity_section(summaries))
    return render_page(
        "group.html.j2",
        strips=collect_strips(rows),
        scores=collect_group_scores(rows),
        sections=[section for section in (*own, *sections) if section is not None],
        columns=columns,
        rows=[
            {"page": row.page, "stem": row.stem, "cells": [row.cell(column) for column in columns[1:]],
             "participant": row.cell(columns[0])}
            for row in rows
        ],
        n_people=len({row.entities["sub"] for row in rows}),
        failures=list(failures),
        command=command,
        simulated=any(trained_on_simulations(dict(row.sidecar)) for row in rows),
    )  # fmt: skip
