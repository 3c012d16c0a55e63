"""What a training leaves in the output directory: the bundle, its card, scores, and how each split came about."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from statistics import median
from typing import Any

from jinja2 import Environment

from .. import __version__
from ..bids.content import read_json_object
from ..derivatives.atomic import sweep, temporary_folder, write_bytes, write_json, write_text, writing
from ..derivatives.dataset import dataset_name
from ..errors import Eeg2fmriError
from ..evaluation.baselines import MEAN_VOLUME
from ..evaluation.score_table import Entry, ScoreTable
from ..learning.library import Library
from ..learning.search.leaderboard_names import JSON_NAME, PICTURE_NAME, TABLE_NAME
from ..learning.splits import Split
from ..learning.trainer import Fitted
from ..network.bundle import load_bundle, save_bundle
from ..settings import Settings
from .trainers import training_options
from .training_scores import MODEL

CARD_METRICS = ("parcel_r", "parcel_r_truth", "voxel_r", "skill", "crps_ratio", "coverage_90", "ssim", "rmse")
START_TIME_TOLERANCE_S = 0.05
_SETTINGS = ("network", "from_model", "folds", "test_participants", "validation_participants", "confounds", "search")

logger = logging.getLogger(__name__)


class ModelFolder:
    """The output directory of a training.

    Parameters
    ----------
    settings
        Where it is, and the options.
    library, splits
        The recordings, and who does what.
    command
        The command line, for the card.
    """

    def __init__(self, settings: Settings, library: Library, splits: Sequence[Split], command: str) -> None:
        self._settings, self._library, self._splits, self._command = settings, library, tuple(splits), command
        self._root = settings.output_dir

    def is_complete(self) -> bool:
        """Whether a whole model of the same recordings and options is there."""
        try:
            return load_bundle(str(self._root)).metadata["training"].get("hash") == self._digest
        except (Eeg2fmriError, KeyError):
            return False

    def workplace(self, split: Split) -> Path:
        """Where an interrupted training of these recordings and options goes on from."""
        name = f"{self._settings.network}-{self._digest[:12]}"
        return self._settings.scratch_dir / "training" / name / split.name

    def write_split(self, split: Split, fitted: Fitted) -> None:
        """Write what a split's training leaves beside its model."""
        folder = self._root if split is self._splits[-1] else self._root / "folds" / split.name
        folder.mkdir(parents=True, exist_ok=True)
        sweep(folder)
        for name in (TABLE_NAME, JSON_NAME, PICTURE_NAME):
            if name not in fitted.files:
                # Of a search that another model came out of.
                (folder / name).unlink(missing_ok=True)
        for name, content in fitted.files.items():
            write_bytes(folder / name, content)

    def finish(self, fitted: Fitted, table: ScoreTable, entries: Sequence[Entry]) -> None:
        """Write scores, card and bundle; the description, which makes it a model, comes last."""
        write_text(self._root / "scores.tsv", table.tsv())
        write_json(self._root / "scores.json", {"command": self._command, **table.as_json()})
        write_text(self._root / "scores_by_recording.tsv", _by_recording(entries))
        write_json(self._root / "splits.json", {split.name: asdict(split) for split in self._splits})
        metadata = self._metadata(fitted, table)
        with temporary_folder(self._root) as staging:
            save_bundle(staging, fitted.network, metadata, self._card(fitted, table, metadata))
            with writing(self._root):
                # The old description first: it must not vouch for the new weights.
                (self._root / "model.json").unlink(missing_ok=True)
                for name in ("model.safetensors", "MODEL_CARD.md", "model.json"):
                    (staging / name).replace(self._root / name)

    def summary(self, table: ScoreTable) -> str:
        """What a user wants to see at the end."""
        metrics = [metric for metric in CARD_METRICS if metric in table.metrics]
        use = f"bids-eeg2fmri BIDS_DIR OUTPUT_DIR participant --model {self._root}"
        return f"\n{table.markdown(metrics)}\nThe model is in {self._root}; use it with\n  {use}"

    @property
    def _digest(self) -> str:
        """Digest of everything the model follows from."""
        settings = {name: getattr(self._settings, name) for name in _SETTINGS}
        config = self._settings.network_config
        content = {
            "version": __version__,
            "settings": settings,
            "config": None if config is None else read_json_object(config),
            "options": asdict(training_options(self._settings)),
            "recordings": sorted(member.example.name for member in self._library.members),
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()

    def _metadata(self, fitted: Fitted, table: ScoreTable) -> dict[str, Any]:
        kept = self._splits[-1]
        return {
            "name": self._root.name,
            "version": __version__,
            "targets": {
                "units": "BOLD standardised over time (z), per recording and voxel",
                "start_time_s": self._start_time_s(),
                "confounds_removed": list(self._settings.confounds),
            },
            "training": {
                "datasets": [dataset_name(self._settings.bids_dir)],
                "people": {role: list(getattr(kept, role)) for role in ("training", "validation", "test")},
                "recordings": len(self._library.members),
                "scored_on": _scored_on(self._splits),
                "command": self._command,
                "hash": self._digest,
                "from_model": self._settings.from_model,
                "caveats": list(fitted.caveats),
            },
            **fitted.facts,
            "calibration": fitted.calibration,
            "scores": _short(table),
        }

    def _start_time_s(self) -> float:
        """The convention of the targets: the median, when recordings differ."""
        times = [member.start_time_s for member in self._library.members]
        if max(times) - min(times) > START_TIME_TOLERANCE_S:
            logger.warning(
                "Volumes stand for instants of %.3g to %.3g s after their onset: each recording was trained with its "
                "own, the model states the median.",
                *(min(times), max(times)),
            )
        return float(median(times))

    def _card(self, fitted: Fitted, table: ScoreTable, metadata: dict[str, Any]) -> str:
        # A text, not a page: nothing to escape.
        environment = Environment(trim_blocks=True, lstrip_blocks=True, autoescape=False)  # noqa: S701
        template = (files("bids_eeg2fmri.assets") / "training" / "model_card.md.j2").read_text("utf-8")
        metrics = [metric for metric in CARD_METRICS if metric in table.metrics]
        return environment.from_string(template).render(
            model=metadata,
            network=fitted.network.NAME,
            facts=fitted.facts,
            table=table.markdown(metrics),
            row=MODEL,
            splits=self._splits,
        )


def _scored_on(splits: Sequence[Split]) -> str:
    if len(splits) == 1:
        return f"{len(splits[0].test)} people named for the test"
    return f"cross-validation over people, {len(splits) - 1} folds; the model itself was then trained on everybody"


def _short(table: ScoreTable) -> dict[str, Any]:
    """The model's own row and its nulls, by metric; the whole table is ``scores.json``."""
    whole = table.as_json()
    return {
        "n_people": whole["n_people"],
        "mean": {metric: cell["mean"] for metric, cell in whole["rows"][MODEL].items()},
        "mean_volume": {metric: cell["mean"] for metric, cell in whole["rows"][MEAN_VOLUME].items()},
        "null_95": whole["null_95"],
    }


def _by_recording(entries: Sequence[Entry]) -> str:
    lines = ["participant_id\tname\tmetric\tvalue"]
    lines += [
        f"sub-{entry.person}\t{entry.name}\t{metric}\t{value:.6g}"
        for entry in entries
        for metric, value in entry.scores.items()
    ]
    return "\n".join(lines) + "\n"
