"""Which recordings to work on: the input, narrowed by every filter of the command line."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from ..errors import BadDataError, Eeg2fmriError, MissingInputError, NothingSelectedError
from ..settings import Settings
from .bids_name import is_label
from .content import require_content, require_target
from .dataset import subjects_in, validate_dataset
from .filter_file import FileFilter, read_filter_file, same_run
from .inheritance import Companions
from .recording_file import RecordingFile
from .signal_file import EXTENSIONS, SignalFile, lost_recordings, signal_files

logger = logging.getLogger(__name__)

RAW = "raw"


@dataclass(frozen=True)
class SelectionFailure:
    """A recording that was selected but cannot even be described.

    Attributes
    ----------
    label, subject
        Which recording and person.
    path
        Its signal file, or one of them.
    error
        Why.
    """

    label: str
    subject: str
    path: Path
    error: Eeg2fmriError


@dataclass(frozen=True)
class Selection:
    """What the filters selected, sorted by label.

    Attributes
    ----------
    recordings
        Recordings to work on.
    failures
        Recordings that fail before they are read; they do not stop the others.
    """

    recordings: tuple[RecordingFile, ...]
    failures: tuple[SelectionFailure, ...] = ()


def select_recordings(settings: Settings) -> Selection:
    """Find the recordings that the settings ask for, in the input and in cleaned derivatives.

    A cleaned recording replaces the raw one of the same person, session, task, acquisition and run.

    Raises
    ------
    InvalidDatasetError
        The input is not a BIDS dataset (unless validation is skipped).
    NothingSelectedError
        A participant does not exist, or no recording passes the filters.
    UsageError
        The filter file or the database cannot be used.
    """
    filters = read_filter_file(settings.bids_filter_file)
    for sentence in filters.ignored:
        logger.warning(sentence)
    if not settings.skip_bids_validation:
        validate_dataset(settings.bids_dir)
    subjects = _choose_subjects(settings)
    found = signal_files(settings.bids_dir, RAW, subjects, settings.bids_database_dir)
    for name, root in settings.derivatives.items():
        found += signal_files(root, name, subjects)
    chosen = [file for file in found if is_wanted(file, settings, filters.eeg)]
    lost = [
        file for file in lost_recordings(settings.bids_dir, RAW, subjects) if is_wanted(file, settings, filters.eeg)
    ]
    if not chosen and not lost:
        raise NothingSelectedError(_nothing_selected(settings, subjects, found), remedy=_remedy(settings))
    _warn_about_empty_handed(settings, [*chosen, *lost])

    companions = Companions(settings.bids_dir)
    # A dry run opens no signal file, however many there are, unless it is about a single participant.
    check = require_target if settings.dry_run and len(subjects) > 1 else require_content
    recordings, failures = [], _without_signal(lost, found)
    for _, group in groupby(sorted(chosen, key=lambda file: file.key), key=lambda file: file.key):
        same = list(group)
        try:
            recordings.append(_describe(_the_one(same), companions, check))
        except Eeg2fmriError as error:
            failures.append(SelectionFailure(same[0].label, same[0].name.entities["sub"], same[0].path, error))
    return Selection(tuple(recordings), tuple(failures))


def _without_signal(lost: Sequence[SignalFile], found: Sequence[SignalFile]) -> list[SelectionFailure]:
    """A failure for every recording that has neither a raw nor a cleaned signal file."""
    remains = {file.key: file for file in reversed(lost)}
    for file in found:
        remains.pop(file.key, None)
    return [
        SelectionFailure(file.label, file.name.entities["sub"], file.path, _no_signal(file.path))
        for _, file in sorted(remains.items())
    ]


def _no_signal(remains: Path) -> MissingInputError:
    return MissingInputError(
        f"the signal file ({', '.join(EXTENSIONS[:-1])}) of this recording is missing.",
        path=remains,
        remedy="Fetch or restore it, or remove what is left of the recording.",
    )


def _choose_subjects(settings: Settings) -> list[str]:
    existing = sorted({s for root in (settings.bids_dir, *settings.derivatives.values()) for s in subjects_in(root)})
    unknown = [label for label in settings.participant_label if label not in existing]
    if unknown:
        table = _asked_and_has([("--participant-label", settings.participant_label, existing)])
        raise NothingSelectedError(f"no such participant: {', '.join(unknown)}.\n{table}", path=settings.bids_dir)
    for label in settings.exclude_participant_label:
        if label not in existing:
            logger.warning("--exclude-participant-label: there is no participant %s.", label)
    asked = settings.participant_label or existing
    return sorted(set(asked) - set(settings.exclude_participant_label))


def is_wanted(file: SignalFile, settings: Settings, eeg_filter: FileFilter) -> bool:
    """Whether a signal file passes the filters of the command line and of the filter file."""
    entities = file.name.entities
    run = entities.get("run")
    return (
        (not settings.session_label or entities.get("ses") in settings.session_label)
        and (not settings.task_id or entities.get("task") in settings.task_id)
        and (not settings.run_id or (run is not None and any(same_run(run, wanted) for wanted in settings.run_id)))
        and eeg_filter.accepts(file.name)
    )


def _the_one(same: Sequence[SignalFile]) -> SignalFile:
    """The cleaned file of a recording if there is one, else the raw one."""
    pool = [file for file in same if file.dataset != RAW] or list(same)
    if len(pool) > 1:
        raise BadDataError(
            f"{len(pool)} files for one recording: {' and '.join(str(file.path) for file in pool)}.",
            remedy="Keep one, or choose it with --bids-filter-file, "
            'for example {"eeg": {"extension": ".vhdr"}} or {"eeg": {"description": "clean"}}.',
        )
    return pool[0]


def _describe(file: SignalFile, companions: Companions, check: Callable[[Path], None]) -> RecordingFile:
    """The recording and what describes it; ``check`` is asked about the files that hold its signals."""
    entities = file.name.entities
    if "task" not in entities:
        raise BadDataError("the name has no task- entity.", path=file.path, remedy="Rename the file as BIDS asks.")
    wrong = [value for value in entities.values() if not is_label(value)]
    if wrong:
        raise BadDataError(
            f"{wrong[0]!r} in the name is not a label of letters and digits.",
            path=file.path,
            remedy="Rename the file as BIDS asks.",
        )
    for path in (file.path, *companions.parts(file.path)):
        check(path)
    where = (file.path, file.root)
    electrodes, coordsystem = companions.electrodes(*where)
    return RecordingFile(
        path=file.path,
        root=file.root,
        dataset=file.dataset,
        subject=entities["sub"],
        task=entities["task"],
        session=entities.get("ses"),
        acquisition=entities.get("acq"),
        run=entities.get("run"),
        sidecar=companions.metadata(*where),
        channels_tsv=companions.table(*where, "channels"),
        events_tsv=companions.table(*where, "events"),
        electrodes_tsv=electrodes,
        coordsystem_json=coordsystem,
    )


def _warn_about_empty_handed(settings: Settings, chosen: Iterable[SignalFile]) -> None:
    selected = {file.name.entities["sub"] for file in chosen}
    for label in settings.participant_label:
        if label not in selected and label not in settings.exclude_participant_label:
            logger.warning("participant %s has no EEG recording that passes the filters.", label)


def _nothing_selected(settings: Settings, subjects: Sequence[str], found: Sequence[SignalFile]) -> str:
    if not found:
        who = ", ".join(subjects) or "nobody (everyone is excluded)"
        return f"no EEG recording ({', '.join(EXTENSIONS)}) of the selected participants: {who}."

    def values(entity: str) -> list[str]:
        return sorted({file.name.entities[entity] for file in found if entity in file.name.entities})

    rows = [
        ("--participant-label", settings.participant_label, list(subjects)),
        ("--session-label", settings.session_label, values("ses")),
        ("--task-id", settings.task_id, values("task")),
        ("--run-id", settings.run_id, values("run")),
    ]
    if settings.bids_filter_file is not None:
        rows.append(("--bids-filter-file", (settings.bids_filter_file.name,), [f"{len(found)} files before it"]))
    return f"no recording passes the filters.\n{_asked_and_has(rows)}"


def _remedy(settings: Settings) -> str:
    if settings.bids_database_dir is not None:
        return "The database may be old, or made by a tool that leaves EEG out: try without --bids-database-dir."
    return "Ask for values that the dataset has."


def _asked_and_has(rows: Sequence[tuple[str, Sequence[str], Sequence[str]]]) -> str:
    """The filters as a table: option, what you asked, what the dataset has."""
    lines = [("", "you asked", "dataset has")]
    lines += [(option, shortened(asked) or "(any)", shortened(has) or "(none)") for option, asked, has in rows]
    first, second = (max(len(line[column]) for line in lines) for column in (0, 1))
    return "\n".join(f"  {option:<{first}}  {asked:<{second}}  {has}" for option, asked, has in lines)


def shortened(values: Sequence[str], most: int = 20) -> str:
    """Values as a list with commas; of many, the first and how many there are."""
    shown = ", ".join(values[:most])
    return shown if len(values) <= most else f"{shown}, ... ({len(values)} in all)"
