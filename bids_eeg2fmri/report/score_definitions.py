"""The scores of a recording against the scanner's BOLD, and the rows that they are shown beside.

What a score is stands in :mod:`bids_eeg2fmri.evaluation.definitions`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ..evaluation import definitions
from .metric_definitions import METRICS, MetricDefinition


@dataclass(frozen=True)
class Baseline:
    """What is scored beside the model.

    Attributes
    ----------
    ending
        Appended to the names of its scores.
    label, definition
        Name in tables, and what it is.
    scores
        The scores that it has.
    """

    ending: str
    label: str
    definition: str
    scores: tuple[str, ...]


BASELINES = (
    Baseline(
        "_mean_volume",
        "Mean volume",
        "The mean volume at every instant, of the training people or of the person: in values standardised over time "
        "both are zero. It needs no EEG.",
        ("parcel_r", "voxel_r", "spatial_r", "skill", "crps_ratio"),
    ),
    Baseline(
        "_source_power",
        "Source power, fixed signs",
        "The EEG's source power through one haemodynamic response, alpha and beta negative, gamma positive. It needs "
        "no training; its amplitude is arbitrary.",
        ("parcel_r", "fc_r"),
    ),
    Baseline(
        "_previous_volume",
        "Previous volume",
        "The scanner's volume before. It needs no EEG but a scanner: it shows how much BOLD resembles itself.",
        ("parcel_r", "voxel_r", "spatial_r", "skill"),
    ),
)
TABLE = ("parcel_r", "voxel_r", "spatial_r", "fc_r", "skill", "crps_ratio")
CHANCE = {
    "null_r_shift_95": "Chance, circular shifts, 95 %",
    "null_r_phase_95": "Chance, phase surrogates, 95 %",
}
# In the order of the group table.
_MODEL = (
    *TABLE,
    *("r2", "parcel_r2", "spectral_overlap", "fdr_parcels", *CHANCE),
    *("coverage_50", "coverage_80", "coverage_90", "coverage_95", "interval_width_90"),
    *("crps", "parcel_coverage_90", "parcel_crps_ratio"),
)


def _of_model(name: str) -> MetricDefinition:
    score = definitions.SCORES[name]
    return MetricDefinition(score.label, score.unit, f"Against the scanner's BOLD: {score.definition}")


def _of_baseline(name: str, baseline: Baseline) -> MetricDefinition:
    label = definitions.SCORES[name].label
    return MetricDefinition(
        f"{label}, {baseline.label[0].lower()}{baseline.label[1:]}",
        definitions.SCORES[name].unit,
        f"{label} ({name}) of a baseline. {baseline.definition}",
    )


OF_BASELINES: Mapping[str, MetricDefinition] = MappingProxyType(
    {f"{name}{baseline.ending}": _of_baseline(name, baseline) for baseline in BASELINES for name in baseline.scores}
)
SCORES: Mapping[str, MetricDefinition] = MappingProxyType({name: _of_model(name) for name in _MODEL} | {**OF_BASELINES})


def definition_of(name: str) -> MetricDefinition | None:
    """What a metric or a score means; ``None`` when this version does not know it."""
    return METRICS.get(name) or SCORES.get(name)


def is_correlation(name: str) -> bool:
    """Whether a score, the model's or a baseline's, is averaged in Fisher's z."""
    for baseline in BASELINES:
        name = name.removesuffix(baseline.ending)
    return definitions.SCORES[name].correlation or name in CHANCE


def table_cells() -> list[tuple[str, str, list[str | None]]]:
    """Label, definition and the names of the scores in every row of a table with the columns :data:`TABLE`."""
    cells: list[tuple[str, str, list[str | None]]] = [("This model", "The synthetic BOLD.", [*TABLE])]
    for row in BASELINES:
        names = [f"{name}{row.ending}" if name in row.scores else None for name in TABLE]
        cells.append((row.label, row.definition, names))
    for chance, label in CHANCE.items():
        names = [chance if name == "parcel_r" else None for name in TABLE]
        cells.append((label, definitions.SCORES[chance].definition, names))
    return cells
