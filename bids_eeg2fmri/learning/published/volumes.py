"""The usable volumes of many recordings as one numbered list."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int

from .cache import CachedRecording


@dataclass(frozen=True)
class Volumes:
    """Numbers 0, 1, ... for every usable volume of some recordings, in their order.

    Attributes
    ----------
    recordings
        Where the volumes lie.
    n_windows
        Spectra that belong to a volume: those of this many volumes just before it.
    """

    recordings: tuple[CachedRecording, ...]
    n_windows: int

    def __len__(self) -> int:
        return int(self._ends[-1]) if self.recordings else 0

    @cached_property
    def _ends(self) -> Int[np.ndarray, " recordings"]:
        return np.cumsum([len(recording.usable) for recording in self.recordings])

    @cached_property
    def people(self) -> tuple[str, ...]:
        """Who the recordings are of, each once, in order."""
        return tuple(dict.fromkeys(recording.person for recording in self.recordings))

    @cached_property
    def person_of_volume(self) -> Int[np.ndarray, " volumes"]:
        """Index into :attr:`people` of every volume."""
        owners = [self.people.index(recording.person) for recording in self.recordings]
        return np.repeat(owners, [len(recording.usable) for recording in self.recordings])

    @property
    def spectra_shape(self) -> tuple[int, int, int]:
        """Shape of a volume's input: windows, channels, bins."""
        return (self.n_windows, *self.recordings[0].spectra.shape[1:])

    @property
    def target_shape(self) -> tuple[int, int, int]:
        """Shape of a target volume."""
        x, y, z = self.recordings[0].targets.shape[1:]
        return int(x), int(y), int(z)

    def locate(self, numbers: Sequence[int] | np.ndarray) -> list[tuple[CachedRecording, int]]:
        """Recording and volume index behind each number."""
        which = np.searchsorted(self._ends, numbers, side="right")
        starts = self._ends - [len(recording.usable) for recording in self.recordings]
        places = []
        for number, index in zip(numbers, which, strict=True):
            recording = self.recordings[index]
            places.append((recording, int(recording.usable[number - starts[index]])))
        return places

    def spectra(self, numbers: np.ndarray) -> Float[np.ndarray, "batch windows channels bins"]:
        """The spectra before each of the volumes, oldest first."""
        windows = [recording.spectra[v - self.n_windows : v] for recording, v in self.locate(numbers)]
        return np.stack(windows)

    def targets(self, numbers: np.ndarray) -> Float[np.ndarray, "batch x y z"]:
        """The volumes, in half precision."""
        return np.stack([recording.targets[v] for recording, v in self.locate(numbers)])

    def digest(self) -> str:
        """Name of the data: recordings, people and their order."""
        content = [f"{recording.person}:{recording.key}" for recording in self.recordings]
        return hashlib.sha256("\n".join([str(self.n_windows), *content]).encode()).hexdigest()
