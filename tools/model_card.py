"""The model card's tables, from what the benchmarks measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

NOT_MEASURED = "Not measured yet."


def quality_section(quality: Mapping[str, Any] | None) -> str:
    """Correlations, intervals and the targets that do not hold, from the JSON of ``benchmarks/model_quality.py``."""
    if quality is None:
        return NOT_MEASURED
    measured, targets = quality["measured"], [one for one in quality["targets"] if not one["seen_the_scan"]]
    missed = [target for target in targets if not target["holds"]]
    head = (
        f"{measured['people']} people, 5 minutes, TR 2 s (`benchmarks/model_quality.py`; ridges on "
        f"{measured['ridge_people']} people of their own, cap by cap).\nMean over parcels of the correlation over time "
        "with the noise-free truth; the rows of volumes have seen the scan:"
    )
    count = f"{len(targets) - len(missed)} of {len(targets)} targets hold" + (". These do not:" if missed else ".")
    parts = [head, _correlations(quality["r"]), _recordings(quality["recordings"]), count, _missed(missed)]
    return "\n\n".join(part for part in parts if part)


def real_section(real: Mapping[str, Any] | None) -> str:
    """The table of ``benchmarks/real_eeg.py``."""
    if real is None:
        return NOT_MEASURED
    rows = [[row["question"], *row["measured"], row["target"], _answer(row["holds"])] for row in real["table"]]
    about = (
        "EEGMAT: 12 people at rest and doing arithmetic, 19 electrodes (`benchmarks/real_eeg.py`). No BOLD was\n"
        "measured with it: nothing here says that a prediction is right."
    )
    return about + "\n\n" + _table(["", "real EEG", "simulated", "target", "holds"], rows)


def reliability_section(rows: Sequence[Mapping[str, Any]]) -> str:
    """One line per size of cap."""
    body = [
        [row["electrodes"], str(row["people"]), f"{row['mean_r']:.3f}", f"{100 * row['share_interpretable']:.0f} %"]
        for row in rows
    ]
    return _table(["electrodes", "people", "mean r, grey matter", "may be interpreted"], body)


def _correlations(by_label: Mapping[str, Mapping[str, Mapping[str, float]]]) -> str:
    names = list(next(iter(by_label.values())))
    rows = [[name, *(_r(values[name]) for values in by_label.values())] for name in names]
    return _table(["", *by_label], rows)


def _r(value: Mapping[str, float | None]) -> str:
    return f"{value['mean']:.3f}" if value["mean"] is not None else ""


def _recordings(by_label: Mapping[str, Mapping[str, Any]]) -> str:
    columns = ["r", "50", "80", "90", "95 % of voxels inside", "CRPS ratio", "width ratio", "sd", "novelty AUC"]
    rows = []
    for label, row in by_label.items():
        covered = [f"{100 * value:.1f}" for value in row["coverage"].values()]
        others = [_number(row[name]) for name in ("crps_ratio", "width_ratio", "sd", "novelty_auc")]
        rows.append([label, _number(row["r"]), *covered, *others])
    return _table(["64 channels unless said", *columns], rows)


def _missed(targets: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        [one["name"], _number(one["value"]), f"{one['relation']} {_number(one['threshold'])}", _ceiling(one)]
        for one in targets
    ]
    return _table(["", "measured", "target", "who knows the sources reaches"], rows) if rows else ""


def _ceiling(target: Mapping[str, Any]) -> str:
    return "" if target["ceiling"] is None else _number(target["ceiling"])


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _answer(holds: bool | None) -> str:
    return "" if holds is None else "yes" if holds else "**no**"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join("| " + " | ".join(line) + " |" for line in [head, ["---"] * len(head), *rows])
