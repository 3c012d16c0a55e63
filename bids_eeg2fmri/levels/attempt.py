"""One recording in isolation: whatever happens to it is written down and stops nothing else."""

from __future__ import annotations

import logging
import time
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from ..bids.recording_file import RecordingFile
from ..settings import Settings
from .failures import explain
from .garbage import loading_to_stay
from .logs import RunLogs, recording_log, write_crash
from .summary import Outcome

if TYPE_CHECKING:
    from .model import Model
    from .recording_run import RecordingResult


@lru_cache(maxsize=1)
def loaded_model(settings: Settings) -> Model:
    """The model and its grids, loaded once per process, with all that recordings need of the package and libraries."""
    with loading_to_stay():
        from . import recording_run  # noqa: F401
        from .model import load_model

        return load_model(settings)


def attempt(file: RecordingFile, settings: Settings, logs: RunLogs, mem_bytes: int | None) -> Outcome:
    """Run one recording, in that much memory if limited, and say what became of it; only interruptions are raised."""
    started = time.monotonic()
    with recording_log(logs.log(file.label)) as logger:
        logger.info("%s: started (%s)", file.label, file.path)
        try:
            result = _run_alone(file, settings, logs, mem_bytes, logger)
            logs.require_present()
        except Exception as error:
            return failed(file.label, file.subject, file.path, error, settings, logs, time.monotonic() - started)
        seconds = time.monotonic() - started
        if result is None:
            logger.info("%s: another process has finished it meanwhile", file.label)
            return Outcome(file.label, file.subject, "done", seconds)
        logger.info("%s: written in %.1f s", file.label, seconds)
    count = len(result.warnings)
    message = f"{count} warning{'s' if count > 1 else ''}: {result.warnings[0]}" if count else ""
    return Outcome(file.label, file.subject, "written", seconds, message, log=logs.log(file.label))


def _run_alone(
    file: RecordingFile, settings: Settings, logs: RunLogs, mem_bytes: int | None, logger: logging.Logger
) -> RecordingResult | None:
    """Run one recording as the only process to do so; ``None`` when another one made it while this one waited."""
    from ..derivatives.locks import alone
    from .memory import within_memory
    from .recording_run import run_recording
    from .recording_state import recording_state

    def tell() -> None:
        logger.info("%s: another process works on this recording; waiting for it", file.label)

    with alone(logs.lock(file.label), tell) as waited:
        model = loaded_model(settings)
        if waited and not settings.overwrite and recording_state(file, settings, model.bundle.sha256) == "done":
            return None
        return run_recording(file, within_memory(file, settings, mem_bytes), model, logger, logs.command)


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
