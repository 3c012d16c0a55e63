"""What training reads of a recording: spectra and target volumes in memory-mapped files.

A folder per recording, named after a digest of everything that its content follows from, so that a changed input or
option makes a new folder and never a wrong one.
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from jaxtyping import Float, Int

from ...derivatives.atomic import writing

FORMAT = "published-cache/1"
_ARRAYS = {"spectra": np.float32, "targets": np.float16, "usable": np.int32, "profile": np.float32}
# Open files stay below the usual limit of 1024 a process, however many recordings there are.
_MAX_MAPPED = 256


@dataclass(frozen=True)
class CachedRecording:
    """A recording's folder in the cache.

    Attributes
    ----------
    folder
        Holds the arrays; its name is the digest of their content.
    person
        Whose recording it is.
    """

    folder: Path
    person: str

    @property
    def key(self) -> str:
        """Digest of everything the content follows from."""
        return self.folder.name

    @property
    def spectra(self) -> Float[np.ndarray, "volumes channels bins"]:
        """Spectrum of the EEG during every volume, mapped from the file."""
        return _mapped(self.folder / "spectra.npy")

    @property
    def targets(self) -> Float[np.ndarray, "volumes x y z"]:
        """BOLD of every volume, standardised over time, 0 outside the brain; mapped from the file."""
        return _mapped(self.folder / "targets.npy")

    @property
    def usable(self) -> Int[np.ndarray, " usable"]:
        """Volumes to train on: those with a target and enough EEG before them."""
        return _mapped(self.folder / "usable.npy")

    @property
    def profile(self) -> Float[np.ndarray, " profile"]:
        """How band amplitudes spread over the cap on average, for the novelty score."""
        return _mapped(self.folder / "profile.npy")


def content_key(*content: Any) -> str:
    """Digest of arrays and plain values (whose ``repr`` says all of them), in this order."""
    digest = hashlib.sha256(FORMAT.encode())
    for item in content:
        if isinstance(item, np.ndarray):
            digest.update(f"{item.shape}{item.dtype.str}".encode())
            for row in item if item.ndim > 1 else item[None]:
                digest.update(np.ascontiguousarray(row).data)
        else:
            digest.update(f"|{item!r}|".encode())
    return digest.hexdigest()[:32]


def find_cached(cache_dir: Path, key: str, person: str) -> CachedRecording | None:
    """The recording with this key, or ``None`` when it has not been written."""
    folder = cache_dir / key
    return CachedRecording(folder, person) if folder.is_dir() else None


def write_cached(
    cache_dir: Path,
    key: str,
    person: str,
    *,
    spectra: Float[np.ndarray, "volumes channels bins"],
    targets: Float[np.ndarray, "volumes x y z"],
    usable: Int[np.ndarray, " usable"],
    profile: Float[np.ndarray, " profile"],
) -> CachedRecording:
    """Write a recording's folder; it appears whole or not at all, whoever else writes it at the same time.

    Targets are stored in half precision: standardised BOLD keeps three digits.

    Raises
    ------
    WriteError, OutputError
        The work directory is full or cannot be written.
    """
    folder = cache_dir / key
    temporary = cache_dir / f".tmp-{uuid4()}_{key}"
    with writing(folder):
        temporary.mkdir(parents=True)
        try:
            arrays = {"spectra": spectra, "targets": targets, "usable": usable, "profile": profile}
            for name, kind in _ARRAYS.items():
                np.save(temporary / f"{name}.npy", np.asarray(arrays[name], kind))
            temporary.replace(folder)
        except OSError:
            # A folder that another process put there in the meantime has the same content.
            if not folder.is_dir():
                raise
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    return CachedRecording(folder, person)


@lru_cache(maxsize=_MAX_MAPPED)
def _mapped(path: Path) -> np.ndarray:
    return np.load(path, mmap_mode="r")
