"""The participant level: EEG recordings to synthetic BOLD, one person's report at a time."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..bids.recording_file import RecordingFile
from ..bids.selection import Selection, select_recordings, shortened
from ..errors import WriteError
from ..settings import Settings
from .anatomy import provide_anatomy
from .attempt import attempt, failed, loaded_model
from .dry_run import dry_run
from .executors import memory_of_each, run_each
from .foreign_dataset import refuse_foreign_dataset
from .garbage import loading_to_stay
from .logs import RunLogs, open_run_logs, silence_stdout
from .machine import choose_device, prepare_scratch, require_writable
from .plan import Plan, make_plan
from .summary import Outcome, exit_code, failures, last_words, print_table, progress

if TYPE_CHECKING:
    from .model import Model

logger = logging.getLogger(__name__)


def run_participant(settings: Settings, command: str) -> int:
    """Run the participant level.

    Parameters
    ----------
    settings
        What to do.
    command
        The command line, for logs and sidecars.

    Returns
    -------
    int
        0; or, when recordings failed, the exit code that all failures share, else 1.

    Raises
    ------
    Eeg2fmriError
        Nothing can be done at all: no dataset, nothing selected, no model, no place to write.
    """
    selection = select_recordings(settings)
    _echo(selection, settings)
    if settings.dry_run:
        dry_run(selection, settings)
        return 0
    if settings.boilerplate_only or settings.reports_only:
        return _write_texts_only(selection, settings, command)

    with loading_to_stay():
        device = choose_device(settings)
        model = loaded_model(settings)
    states = make_plan(selection, settings, model.bundle.sha256)
    logs = _open_output(settings, model, command)
    logger.info("Device: %s. Logs: %s", device, logs.folder)
    outcomes = [failed(f.label, f.subject, f.path, f.error, settings, logs) for f in selection.failures]
    outcomes += [Outcome(file.label, file.subject, "done") for file, state in states if state == "done"]
    to_do = [file for file, state in states if state != "done"]
    if not (settings.stop_on_first_crash and failures(outcomes)):
        outcomes += _run_recordings(to_do, settings, logs)
    finished = {outcome.label for outcome in outcomes}
    outcomes += [Outcome(file.label, file.subject, "not run") for file in to_do if file.label not in finished]
    try:
        logs.require_present()
    except WriteError as error:
        return _conclude([outcome.lost(error) for outcome in outcomes])
    outcomes += provide_anatomy(outcomes, settings, logs)
    outcomes += _write_reports(states, outcomes, settings, logs)
    return _conclude(outcomes)


def _echo(selection: Selection, settings: Settings) -> None:
    """Say what the filters came to, before anything is done."""
    files = selection.recordings
    chosen = {
        "participants": {file.subject for file in files},
        "sessions": {file.session for file in files if file.session is not None},
        "tasks": {file.task for file in files},
        "runs": {file.run for file in files if file.run is not None},
    }
    text = "; ".join(f"{name} {shortened(sorted(values))}" for name, values in chosen.items() if values)
    logger.info("Selected %d recordings of %s: %s", len(files), settings.bids_dir, text or "none that can be used")
    for name in settings.derivatives:
        if count := sum(file.dataset == name for file in files):
            logger.info("%d of them come cleaned from %s (%s)", count, name, settings.derivatives[name])


def _open_output(settings: Settings, model: Model, command: str) -> RunLogs:
    """Make sure that we may write here, before any work, and write the dataset's own files."""
    from .output_dataset import check_output_model, write_dataset_files

    refuse_foreign_dataset(settings.output_dir)
    require_writable(settings.output_dir)
    check_output_model(settings, model)
    prepare_scratch(settings)
    logs = open_run_logs(settings, command)
    write_dataset_files(settings, model)
    return logs


def _run_recordings(to_do: Sequence[RecordingFile], settings: Settings, logs: RunLogs) -> list[Outcome]:
    """Run recordings, here or in processes, up to the first failure if so asked."""
    mem_bytes = memory_of_each(settings, len(to_do))
    task = partial(attempt, settings=settings, logs=logs, mem_bytes=mem_bytes)
    outcomes = []
    with progress(len(to_do)) as advance:
        for outcome in run_each(to_do, task, settings, logs):
            outcomes.append(outcome)
            advance()
    return outcomes


def _write_reports(states: Plan, outcomes: Sequence[Outcome], settings: Settings, logs: RunLogs) -> list[Outcome]:
    """Write the report of every person with newer outputs or failures; return the failures to do so."""
    usable = {outcome.label for outcome in outcomes if outcome.status in ("written", "done")}
    new = {outcome.subject for outcome in outcomes if outcome.status == "written"}
    with_failures = {outcome.subject for outcome in failures(outcomes)}
    faults = []
    for subject in sorted({file.subject for file, _ in states if file.label in usable} | with_failures):
        files = [file for file, _ in states if file.subject == subject and file.label in usable]
        # Clocks differ between machines: a page may seem newer than what was written after it.
        current = subject not in new and _is_current(settings.output_dir / f"sub-{subject}.html", files, settings)
        # Whether a page has its figures inside cannot be seen from its age.
        if settings.embed_report or subject in with_failures or not current:
            faults += _write_report(subject, settings, logs)
    return faults


def _is_current(report: Path, files: Sequence[RecordingFile], settings: Settings) -> bool:
    from .planned_outputs import planned_outputs

    if not report.exists():
        return False
    outputs = (path for file in files for path in planned_outputs(file, settings) if path.exists())
    return all(path.stat().st_mtime <= report.stat().st_mtime for path in outputs)


def _write_report(subject: str, settings: Settings, logs: RunLogs) -> list[Outcome]:
    from .output_dataset import write_person_report

    try:
        logger.info("Report: %s", write_person_report(subject, settings, logs.folder.name))
    except Exception as error:
        return [failed(f"sub-{subject}_report", subject, None, error, settings, logs)]
    return []


def _write_texts_only(selection: Selection, settings: Settings, command: str) -> int:
    """``--boilerplate-only`` and ``--reports-only``: no signal is read."""
    from .output_dataset import write_citation

    refuse_foreign_dataset(settings.output_dir)
    require_writable(settings.output_dir)
    if settings.boilerplate_only:
        write_citation(settings)
        return 0
    logs = open_run_logs(settings, command)
    subjects = sorted({file.subject for file in selection.recordings})
    faults = [outcome for subject in subjects for outcome in _write_report(subject, settings, logs)]
    return _conclude(faults) if faults else 0


def _conclude(outcomes: list[Outcome]) -> int:
    """Print the table, and as the last line on stderr what failed."""
    try:
        print_table(sorted(outcomes, key=lambda outcome: outcome.label))
        sys.stdout.flush()
    except OSError:
        silence_stdout()
    if failures(outcomes):
        print(last_words(outcomes), file=sys.stderr)
    return exit_code(outcomes)
