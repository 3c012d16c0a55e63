"""Files that appear whole or not at all, and write failures that say what to do."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any
from uuid import uuid4

import numpy as np

from ..errors import Eeg2fmriError, OutputError, WriteError
from .locks import abandoned, create_held, hold

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EROFS, errno.EACCES, errno.EPERM}
_IN_THE_WAY = {errno.EEXIST, errno.ENOTDIR, errno.EISDIR}
_DAY_S = 86400.0


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
        # A compressor's threads raise one and the same error more than once: it has become its own context then, and
        # whoever follows the chain of contexts, as an ExitStack does, would follow it for ever.
        error.__context__ = None
        raise _explained(error, path) from error


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A temporary file beside ``path`` that takes its name when the block succeeds.

    The temporary name keeps the extension. When the block fails, the temporary file is removed and
    what stood at ``path`` before is untouched. Missing folders are made.
    """
    with temporary_file(path) as temporary:
        yield temporary
        with writing(path):
            temporary.replace(path)


@contextmanager
def temporary_file(path: Path) -> Iterator[Path]:
    """A file beside ``path`` for the time of the block, unless the block moves it."""
    temporary = path.with_name(f"{_temporary_name()}_{path.name}")
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        # Should this process be killed, others see by the lock that nobody needs the file any more.
        descriptor = create_held(temporary)
    try:
        yield temporary
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        os.close(descriptor)


@contextmanager
def temporary_folder(parent: Path) -> Iterator[Path]:
    """A folder inside ``parent`` for the time of the block."""
    folder = parent / _temporary_name()
    with writing(folder):
        folder.mkdir(parents=True)
        descriptor = os.open(folder, os.O_RDONLY)
    hold(descriptor)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def remove_leftovers(path: Path) -> None:
    """Remove temporary files of ``path`` that killed processes left behind (see :func:`sweep`)."""
    _remove_abandoned(path.parent, f".tmp-*_{path.name}")


def sweep(*folders: Path) -> None:
    """Remove all temporary files and folders that killed processes left behind in these folders.

    Those of this host go at once, by their locks. Whether another host's lock is seen here is the file system's
    choice: what another host has made goes when it has not changed for a day, by the file system's clock.
    """
    for folder in folders:
        _remove_abandoned(folder, ".tmp-*")


def _remove_abandoned(folder: Path, pattern: str) -> None:
    leftovers = list(folder.glob(pattern))
    prefix = _temporary_prefix()
    ours = [path for path in leftovers if path.name.startswith(prefix)]
    foreign = [path for path in leftovers if not path.name.startswith(prefix)]
    for leftover in [*ours, *_unchanged_for_a_day(folder, foreign)]:
        with abandoned(leftover) as nobody_needs_it, writing(leftover):
            if not nobody_needs_it:
                continue
            if leftover.is_dir() and not leftover.is_symlink():
                shutil.rmtree(leftover, ignore_errors=True)
            else:
                leftover.unlink(missing_ok=True)


def _unchanged_for_a_day(folder: Path, paths: Sequence[Path]) -> list[Path]:
    old = []
    # What cannot be told is not removed: a full disk, a folder that is only read, a file that is gone.
    with suppress(OSError):
        if paths:
            with TemporaryFile(dir=folder, prefix=_temporary_prefix()) as probe:
                now_s = os.fstat(probe.fileno()).st_mtime
        for path in paths:
            with suppress(FileNotFoundError):
                if now_s - path.lstat().st_mtime > _DAY_S:
                    old.append(path)
    return old


def _temporary_name() -> str:
    return f"{_temporary_prefix()}{uuid4().hex}"


def _temporary_prefix() -> str:
    """What temporary names of this host begin with: a digest, as hosts' names may be long."""
    return f".tmp-{sha256(os.uname().nodename.encode()).hexdigest()[:8]}-"


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file atomically."""
    with atomic_path(path) as temporary, writing(path):
        temporary.write_bytes(content)


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text atomically."""
    write_bytes(path, text.encode())


def write_bytes_if_changed(path: Path, content: bytes) -> None:
    """Write a file atomically unless it already stands there.

    Safe when many jobs write the same file at once.
    """
    with suppress(OSError):
        if path.read_bytes() == content:
            return
    write_bytes(path, content)


def write_text_if_changed(path: Path, text: str) -> None:
    """Write a UTF-8 text as :func:`write_bytes_if_changed` does."""
    write_bytes_if_changed(path, text.encode())


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
