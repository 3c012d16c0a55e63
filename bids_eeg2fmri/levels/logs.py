"""Where messages go: the console, and ``OUTPUT/logs/<runid>/`` with one log per recording.

Messages go to stdout; stderr is kept for progress bars and for what failed.
"""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from ..errors import Eeg2fmriError, WriteError
from ..settings import Settings, settings_toml

PACKAGE = "bids_eeg2fmri"
_SETTINGS = "config.toml"
_VERSIONS = ("bids-eeg2fmri", "jax", "jaxlib", "flax", "numpy", "scipy", "mne", "nibabel", "nilearn")


@dataclass(frozen=True)
class RunLogs:
    """The log folder of one start of the program.

    Attributes
    ----------
    folder
        ``OUTPUT/logs/<runid>``.
    command
        The command line, for crash files and sidecars.
    """

    folder: Path
    command: str

    def log(self, label: str) -> Path:
        """Log file of a recording."""
        return self.folder / f"{label}.log"

    def crash(self, label: str) -> Path:
        """Crash file of a recording."""
        return self.folder / f"crash-{label}.txt"

    def lock(self, label: str) -> Path:
        """What the process that works on a recording holds, whichever run it belongs to."""
        return self.folder.parent / f".tmp-lock_{label}"

    def require_present(self) -> None:
        """Make sure that the output directory is the one that this run began with.

        Raises
        ------
        WriteError
            It was removed, emptied, or its disk is gone.
        """
        if not (self.folder / _SETTINGS).is_file():
            raise WriteError(
                "the output directory was removed or emptied during the run, and outputs with it.",
                path=self.folder.parent.parent,
                remedy="Check its disk, and that nothing else cleans it; then run again.",
            )


class _RecordingFileHandler(logging.FileHandler):
    """A log file on a full disk must neither stop the run nor print a traceback."""

    def emit(self, record: logging.LogRecord) -> None:
        with suppress(OSError):
            super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:
        return None

    def close(self) -> None:
        with suppress(OSError):
            super().close()


class _Console(logging.StreamHandler):
    """Our own messages, and with ``-vv`` the libraries' too, on what is stdout at that moment."""

    def __init__(self, verbosity: int) -> None:
        super().__init__(sys.stdout)
        self.verbosity = verbosity
        self.setLevel(logging.DEBUG if verbosity else logging.INFO)
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S"))

    def filter(self, record: logging.LogRecord) -> bool:
        return self.verbosity > 1 or record.name.split(".")[0] == PACKAGE

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stdout
        super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:
        if isinstance(sys.exc_info()[1], OSError):
            silence_stdout()
        else:
            super().handleError(record)


def start_console(verbosity: int = 0) -> None:
    """Send messages to stdout: 0 ours, 1 ours with details, 2 the libraries' and Python's warnings too."""
    logging.captureWarnings(True)
    logging.getLogger(PACKAGE).setLevel(logging.DEBUG)
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, _Console)]:
        root.removeHandler(handler)
    root.addHandler(_Console(verbosity))


def silence_stdout() -> None:
    """Send nothing more to a stdout that takes nothing more: the run goes on."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def open_run_logs(settings: Settings, command: str) -> RunLogs:
    """Make the log folder of this run and write the effective settings there.

    Raises
    ------
    OutputError, WriteError
        The output directory cannot be written.
    """
    from ..derivatives.atomic import sweep, write_text

    run_id = f"{datetime.now():%Y%m%d-%H%M%S}_{uuid4().hex[:8]}"
    logs = RunLogs(settings.output_dir / "logs" / run_id, command)
    sweep(settings.output_dir, logs.folder.parent)
    text = f"# {_one_line(command)}\n{settings_toml(settings)}"
    write_text(logs.folder / _SETTINGS, text.encode(errors="backslashreplace").decode())
    return logs


@contextmanager
def recording_log(path: Path) -> Iterator[logging.Logger]:
    """The package's logger, with a file that also takes Python's warnings, for one recording."""
    logger = logging.getLogger(PACKAGE)
    warnings_logger = logging.getLogger("py.warnings")
    handler = _RecordingFileHandler(path, delay=True, encoding="utf-8", errors="backslashreplace")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    for each in (logger, warnings_logger):
        each.addHandler(handler)
    try:
        yield logger
    finally:
        for each in (logger, warnings_logger):
            each.removeHandler(handler)
        handler.close()


def write_crash(path: Path, error: BaseException, *, source: Path | None, settings: Settings, command: str) -> None:
    """Write what is needed to understand a failure; a disk that is full is no further failure."""
    expected = isinstance(error, Eeg2fmriError) and not settings.debug
    lines = [
        f"{type(error).__name__}: {error}",
        "",
        f"input: {source}",
        f"command: {_one_line(command)}",
        f"device: {settings.device} ({_devices()})",
        f"cpus: {usable_cpus()}",
        f"python {sys.version.split()[0]} on {sys.platform}",
        *(f"{name} {version}" for name, version in _installed()),
    ]
    if not expected:
        lines += ["", *traceback.format_exception(error)]
    try:
        # Not into a folder made anew: what vanished during the run must not seem to be there.
        path.write_text("\n".join(lines) + "\n", encoding="utf-8", errors="backslashreplace")
    except OSError as unwritable:
        logging.getLogger(PACKAGE).warning("The crash file cannot be written: %s", unwritable)


def usable_cpus() -> int:
    """CPUs that this process may use, which a scheduler may have narrowed."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _one_line(text: str) -> str:
    return text.encode(errors="backslashreplace").decode().replace("\n", "\\n")


def _devices() -> str:
    jax = sys.modules.get("jax")
    if jax is None:
        return "JAX was not loaded"
    try:
        return ", ".join(str(device) for device in jax.devices())
    except RuntimeError as error:
        return str(error)


def _installed() -> Iterator[tuple[str, str]]:
    from importlib.metadata import PackageNotFoundError, version

    for name in _VERSIONS:
        try:
            yield name, version(name)
        except PackageNotFoundError:
            yield name, "not installed"
