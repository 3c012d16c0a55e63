"""One row per recording: entities, facts and metrics, and what every column means."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .metric_definitions import METRICS
from .score_definitions import SCORES, definition_of

MISSING = "n/a"

_ENTITIES = {
    "participant_id": ("sub", "Person."),
    "session_id": ("ses", "Session."),
    "task": ("task", "Task, without prefix."),
    "acquisition": ("acq", "Acquisition, without prefix."),
    "run": ("run", "Run, without prefix."),
    "space": ("space", "Space of the images, without prefix."),
    "resolution": ("res", "Resolution of the images, without prefix."),
}
_WITH_PREFIX = ("sub", "ses")
_FACTS: dict[str, tuple[tuple[str, ...], str]] = {
    "synthetic": (("Synthetic",), "Whether the BOLD is synthetic: predicted from EEG, not measured."),
    "model": (("ModelName",), "Model that made the BOLD."),
    "model_version": (("ModelVersion",), "Version of the model."),
    "repetition_time_s": (("RepetitionTime",), "Repetition time, in seconds."),
    "volume_clock": (("VolumeClock", "Source"), "Where the onsets of the volumes come from."),
    "sampling_frequency_hz": (("EEG", "SamplingFrequency"), "Sampling frequency of the EEG file, in Hz."),
    "electrode_positions": (("EEG", "ElectrodePositions"), "Where the electrode positions come from."),
}


@dataclass(frozen=True)
class GroupRow:
    """One recording on one grid.

    Attributes
    ----------
    stem
        Entities of the recording's output names: its anchor on the person's page.
    entities
        Short entity names and values.
    sidecar
        The BOLD sidecar.
    """

    stem: str
    entities: Mapping[str, str]
    sidecar: Mapping[str, Any]

    @property
    def page(self) -> str:
        """The person's page, relative to the output directory."""
        return f"sub-{self.entities['sub']}.html"

    def metric(self, name: str) -> float | None:
        """A metric as a finite number, or ``None``."""
        value = (self.sidecar.get("Metrics") or {}).get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            return None
        return float(value)

    def cell(self, column: str) -> str:
        """The text of a cell."""
        if column in _ENTITIES:
            entity = _ENTITIES[column][0]
            value = self.entities.get(entity)
            return MISSING if value is None else f"{entity}-{value}" if entity in _WITH_PREFIX else value
        if column in _FACTS:
            return _text(_dig(self.sidecar, _FACTS[column][0]))
        number = self.metric(column)
        return MISSING if number is None else f"{number:.6g}"


def metric_names(rows: Sequence[GroupRow]) -> list[str]:
    """The defined metrics, the scores that a recording has, then any others that the sidecars hold."""
    found = {name for row in rows for name in row.sidecar.get("Metrics") or {}}
    scores = [name for name in SCORES if name in found]
    return [*METRICS, *scores, *sorted(found - set(METRICS) - set(SCORES))]


def column_names(rows: Sequence[GroupRow]) -> list[str]:
    """Columns of the table, in order."""
    return [*_ENTITIES, *_FACTS, *metric_names(rows)]


def table_text(rows: Sequence[GroupRow]) -> str:
    """The table as tab-separated values."""
    columns = column_names(rows)
    lines = [columns, *([row.cell(column) for column in columns] for row in rows)]
    return "".join("\t".join(" ".join(cell.split()) for cell in line) + "\n" for line in lines)


def column_definitions(rows: Sequence[GroupRow]) -> dict[str, dict[str, str]]:
    """What every column means, as the table's JSON sidecar states it."""
    described = {column: {"Description": text} for column, (_, text) in (_ENTITIES | _FACTS).items()}
    for name in metric_names(rows):
        metric = definition_of(name)
        if metric is not None:
            described[name] = {"LongName": metric.label, "Description": metric.definition}
            if metric.unit:
                described[name]["Units"] = metric.unit
        else:
            described[name] = {"Description": "Found in a sidecar; not defined by this version of bids_eeg2fmri."}
    return described


def _dig(content: Any, keys: tuple[str, ...]) -> Any:
    for key in keys:
        content = content.get(key) if isinstance(content, Mapping) else None
    return content


def _text(value: Any) -> str:
    if value is None or value == "":
        return MISSING
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, int | float) else str(value)
