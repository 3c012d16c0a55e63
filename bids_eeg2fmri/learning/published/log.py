"""``training_log.tsv``: one row per epoch, the same whether or not training was interrupted."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from ...derivatives.atomic import write_text


@dataclass(frozen=True)
class EpochRow:
    """One epoch.

    Attributes
    ----------
    epoch
        Counted from 1.
    step
        Steps made by its end.
    learning_rate
        At its last step.
    loss
        Mean over the epoch's volumes of the whole loss, dropout on: ``reconstruction`` (error of the volume) plus
        ``latent`` (distance of the two latent representations) plus ``penalty`` (regularisers, and the divergence of
        distributions over weights from their prior).
    gradient_norm
        Mean over its steps, before clipping.
    validation_loss, validation_reconstruction, validation_latent
        The same for the averaged weights, dropout off, as means over validation people.
    seconds
        Time spent on it, validation included.
    best
        Whether its validation reconstruction is the lowest so far.
    """

    epoch: int
    step: int
    learning_rate: float
    loss: float
    reconstruction: float
    latent: float
    penalty: float
    gradient_norm: float
    validation_loss: float
    validation_reconstruction: float
    validation_latent: float
    seconds: float
    best: bool


def read_log(path: Path, n_epochs: int) -> list[EpochRow]:
    """Rows of the first ``n_epochs`` epochs.

    A process killed between log and checkpoint leaves a row of an epoch that is about to be repeated: it is dropped.
    """
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as stream:
        rows = [_parsed(row) for row in csv.DictReader(stream, delimiter="\t")]
    return [row for row in rows if row.epoch <= n_epochs]


def write_log(path: Path, rows: Sequence[EpochRow]) -> None:
    """Write the log; it is whole at every moment."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, [field.name for field in fields(EpochRow)], delimiter="\t", lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(row) for row in rows)
    write_text(path, stream.getvalue())


def _parsed(row: dict[str, str]) -> EpochRow:
    kinds: dict[str, Callable[[str], Any]] = {"epoch": int, "step": int, "best": lambda text: text == "True"}
    return EpochRow(**{name: kinds.get(name, float)(text) for name, text in row.items()})
