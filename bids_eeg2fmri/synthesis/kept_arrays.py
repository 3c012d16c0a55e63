"""Arrays that are dear to compute and the same in every run: kept in a folder between runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from ..derivatives.atomic import atomic_path, remove_leftovers
from ..errors import Eeg2fmriError

Arrays = dict[str, np.ndarray]


def kept_arrays(path: Path | None, shapes: Mapping[str, tuple[int, ...]], compute: Callable[[], Arrays]) -> Arrays:
    """Named arrays from a file or, where it is not there or not whole, computed and written to it.

    A file that cannot be written is done without: it saves time and nothing else.

    Parameters
    ----------
    path
        The file; ``None`` to compute in any case. Its name must tell apart all that the arrays depend on.
    shapes
        What the file must hold.
    compute
        Makes the arrays.
    """
    if path is None:
        return compute()
    found = _read(path, shapes)
    if found is not None:
        return found
    arrays = compute()
    with suppress(Eeg2fmriError, OSError):
        remove_leftovers(path)
    with suppress(Eeg2fmriError, OSError), atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
    return arrays


def _read(path: Path, shapes: Mapping[str, tuple[int, ...]]) -> Arrays | None:
    try:
        # Checksums are part of the format.
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, KeyError, RuntimeError, BadZipFile):
        return None
    return arrays if {name: array.shape for name, array in arrays.items()} == dict(shapes) else None
