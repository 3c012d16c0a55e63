"""Files that appear whole or not at all, and write failures that say what to do."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np

from ..errors import Eeg2fmriError, OutputError, WriteError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EROFS, errno.EACCES, errno.EPERM}
_IN_THE_WAY = {errno.EEXIST, errno.ENOTDIR, errno.EISDIR}


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn the operating system's refusals while writing ``path`` into errors with a remedy.

    Raises
    ------
    WriteError
        The disk, the quota or the file size limit is exhausted, or the device fails.
    OutputError
        The folder cannot be written to, or a file stands where a folder is needed.
    """
    try:
        yield
    except OSError as error:
        raise _explained(error, path) from error


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path`` that takes its name when the block succeeds.

    The temporary name keeps the extension. When the block fails, the temporary file is removed and
    what stood at ``path`` before is untouched. Missing folders are made.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".tmp-{uuid4()}_{path.name}")
    try:
        yield temporary
        with writing(path):
            temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def remove_leftovers(path: Path) -> None:
    """Remove temporary files of ``path`` that a killed process left behind."""
    for leftover in path.parent.glob(f".tmp-*_{path.name}"):
        with writing(leftover):
            leftover.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file atomically."""
    with atomic_path(path) as temporary, writing(path):
        temporary.write_bytes(content)


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text atomically."""
    write_bytes(path, text.encode())


def write_text_if_changed(path: Path, text: str) -> None:
    """Write a UTF-8 text atomically unless it already stands there.

    Safe when many jobs write the same dataset-level file at once.
    """
    with suppress(OSError):
        if path.read_bytes() == text.encode():
            return
    write_text(path, text)


def json_text(content: dict[str, Any]) -> str:
    """JSON in the order given; arrays become lists, paths become strings.

    Raises
    ------
    ValueError
        A number is NaN or infinite, which JSON does not know.
    """
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False, default=_plain) + "\n"


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write JSON atomically (see :func:`json_text`)."""
    write_text(path, json_text(content))


def _plain(value: object) -> object:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


def _explained(error: OSError, path: Path) -> Eeg2fmriError:
    reason = os.strerror(error.errno) if error.errno else str(error)
    if error.errno in _FULL:
        return WriteError(
            f"the disk or its quota is full ({reason}).",
            path=path,
            remedy="Free some space or choose another output folder, then run again: finished recordings are kept.",
        )
    if error.errno in _FORBIDDEN:
        return OutputError(
            f"cannot be written ({reason}).", path=path, remedy="Choose an output folder that you may write to."
        )
    if error.errno in _IN_THE_WAY:
        return OutputError(
            f"something else stands in its place ({reason}).", path=path, remedy="Choose an empty output folder."
        )
    return WriteError(f"writing failed ({reason}).", path=path, remedy="Check the disk, then run again.")
