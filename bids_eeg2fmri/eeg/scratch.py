"""Large arrays in files of the work directory, whose pages need not stay in memory."""

from __future__ import annotations

import mmap
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from ..errors import WriteError

# To map a page again, to write on it, costs as much time as a filter takes for its samples.
_LARGE_BYTES = 2**26


def scratch_array(shape: tuple[int, ...], work_dir: Path | None) -> Float[np.ndarray, "..."]:
    """A float32 array to be filled, in memory or in a file that vanishes with it.

    Parameters
    ----------
    shape
        Its shape.
    work_dir
        Where to put the file; ``None`` keeps the array in memory.

    Raises
    ------
    WriteError
        When the work directory has no room.
    """
    if work_dir is None:
        return np.empty(shape, dtype=np.float32)
    n_bytes = 4 * int(np.prod(shape))
    try:
        work_dir.mkdir(parents=True, exist_ok=True)
        # The file is unlinked while it is mapped: nothing stays behind, however the process ends.
        with tempfile.TemporaryFile(dir=work_dir, prefix="eeg-") as stream:
            if hasattr(os, "posix_fallocate"):
                # A disk that fills up under a mapped file would end the process with a signal.
                os.posix_fallocate(stream.fileno(), 0, n_bytes)
            else:
                stream.truncate(n_bytes)
            mapped = mmap.mmap(stream.fileno(), n_bytes)
    except OSError as error:
        raise WriteError(
            f"The work directory cannot take {n_bytes / 2**20:.0f} MiB of signals ({error.strerror}).",
            path=work_dir,
            remedy="Free some room or choose another --work-dir.",
        ) from error
    return np.frombuffer(mapped, dtype=np.float32).reshape(shape)


def release(array: np.ndarray) -> None:
    """Give back the memory of a :func:`scratch_array` or of a view of one; its values stay in its file.

    Mapped pages count as the process's memory until then. Of any other array nothing happens.
    """
    owner: Any = array
    while isinstance(owner, np.ndarray):
        owner = owner.base
    mapped = owner.obj if isinstance(owner, memoryview) else owner
    if isinstance(mapped, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        mapped.madvise(mmap.MADV_DONTNEED)


def release_large(array: np.ndarray) -> None:
    """:func:`release`, but of less than 64 MiB, which may stay until everything is done with them."""
    if array.nbytes > _LARGE_BYTES:
        release(array)


def released_rows(array: Float[np.ndarray, "rows columns"]) -> Iterator[Float[np.ndarray, " columns"]]:
    """The rows one after the other; of a large array, each is released before the next is looked at."""
    for row in array:
        yield row
        release_large(array)
