"""Pair EEG recordings with the BOLD that was measured at the same time."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from ..errors import BadDataError, Eeg2fmriError
from ..settings import Settings
from .bids_name import BidsName
from .bold_file import BoldFile, BoldImage, bold_images, choose_bold, run_entities
from .filter_file import FileFilter, read_filter_file
from .recording_file import RecordingFile
from .run_matching import LARGEST_GAP, Match, Run, match_runs
from .scans_table import start_times
from .selection import RAW, SelectionFailure, is_wanted
from .signal_file import signal_files

logger = logging.getLogger(__name__)

_REMEDY = (
    "Give acq_time in the session's scans.tsv, correct the names, or choose with --bids-filter-file, "
    'for example {"bold": {"acquisition": "simultaneous"}}.'
)


@dataclass(frozen=True)
class Pair:
    """An EEG recording and the BOLD of the same run."""

    eeg: RecordingFile
    bold: BoldFile


@dataclass(frozen=True)
class Pairing:
    """What became of the selected recordings, in their order.

    Attributes
    ----------
    pairs
        Recordings with BOLD.
    without_bold
        Recordings whose run has no BOLD at all.
    failures
        Recordings whose run has BOLD that cannot be used, or may be one of several.
    """

    pairs: tuple[Pair, ...]
    without_bold: tuple[RecordingFile, ...]
    failures: tuple[SelectionFailure, ...]


def pair_with_bold(recordings: Sequence[RecordingFile], settings: Settings) -> Pairing:
    """Find the measured BOLD of every recording, in the derivatives or in the input.

    Parameters
    ----------
    recordings
        The selected recordings.
    settings
        Input, derivatives and filters.

    Raises
    ------
    UsageError
        The filter file cannot be used.
    """
    filters = read_filter_file(settings.bids_filter_file)
    pairs: list[Pair] = []
    without: list[RecordingFile] = []
    failures: list[SelectionFailure] = []
    for _, group in groupby(sorted(recordings, key=_session_and_task), key=_session_and_task):
        together = list(group)
        for file, bold in zip(together, _bold_of_group(together, settings, filters.bold), strict=True):
            if isinstance(bold, Eeg2fmriError):
                failures.append(SelectionFailure(file.label, file.subject, file.path, bold))
            elif bold is None:
                without.append(file)
            else:
                pairs.append(Pair(file, bold))
    place = {file.path: index for index, file in enumerate(recordings)}
    return Pairing(
        tuple(sorted(pairs, key=lambda pair: place[pair.eeg.path])),
        tuple(sorted(without, key=lambda file: place[file.path])),
        tuple(sorted(failures, key=lambda failure: place[failure.path])),
    )


def bold_or_problem(recording: RecordingFile, settings: Settings) -> BoldFile | Eeg2fmriError | None:
    """The measured BOLD of one recording, why what is there cannot be used, or ``None`` where there is none.

    Raises
    ------
    UsageError
        The filter file cannot be used.
    """
    filters = read_filter_file(settings.bids_filter_file)
    together = [recording, *_other_recordings(recording, settings, filters.eeg)]
    return _bold_of_group(together, settings, filters.bold)[0]


def find_bold(recording: RecordingFile, settings: Settings) -> BoldFile | None:
    """The measured BOLD of one recording, for those who can do without.

    BOLD that is there but cannot be used, or may be one of several, is named in the log: as a warning to those who gave
    derivatives, where they may expect it to be used.

    Raises
    ------
    UsageError
        The filter file cannot be used.
    """
    bold = bold_or_problem(recording, settings)
    if isinstance(bold, Eeg2fmriError):
        level = logging.WARNING if settings.derivatives else logging.INFO
        logger.log(level, "%s: no measured BOLD to compare with: %s", recording.label, bold)
        return None
    return bold


def _session_and_task(file: RecordingFile) -> tuple[str, str, str]:
    return file.subject, file.session or "", file.task


def _bold_of_group(
    together: Sequence[RecordingFile], settings: Settings, query: FileFilter
) -> list[BoldFile | Eeg2fmriError | None]:
    """BOLD, why it cannot be used, or ``None``, for every recording of one person, session and task."""
    subject, session, task = together[0].subject, together[0].session, together[0].task
    times = start_times(settings.bids_dir, subject, session)
    images: dict[tuple[tuple[str, str], ...], list[BoldImage]] = {}
    for image in bold_images(settings, subject, session, query):
        if image.name.entities.get("task") == task:
            images.setdefault(run_entities(image.name), []).append(image)
    bold = {_bold_run(same[0], times): same for same in images.values()}
    eeg = [_eeg_run(file, times) for file in together]
    found: list[BoldFile | Eeg2fmriError | None] = []
    for run, match in zip(eeg, match_runs(eeg, list(bold)), strict=True):
        try:
            found.append(_chosen(run, match, bold))
        except Eeg2fmriError as error:
            found.append(error)
    return found


def _chosen(eeg: Run, match: Match, bold: dict[Run, list[BoldImage]]) -> BoldFile | None:
    if match.problem is not None:
        raise BadDataError(match.problem, remedy=_REMEDY)
    if match.bold is None:
        return None
    if eeg.start is not None and match.bold.start is not None and abs(eeg.start - match.bold.start) > LARGEST_GAP:
        logger.warning(
            "%s started at %s, its BOLD %s at %s by scans.tsv: make sure that they were recorded together.",
            eeg.label,
            eeg.start,
            match.bold.label,
            match.bold.start,
        )
    return choose_bold(bold[match.bold])


def _eeg_run(file: RecordingFile, times: Sequence[tuple[BidsName, datetime]]) -> Run:
    own = _eeg_key(file.task, file.acquisition, file.run)
    starts = [
        time
        for name, time in times
        if name.suffix == "eeg" and _eeg_key(*(name.entities.get(e) for e in ("task", "acq", "run"))) == own
    ]
    return Run(file.label, file.acquisition, file.run, min(starts, default=None))


def _bold_run(image: BoldImage, times: Sequence[tuple[BidsName, datetime]]) -> Run:
    entities = image.name.entities
    starts = [
        time
        for name, time in times
        if name.suffix == "bold"
        and name.entities.get("task") == entities["task"]
        and run_entities(name) == run_entities(image.name)
    ]
    return Run(image.label, entities.get("acq"), entities.get("run"), min(starts, default=None))


def _other_recordings(recording: RecordingFile, settings: Settings, query: FileFilter) -> list[RecordingFile]:
    """Further recordings of the same person, session and task that pass the filters, by their names alone."""
    datasets = {RAW: settings.bids_dir, **settings.derivatives}
    others = {}
    for dataset, root in datasets.items():
        for file in signal_files(root, dataset, [recording.subject]):
            sub, ses, task, acq, run = (file.name.entities.get(e) for e in ("sub", "ses", "task", "acq", "run"))
            if (sub, ses, task) == (recording.subject, recording.session, recording.task) and is_wanted(
                file, settings, query
            ):
                others[_eeg_key(task, acq, run)] = RecordingFile(
                    file.path, root, dataset, recording.subject, recording.task, ses, acq, run
                )
    others.pop(_eeg_key(recording.task, recording.acquisition, recording.run), None)
    return list(others.values())


def _eeg_key(task: str | None, acquisition: str | None, run: str | None) -> tuple[str | None, ...]:
    return task, acquisition, run and run.lstrip("0")
