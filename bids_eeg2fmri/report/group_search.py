"""The section of the group page on the architecture search that the model came out of."""

from __future__ import annotations

import csv
from pathlib import Path

from ..learning.search.leaderboard_names import PICTURE_NAME, TABLE_NAME
from .figure_sources import data_uri
from .group_section import GroupSection, figures_section

_SHOWN = (
    *("rank", "state", "validation_error", "epochs", "parameters", "eeg_kernels", "eeg_strides"),
    *("learning_rate", "batch_size", "weight_decay", "fourier", "style"),
)
_MOST_ROWS = 20
_CAPTION = (
    "Was the architecture of this model better than others that were tried? Every row is a generated architecture with "
    "hyper-parameters; errors are those of the validation people, who also chose, and flatter the first row. A bad "
    "picture: errors that lie together, or whose best is at the first epoch: then nothing was learned, and the choice "
    "is luck. Scores on people who had no say are in the model's scores.tsv."
)


def search_section(model: Path) -> GroupSection | None:
    """Leaderboard of the search; ``None`` where the model did not come out of one.

    Parameters
    ----------
    model
        Folder of the model's bundle.
    """
    table, picture = model / TABLE_NAME, model / PICTURE_NAME
    if not table.is_file() or not picture.is_file():
        return None
    with table.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    described = (
        f"{len(rows)} architectures were tried; the lowest error is {rows[0]['validation_error']}."
        if rows
        else "No architecture was tried."
    )
    shown = [[row.get(name, "n/a") for name in _SHOWN] for row in rows[:_MOST_ROWS]]
    return figures_section(
        "Architecture search",
        _CAPTION,
        [{"address": data_uri(picture.read_bytes(), ".svg"), "description": described}],
        table={"columns": [name.replace("_", " ") for name in _SHOWN], "rows": shown},
    )
