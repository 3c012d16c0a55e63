"""Exceptions that carry what a user needs: what is wrong, where, what to do, and the exit code.

The exit codes are those of the BIDS execution specification draft (BSD ``sysexits`` above 63).
"""

from __future__ import annotations

from pathlib import Path


class Eeg2fmriError(Exception):
    """An expected failure, reported to the user as one message without a traceback.

    Parameters
    ----------
    problem
        What is wrong, in one sentence.
    path
        The file or folder concerned, when there is one.
    remedy
        What the user can do about it.
    """

    exit_code = 1

    def __init__(self, problem: str, *, path: Path | str | None = None, remedy: str | None = None) -> None:
        self.problem = problem
        self.path = None if path is None else Path(path)
        self.remedy = remedy
        super().__init__(problem, path, remedy)

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only arguments are not restored by the default protocol between worker processes.
        return _rebuild, (type(self), self.problem, self.path, self.remedy)

    def __str__(self) -> str:
        text = self.problem if self.path is None else f"{self.path}: {self.problem}"
        return text if self.remedy is None else f"{text} {self.remedy}"


def _rebuild(kind: type[Eeg2fmriError], problem: str, path: Path | None, remedy: str | None) -> Eeg2fmriError:
    return kind(problem, path=path, remedy=remedy)


class InvalidDatasetError(Eeg2fmriError):
    """The input is not a BIDS dataset."""

    exit_code = 16


class UnknownLevelError(Eeg2fmriError):
    """The analysis level does not exist."""

    exit_code = 17


class NothingSelectedError(Eeg2fmriError):
    """The filters select no recording."""

    exit_code = 18


class UsageError(Eeg2fmriError):
    """Options that contradict each other or this machine."""

    exit_code = 64


class BadDataError(Eeg2fmriError):
    """A file's content cannot be used."""

    exit_code = 65


class MissingInputError(Eeg2fmriError):
    """A needed input file is not there or cannot be read."""

    exit_code = 66


class OutputError(Eeg2fmriError):
    """The output cannot be created."""

    exit_code = 73


class WriteError(Eeg2fmriError):
    """Writing failed half-way, for example on a full disk."""

    exit_code = 74


class TemporaryError(Eeg2fmriError):
    """A failure that may vanish on a re-run, for example a busy GPU."""

    exit_code = 75
