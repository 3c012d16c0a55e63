"""Tables of what a prediction rests on: by electrode, band and lag for a region, and between electrodes.

Neither has a BIDS specification of its own yet: the matrices are named as BIDS extension proposal 17 (relation
matrices) has it, and ``.bidsignore`` lists both kinds.
"""

from __future__ import annotations

import glob
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from .atomic import write_json, write_text, writing
from .names import OutputNames
from .sidecars import RunFacts, source_uris

_DENSE = ".dense.tsv"
_ENDINGS = ("_relevance.tsv", "_relevance.json", f"_relmat{_DENSE}", "_relmat.json")


def relevance_path(names: OutputNames, region: str) -> Path:
    """The table of a region; ``region`` is a BIDS label."""
    return names.func_dir / f"{names.stem}_desc-{region}_relevance.tsv"


def attention_path(names: OutputNames) -> Path:
    """The mean attention between electrodes."""
    return names.func_dir / f"{names.stem}_desc-attention_relmat{_DENSE}"


def attention_relevance_path(names: OutputNames, region: str) -> Path:
    """The relevance of the attention between electrodes for a region."""
    return names.func_dir / f"{names.stem}_stat-relevance_desc-{region}_relmat{_DENSE}"


def described_by(path: Path) -> Path:
    """The sidecar of a table or a matrix."""
    return path.with_name(path.name.removesuffix(_DENSE).removesuffix(".tsv") + ".json")


def write_described(path: Path, table: pd.DataFrame, description: dict[str, Any], facts: RunFacts) -> tuple[Path, Path]:
    """Write a table, and its sidecar with the model and the sources.

    Raises
    ------
    WriteError, OutputError
        The files cannot be written.
    """
    text = table.to_csv(sep="\t", index=False, na_rep="n/a", float_format="%.6g", lineterminator="\n")
    write_text(path, text)
    write_json(described_by(path), description | _origin(facts))
    return path, described_by(path)


def remove_outdated_relevance(names: OutputNames, keep: Iterable[Path] = ()) -> None:
    """Remove what an earlier run explained of this recording, but for the files just written."""
    kept = set(keep)
    for ending in _ENDINGS:
        # The stem of a recording without a run is that of no other one up to the first of these entities.
        for entity in ("desc-", "stat-"):
            for path in names.func_dir.glob(f"{glob.escape(names.stem)}_{entity}*{ending}"):
                if path not in kept:
                    with writing(path):
                        path.unlink(missing_ok=True)


def _origin(facts: RunFacts) -> dict[str, Any]:
    model = facts.model
    return {
        "Synthetic": True,
        "ModelName": model.name,
        "ModelVersion": model.version,
        "ModelSHA256": model.sha256,
        "ModelNetwork": model.network,
        "TrainingDatasets": list(model.training_datasets),
        "Sources": source_uris(facts.file),
    }
