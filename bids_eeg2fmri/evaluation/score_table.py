"""Models beside baselines and nulls, averaged over people."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from .baselines import MEAN_VOLUME
from .definitions import SCORES
from .nulls import Null
from .people import fisher_z, mean_over_people

_ABSENT = "n/a"


@dataclass(frozen=True)
class Entry:
    """Scores of one row on one recording.

    Attributes
    ----------
    person
        Whose recording it is: people, not recordings, are what intervals are over.
    name
        The model or baseline.
    scores
        Metrics by name.
    null
        Given for models; its 95th percentiles become rows of the table.
    """

    person: str
    name: str
    scores: Mapping[str, float]
    null: Null | None = None


@dataclass(frozen=True)
class Cell:
    """Mean over people and its 95 % confidence interval; NaN where it cannot be told."""

    mean: float
    low: float
    high: float
    n_people: int

    def __str__(self) -> str:
        if not np.isfinite(self.mean):
            return _ABSENT
        interval = f"[{self.low:.3f}, {self.high:.3f}]" if np.isfinite(self.low) else f"[{_ABSENT}]"
        return f"{self.mean:.3f} {interval}"


@dataclass(frozen=True)
class ScoreTable:
    """Rows of models and baselines, columns of metrics, over people; never without mean volume and null.

    Attributes
    ----------
    rows
        By name, then by metric.
    null_rows
        95th percentile of what chance reaches in the mean over people, by kind of null, then by metric.
    metrics
        The columns, in the order of :data:`.definitions.SCORES`.
    n_people
        Number of people.
    """

    rows: Mapping[str, Mapping[str, Cell]]
    null_rows: Mapping[str, Mapping[str, float]]
    metrics: tuple[str, ...]
    n_people: int

    @classmethod
    def of(
        cls, entries: Iterable[Entry], swapped: Mapping[str, Float[np.ndarray, " surrogates"]] | None = None
    ) -> ScoreTable:
        """Average entries over each person's recordings, then over people.

        Parameters
        ----------
        entries
            Every row on every recording.
        swapped
            By model, what :func:`.nulls.swapped_people` found for the mean parcel r.

        Raises
        ------
        ValueError
            No row of the mean volume for each person, no null, or a metric without a definition.
        """
        entries = list(entries)
        names = list(dict.fromkeys(entry.name for entry in entries))
        found = {metric for entry in entries for metric in entry.scores}
        if MEAN_VOLUME not in names:
            raise ValueError(f"a score table needs the row {MEAN_VOLUME!r}")
        people = {entry.person for entry in entries}
        if {entry.person for entry in entries if entry.name == MEAN_VOLUME} != people:
            raise ValueError(f"the row {MEAN_VOLUME!r} does not cover all people")
        if all(entry.null is None for entry in entries):
            raise ValueError("a score table needs the null of at least one model")
        if not found <= set(SCORES):
            raise ValueError(f"scores without a definition: {', '.join(sorted(found - set(SCORES)))}")
        metrics = tuple(metric for metric in SCORES if metric in found)
        rows = {
            name: {metric: _cell([e for e in entries if e.name == name], metric) for metric in metrics}
            for name in names
        }
        null_rows: dict[str, dict[str, float]] = {}
        for name in names:
            null_rows |= _null_rows(name, [entry for entry in entries if entry.name == name])
            if swapped is not None and name in swapped and len(swapped[name]):
                null_rows[f"{name}: swapped people, null 95 %"] = {"parcel_r": float(np.quantile(swapped[name], 0.95))}
        return cls(rows, null_rows, metrics, len(people))

    def markdown(self, metrics: Sequence[str] | None = None) -> str:
        """One line a row, one column a metric: mean [95 % CI over people]; the nulls below.

        Parameters
        ----------
        metrics
            The columns; all by default.
        """
        columns = self.metrics if metrics is None else tuple(metrics)
        lines = [
            "| | " + " | ".join(SCORES[metric].label for metric in columns) + " |",
            "|---|" + "---|" * len(columns),
        ]
        for name, row in self.rows.items():
            lines.append(f"| {name} | " + " | ".join(self._text(row[metric]) for metric in columns) + " |")
        for name, null in self.null_rows.items():
            cells = (f"{null[metric]:.3f}" if metric in null else "" for metric in columns)
            lines.append(f"| {name} | " + " | ".join(cells) + " |")
        return "\n".join(lines) + "\n"

    def _text(self, cell: Cell) -> str:
        fewer = 0 < cell.n_people < self.n_people
        return f"{cell} ({cell.n_people} people)" if fewer else str(cell)

    def tsv(self) -> str:
        """One line per row and metric, nulls included; ``n/a`` where a number is missing."""
        lines = ["name\tmetric\tmean\tci_low\tci_high\tn_people"]
        for name, row in self.rows.items():
            for metric, cell in row.items():
                numbers = "\t".join(_number(value) for value in (cell.mean, cell.low, cell.high))
                lines.append(f"{name}\t{metric}\t{numbers}\t{cell.n_people}")
        for name, null in self.null_rows.items():
            lines += [
                f"{name}\t{metric}\t{_number(value)}\t{_ABSENT}\t{_ABSENT}\t{self.n_people}"
                for metric, value in null.items()
            ]
        return "\n".join(lines) + "\n"

    def as_json(self) -> dict[str, Any]:
        """The table as plain values, ``None`` where a number is missing."""
        rows = {
            name: {
                metric: {
                    "mean": _plain(cell.mean),
                    "ci95": [_plain(cell.low), _plain(cell.high)],
                    "n_people": cell.n_people,
                }
                for metric, cell in row.items()
            }
            for name, row in self.rows.items()
        }
        null_rows = {
            name: {metric: _plain(value) for metric, value in row.items()} for name, row in self.null_rows.items()
        }
        return {"n_people": self.n_people, "rows": rows, "null_95": null_rows}


def _cell(entries: list[Entry], metric: str) -> Cell:
    correlation = SCORES[metric].correlation
    by_person: dict[str, list[float]] = defaultdict(list)
    for entry in entries:
        by_person[entry.person].append(float(entry.scores.get(metric, np.nan)))
    people = [float(mean_over_people(np.array(values), correlation=correlation).mean) for values in by_person.values()]
    mean, low, high, n_people = mean_over_people(np.array(people), correlation=correlation)
    return Cell(float(mean), float(low), float(high), int(n_people))


def _null_rows(name: str, entries: list[Entry]) -> dict[str, dict[str, float]]:
    """95th percentiles of the surrogates' means over people; surrogates are independent between recordings."""
    nulls = [(entry.person, entry.null) for entry in entries if entry.null is not None]
    rows: dict[str, dict[str, float]] = {}
    for label, kind in (("circular shift", "circular_shift"), ("phase surrogates", "phase")):
        row: dict[str, float] = {}
        metrics = set.intersection(*(set(getattr(null, kind)) for _, null in nulls)) if nulls else set()
        for metric in (metric for metric in SCORES if metric in metrics):
            by_person: dict[str, list[np.ndarray]] = defaultdict(list)
            for person, null in nulls:
                by_person[person].append(fisher_z(getattr(null, kind)[metric]))
            people = np.stack([np.mean(surrogates, axis=0) for surrogates in by_person.values()])
            row[metric] = float(np.quantile(np.tanh(people.mean(axis=0)), 0.95))
        if row:
            rows[f"{name}: {label}, null 95 %"] = row
    return rows


def _number(value: float) -> str:
    return f"{value:.6g}" if np.isfinite(value) else _ABSENT


def _plain(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
