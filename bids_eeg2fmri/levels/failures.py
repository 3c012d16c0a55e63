"""What went wrong, in words a user can act on."""

from __future__ import annotations

import errno
from pathlib import Path

from ..errors import Eeg2fmriError, MissingInputError, TemporaryError
from ..settings import Settings

_WRITE_FAULTS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}


def explain(error: BaseException, settings: Settings) -> Eeg2fmriError | None:
    """The expected failure behind an exception, or ``None`` when it is a fault of the program."""
    if isinstance(error, Eeg2fmriError):
        return error
    if isinstance(error, OSError):
        return _explain_os_error(error, settings)
    # JAX has no exception of its own for a device that is out of memory.
    if isinstance(error, MemoryError) or "RESOURCE_EXHAUSTED" in str(error):
        return TemporaryError(
            "out of memory.", remedy="Run again with --low-mem, fewer --nprocs or more memory for the job."
        )
    return None


def worker_died(path: Path) -> TemporaryError:
    """The failure of a recording whose process vanished."""
    return TemporaryError(
        "the worker process died; most often the system stopped it for lack of memory.",
        path=path,
        remedy="Run again with fewer --nprocs, --low-mem or more memory for the job.",
    )


def _explain_os_error(error: OSError, settings: Settings) -> Eeg2fmriError | None:
    path = None if not isinstance(error.filename, str | bytes) else Path(_text(error.filename))
    ours = path is not None and any(path.is_relative_to(d) for d in (settings.output_dir, settings.work_dir))
    if ours or error.errno in _WRITE_FAULTS:
        return _explain_write_error(error, path or settings.output_dir)
    if path is not None and isinstance(error, FileNotFoundError | PermissionError):
        return MissingInputError(
            f"the file cannot be read ({error.strerror}).", path=path, remedy="Check that it exists and is readable."
        )
    return None


def _explain_write_error(error: OSError, path: Path) -> Eeg2fmriError:
    from ..derivatives.atomic import writing

    try:
        with writing(path):
            raise error
    except Eeg2fmriError as explained:
        return explained
    raise AssertionError("writing() turns every OSError into an Eeg2fmriError")


def _text(name: str | bytes) -> str:
    return name if isinstance(name, str) else name.decode(errors="replace")
