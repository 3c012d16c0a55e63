"""What a search leaves beside the model: its ranking as a table, as JSON and as a picture."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from ...network.calhas2022.config import Blocks
from .candidates import Spaces
from .dissimilarity import dissimilarity
from .leaderboard_names import JSON_NAME, PICTURE_NAME, TABLE_NAME
from .picture import leaderboard_picture
from .study import Trained

_COLUMNS = (
    *("rank", "candidate", "state", "validation_error", "epochs", "best_epoch", "parameters"),
    *("eeg_kernels", "eeg_strides", "fmri_kernels", "fmri_strides"),
    *("learning_rate", "batch_size", "weight_decay", "fmri_dropout", "decoder_dropout"),
    *("n_filters", "fourier", "style", "decoder_shape"),
)


def leaderboard_files(results: Sequence[Trained], spaces: Spaces, zero: float | None) -> dict[str, bytes]:
    """The files by name.

    Parameters
    ----------
    results
        All candidates, the best first.
    spaces
        Where they were drawn from.
    zero
        Error of predicting zero, where there is such a number.
    """
    return {
        TABLE_NAME: _table(results).encode(),
        JSON_NAME: (json.dumps(_description(results, spaces, zero), indent=2) + "\n").encode(),
        PICTURE_NAME: leaderboard_picture(results, zero),
    }


def summary(results: Sequence[Trained], spaces: Spaces, zero: float | None) -> dict[str, Any]:
    """What the model's description says about the search."""
    states = [result.state for result in results]
    return {
        "architectures_tried": len(results),
        **{state: states.count(state) for state in ("trained", "stopped", "failed")},
        "search_space": spaces.size,
        "chosen": results[0].candidate.number,
        "lowest_error": round(results[0].error, 6),
        "error_of_zero": None if zero is None else round(zero, 6),
    }


def _description(results: Sequence[Trained], spaces: Spaces, zero: float | None) -> dict[str, Any]:
    described = {"eeg": (spaces.eeg, [result.candidate.eeg_blocks for result in results])}
    if spaces.fmri is not None:
        described["fmri"] = (spaces.fmri, [b for b in (r.candidate.fmri_blocks for r in results) if b is not None])
    return {
        "summary": summary(results, spaces, zero),
        "spaces": {
            name: {
                **asdict(space),
                "solutions_by_layers": space.counts,
                "dissimilarity_bits": round(dissimilarity(blocks, space), 3),
            }
            for name, (space, blocks) in described.items()
        },
        "candidates": [
            {
                **_row(rank, result),
                "errors_by_epoch": result.errors,
                "problem": result.problem,
                "config": asdict(result.config),
                "options": asdict(result.options),
            }
            for rank, result in enumerate(results, start=1)
        ],
    }


def _table(results: Sequence[Trained]) -> str:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, _COLUMNS, delimiter="\t", lineterminator="\n")
    writer.writeheader()
    for rank, result in enumerate(results, start=1):
        writer.writerow({name: "n/a" if value is None else value for name, value in _row(rank, result).items()})
    return stream.getvalue()


def _row(rank: int, result: Trained) -> dict[str, Any]:
    config, options, errors = result.config, result.options, result.errors
    return {
        "rank": rank,
        "candidate": result.candidate.number,
        "state": result.state,
        "validation_error": round(result.error, 6) if errors else None,
        "epochs": len(errors),
        "best_epoch": 1 + errors.index(result.error) if errors else None,
        "parameters": result.parameters or None,
        **_blocks("eeg", config.eeg_blocks),
        **_blocks("fmri", config.fmri_blocks),
        "learning_rate": float(f"{options.learning_rate:.4g}"),
        "batch_size": options.batch_size,
        "weight_decay": float(f"{config.weight_decay:.4g}"),
        "fmri_dropout": round(config.fmri_dropout, 3),
        "decoder_dropout": round(config.decoder_dropout, 3),
        "n_filters": config.n_filters,
        "fourier": config.fourier,
        "style": config.style,
        "decoder_shape": None if config.decoder_shape is None else _shape(config.decoder_shape),
    }


def _blocks(name: str, blocks: Blocks | None) -> dict[str, str | None]:
    """Kernels and strides as ``7x37x2 7x7x2``, first block first."""
    if blocks is None:
        return {f"{name}_kernels": None, f"{name}_strides": None}
    texts = {"kernels": blocks.kernels, "strides": blocks.strides}
    return {f"{name}_{part}": " ".join(map(_shape, shapes)) for part, shapes in texts.items()}


def _shape(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape))
