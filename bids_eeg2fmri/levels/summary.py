"""What became of every recording: the table and the last words of a run."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Protocol

from ..errors import Eeg2fmriError

_STYLES = {"written": "green", "done": "dim", "failed": "bold red", "not run": "yellow"}


@dataclass(frozen=True)
class Outcome:
    """What became of one recording, or of one person's report.

    Attributes
    ----------
    label, subject
        Which recording, and whose.
    status
        ``"written"`` now, ``"done"`` before, ``"failed"``, or ``"not run"`` after a stop.
    seconds
        Time it took.
    message
        Why it failed, in one line, or how many warnings there were.
    exit_code
        Of a failure; 1 for an unexpected one.
    log
        Its log file.
    """

    label: str
    subject: str
    status: Literal["written", "done", "failed", "not run"]
    seconds: float = 0.0
    message: str = ""
    exit_code: int = 0
    log: Path | None = None

    def lost(self, error: Eeg2fmriError) -> Outcome:
        """The same recording after what was there of it was lost."""
        if self.status not in ("written", "done"):
            return self
        return replace(self, status="failed", message=str(error), exit_code=error.exit_code)


class Advance(Protocol):
    """Tells a progress bar that one more recording is finished."""

    def __call__(self) -> None:
        """Advance by one."""


def failures(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Those that failed."""
    return [outcome for outcome in outcomes if outcome.status == "failed"]


def exit_code(outcomes: Sequence[Outcome]) -> int:
    """0, or the code that all failures share, or 1."""
    codes = {outcome.exit_code for outcome in failures(outcomes)}
    return codes.pop() if len(codes) == 1 else int(bool(codes))


def print_table(outcomes: Sequence[Outcome]) -> None:
    """The table of all recordings on stdout: coloured on a terminal, plain lines elsewhere."""
    rows = [(o.label, o.status, f"{o.seconds:.1f}" if o.seconds else "", o.message) for o in outcomes]
    header = ("recording", "status", "seconds", "remark")
    if sys.stdout.isatty():
        _print_coloured(header, rows)
        return
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(3)]
    for label, status, seconds, message in (header, *rows):
        print(f"{label:<{widths[0]}}  {status:<{widths[1]}}  {seconds:>{widths[2]}}  {message}".rstrip())


def _print_coloured(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*header)
    for label, status, seconds, message in rows:
        table.add_row(Text(label), Text(status, style=_STYLES[status]), Text(seconds, justify="right"), Text(message))
    Console(file=sys.stdout).print(table)


def last_words(outcomes: Sequence[Outcome]) -> str:
    """One line: what failed first, why, how many others, and where the log is."""
    failed = failures(outcomes)
    first = failed[0]
    others = "" if len(failed) == 1 else f" and {len(failed) - 1} more of {len(outcomes)}"
    log = "" if first.log is None else f" Log: {first.log}"
    return f"bids-eeg2fmri: failed: {first.label}{others}: {first.message}{log}"


@contextmanager
def progress(total: int) -> Iterator[Advance]:
    """A progress bar on stderr, only on a terminal."""
    if not sys.stderr.isatty() or not total:
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True, redirect_stdout=False) as bar:
        task = bar.add_task("recordings", total=total)
        yield lambda: bar.advance(task)
