"""Our rows beside the published ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bids_eeg2fmri.evaluation.definitions import SCORES

from .benchmark import Benchmark, ProtocolName

COLUMNS = ("rmse", "ssim", "ssim_unit", "psnr_unit", "parcel_r", "skill")
_MODEL = "model"

_NOTES = """\
RMSE (published) and SSIM (published): the convention of eeg-to-fmri (Calhas and Henriques 2022), on volumes in units
of one mean and one standard deviation per person. SSIM (0-1) and PSNR (0-1): the convention of E2fNet, NT-ViT and
Spec2VolCAMU-Net, on volumes scaled to 0-1. Only columns of one convention may be compared.

Our rows are in MNI152NLin2009cAsym on our 4 mm grid, with one constant value outside the brain, which raises every
SSIM; the published ones are on each scanner's own grid. They stand beside each other, they are not the same
measurement: read each of our rows beside our row of the mean volume, which uses no EEG.
docs/published_benchmarks.md lists the differences.
"""


@dataclass(frozen=True)
class ScoresOfNetwork:
    """``scores.json`` of the ``train`` level."""

    network: str
    content: Mapping[str, Any]


def markdown(benchmark: Benchmark, protocol: ProtocolName, scored: Mapping[str, ScoresOfNetwork]) -> str:
    """The table of a benchmark: each network with its baselines and nulls, then the published rows."""
    n_people = next(iter(scored.values())).content["n_people"]
    split = f"{benchmark.title}, protocol `{protocol}`, {n_people} people tested"
    lines = [
        f"| {split} | " + " | ".join(SCORES[column].label for column in COLUMNS) + " |",
        "|---|" + "---|" * len(COLUMNS),
    ]
    for network, scores in scored.items():
        for name, row in scores.content["rows"].items():
            label = f"**{network}**" if name == _MODEL else f"{network}: {name}"
            lines.append(_line(label, {metric: _ours(cell) for metric, cell in row.items()}))
        for name, row in scores.content["null_95"].items():
            label = f"{network}: {name.removeprefix(f'{_MODEL}: ')}"
            lines.append(_line(label, {metric: _number(value) for metric, value in row.items()}))
    for published in benchmark.published:
        cells = {metric: f"{value:g}" for metric, value in published.scores.items()}
        lines.append(_line(f"{published.name}, published (doi {published.doi})", cells))
    return "\n".join(lines) + f"\n\n{_NOTES}"


def _line(label: str, cells: Mapping[str, str]) -> str:
    return f"| {label} | " + " | ".join(cells.get(column, "") for column in COLUMNS) + " |"


def _ours(cell: Mapping[str, Any]) -> str:
    low, high = cell["ci95"]
    if cell["mean"] is None:
        return "n/a"
    return _number(cell["mean"]) + (f" [{low:.3f}, {high:.3f}]" if low is not None and high is not None else "")


def _number(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.3f}"
