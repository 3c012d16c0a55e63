"""Locks between processes, on one machine or on several that share a file system.

They are the system's own (advisory): it takes them back from a process that ends, however it ends. Some network file
systems have none; there, nobody waits for anybody, and nothing is taken for abandoned. Others keep them to each
machine; there, nobody sees what another machine holds.

A file is locked in one byte far beyond its data, by an open file description (``F_OFD_SETLK``): SMB makes locks
mandatory, so that a lock on all of a file would refuse its own process the writing through another descriptor, and a
lock by process would end when that one is closed. Systems other than Linux lock the whole file.
"""

from __future__ import annotations

import fcntl
import os
import stat
import struct
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# struct flock of 64-bit Linux: type, whence, start, length, process.
_ONE_BYTE_BEYOND_ALL_DATA = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 2**62, 1, 0)
_RETRY_S = 1.0
_ATTEMPTS = 10


def create_held(path: Path) -> int:
    """Make a file and lock it, where the file system has locks; returns its descriptor, whose closing lets go."""
    descriptor = _open_held(path)
    for _ in range(_ATTEMPTS):
        if _is_named(descriptor, path):
            break
        # Before it was locked, another process has taken it for abandoned and removed it.
        os.close(descriptor)
        descriptor = _open_held(path)
    return descriptor


def hold(descriptor: int) -> None:
    """Lock an open file or folder until it is closed, where the file system has locks."""
    with suppress(OSError):
        _lock(descriptor, wait=True)


@contextmanager
def abandoned(path: Path) -> Iterator[bool]:
    """Whether no process holds a file or folder that is locked while it is made; none can during the block."""
    if path.is_symlink():
        # Nobody can lock a link; making one takes no time either.
        yield True
        return
    try:
        # Only what is open for writing can be locked so, and a folder cannot be.
        descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    except OSError:
        yield False
        return
    try:
        yield _is_free(descriptor) and _is_named(descriptor, path)
    finally:
        os.close(descriptor)


@contextmanager
def alone(path: Path, on_wait: Callable[[], object]) -> Iterator[bool]:
    """Hold a lock during the block, after whoever holds it now; yields whether there was a wait.

    Parameters
    ----------
    path
        File of the lock, in a folder that exists; it is gone afterwards.
    on_wait
        Called before waiting.

    Raises
    ------
    OSError
        The file cannot be made.
    """
    waited = False
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            held_elsewhere = _is_held_elsewhere(descriptor)
            if held_elsewhere:
                if not waited:
                    on_wait()
                waited = True
                held_elsewhere = not _is_free(descriptor, wait=True)
            if not held_elsewhere and _is_named(descriptor, path):
                break
        except BaseException:
            os.close(descriptor)
            raise
        # Whoever held it has removed it since: another lock of this name may exist already.
        os.close(descriptor)
        if held_elsewhere:
            # Network file systems refuse the waiting when the file is removed meanwhile.
            time.sleep(_RETRY_S)
    try:
        yield waited
    finally:
        with suppress(OSError):
            path.unlink()
        os.close(descriptor)


def _open_held(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    hold(descriptor)
    return descriptor


def _lock(descriptor: int, *, wait: bool = False) -> None:
    # A folder is never open for writing, which a lock of one byte asks for.
    if sys.platform != "linux" or stat.S_ISDIR(os.fstat(descriptor).st_mode):
        fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    else:
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLKW if wait else fcntl.F_OFD_SETLK, _ONE_BYTE_BEYOND_ALL_DATA)


def _is_free(descriptor: int, *, wait: bool = False) -> bool:
    """Whether the lock is ours now."""
    try:
        _lock(descriptor, wait=wait)
    except OSError:
        return False
    return True


def _is_held_elsewhere(descriptor: int) -> bool:
    try:
        _lock(descriptor)
    # Of a lock that is held, POSIX lets a file system say either.
    except (BlockingIOError, PermissionError):
        return True
    except OSError:
        return False
    return False


def _is_named(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except OSError:
        return False
