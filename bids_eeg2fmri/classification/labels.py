"""Labels of people, recordings and events, from the tables of the datasets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ..bids.bids_name import parse_name
from ..eeg.tables import MISSING, number, read_tsv
from ..errors import BadDataError, MissingInputError, UsageError
from .view import Key, View, recording_key

MAX_CLASSES = 10
_ENTITIES = {"task": "task", "session": "ses", "ses": "ses", "run": "run", "acquisition": "acq", "acq": "acq"}


class LabelledEvent(NamedTuple):
    """An event with its label; onset in seconds from the first volume."""

    onset_s: float
    duration_s: float
    label: str


def people_labels(bids_dir: Path, column: str) -> dict[str, str]:
    """Label of every person (``sub-01``) that has one in ``participants.tsv``.

    Raises
    ------
    MissingInputError, BadDataError, UsageError
        There is no such table or column.
    """
    path = bids_dir / "participants.tsv"
    if not path.is_file():
        raise MissingInputError(
            f"the labels {column!r} of people are looked for in participants.tsv, which is missing.",
            path=path,
            remedy="Add it, or classify something else with --classify-unit.",
        )
    rows = read_tsv(path, ("participant_id",))
    _require_column(column, rows, path)
    return {row["participant_id"]: row[column] for row in rows if row[column] not in MISSING}


def recording_labels(bids_dir: Path, views: Sequence[View], column: str) -> tuple[dict[Key, str], str]:
    """Label of every recording that has one, and where it comes from.

    An entity of the name (``task``, ``session``, ``run``, ``acquisition``) labels its recordings; else the column is
    looked for in the ``scans.tsv`` of the recordings, and last in ``participants.tsv``.

    Raises
    ------
    BadDataError, MissingInputError, UsageError
        There is no such column.
    """
    entity = _ENTITIES.get(column)
    if entity is not None:
        found = {view.key: view.entities[entity] for view in views if entity in view.entities}
        return found, f"the entity {entity}- of the names"
    labels: dict[Key, str] = {}
    for folder in sorted({_session_folder(bids_dir, view) for view in views}):
        for path in folder.glob("*_scans.tsv"):
            labels |= _scans_labels(path, column)
    if labels:
        return labels, f"{column} of scans.tsv"
    try:
        of_people = people_labels(bids_dir, column)
    except (MissingInputError, UsageError) as error:
        raise UsageError(
            f"--classify {column}: neither an entity of the names, nor a column of a scans.tsv or of participants.tsv.",
            path=bids_dir,
            remedy=f"Entities: {', '.join(_ENTITIES)}.",
        ) from error
    found = {view.key: of_people[view.person] for view in views if view.person in of_people}
    return found, f"{column} of participants.tsv"


def event_labels(view: View, column: str) -> list[LabelledEvent]:
    """Events of a recording that have a label, from the ``events.tsv`` beside its synthetic BOLD.

    Raises
    ------
    BadDataError, UsageError
        The table is broken or lacks the column.
    """
    path = view.path.with_name(f"{view.path.name.partition('_space-')[0]}_events.tsv")
    if not path.is_file():
        return []
    rows = read_tsv(path, ("onset",))
    _require_column(column, rows, path)
    events = []
    for row in rows:
        onset_s = number(row["onset"])
        if onset_s is not None and row[column] not in MISSING:
            events.append(LabelledEvent(onset_s, number(row.get("duration", "")) or 0.0, row[column]))
    return events


def class_names(labels: Iterable[str], column: str) -> tuple[str, ...]:
    """The different labels in order, numbers by their value; of two, the second is the positive class.

    Raises
    ------
    BadDataError
        There are too many to be classes.
    """
    names = sorted(
        set(labels), key=lambda label: (0, value, label) if (value := number(label)) is not None else (1, 0.0, label)
    )
    if len(names) > MAX_CLASSES:
        raise BadDataError(
            f"--classify {column}: {len(names)} different values are too many to be classes (at most {MAX_CLASSES}).",
            remedy="Choose a column of few values; for a number, add a column that divides it into groups.",
        )
    return tuple(names)


def _session_folder(bids_dir: Path, view: View) -> Path:
    folder = bids_dir / view.person
    return folder / f"ses-{view.entities['ses']}" if "ses" in view.entities else folder


def _scans_labels(path: Path, column: str) -> dict[Key, str]:
    found = {}
    for row in read_tsv(path, ("filename",)):
        name = parse_name(row["filename"].rpartition("/")[2])
        if name is not None and name.suffix == "eeg" and row.get(column, "n/a") not in MISSING:
            found[recording_key(name.entities)] = row[column]
    return found


def _require_column(column: str, rows: Sequence[Mapping[str, str]], path: Path) -> None:
    columns = list(rows[0]) if rows else []
    if column not in columns:
        raise UsageError(
            f"--classify {column}: the table has no such column.",
            path=path,
            remedy=f"Its columns: {', '.join(columns) or 'none'}.",
        )
