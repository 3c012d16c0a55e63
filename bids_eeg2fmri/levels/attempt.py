"""One recording in isolation: whatever happens to it is written down and stops nothing else."""

from __future__ import annotations

import time
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from ..bids.recording_file import RecordingFile
from ..settings import Settings
from .failures import explain
from .logs import RunLogs, recording_log, write_crash
from .summary import Outcome

if TYPE_CHECKING:
    from .model import Model


@lru_cache(maxsize=1)
def loaded_model(settings: Settings) -> Model:
    """The model and its grids, loaded once per process."""
    from .model import load_model

    return load_model(settings)


def attempt(file: RecordingFile, settings: Settings, logs: RunLogs) -> Outcome:
    """Run one recording and say what became of it; only interruptions are raised."""
    from .recording_run import run_recording

    started = time.monotonic()
    with recording_log(logs.log(file.label)) as logger:
        logger.info("%s: started (%s)", file.label, file.path)
        try:
            result = run_recording(file, settings, loaded_model(settings), logger, logs.command)
        except Exception as error:
            return failed(file.label, file.subject, file.path, error, settings, logs, time.monotonic() - started)
        seconds = time.monotonic() - started
        logger.info("%s: written in %.1f s", file.label, seconds)
    count = len(result.warnings)
    message = f"{count} warning{'s' if count > 1 else ''}: {result.warnings[0]}" if count else ""
    return Outcome(file.label, file.subject, "written", seconds, message, log=logs.log(file.label))


def failed(
    label: str,
    subject: str,
    source: Path | None,
    error: BaseException,
    settings: Settings,
    logs: RunLogs,
    seconds: float = 0.0,
) -> Outcome:
    """The outcome of a failure, after writing its log line and crash file."""
    expected = explain(error, settings)
    crash = logs.crash(label)
    write_crash(crash, expected or error, source=source, settings=settings, command=logs.command)
    if expected is not None:
        message = str(expected)
    else:
        message = f"unexpected {type(error).__name__}: {error} Please report it with {crash}."
    message = " ".join(message.split())
    with recording_log(logs.log(label)) as logger:
        logger.error("%s: failed: %s", label, message)
        logger.debug("%s: details", label, exc_info=error)
    code = 1 if expected is None else expected.exit_code
    return Outcome(label, subject, "failed", seconds, message, code, logs.log(label))
