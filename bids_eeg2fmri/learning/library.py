"""The recordings of a training, as every split uses them: what they are scored against, and their baselines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from ..bids.pairing import Pair
from ..bold.real_bold import read_real_bold
from ..eeg.recording import Recording
from ..evaluation.forecast import Observed
from ..network.neuralfield import NeuralFieldConfig
from ..phantom.run import Run
from ..phantom.truth_files import read_parcel_truth
from ..settings import Settings
from .observed import load_observed, observe, save_observed
from .paired import cache_pair, read_pair
from .people import Person


@dataclass(frozen=True)
class Member:
    """One recording of the library.

    Attributes
    ----------
    pair
        Its files.
    example
        Band power and targets of the sample voxels (:mod:`.examples`).
    observed
        Its BOLD on the scoring grid.
    tr_s, start_time_s
        Repetition time, and the instant within it that a volume stands for.
    """

    pair: Pair
    example: Path
    observed: Path
    tr_s: float
    start_time_s: float

    @property
    def subject(self) -> str:
        """Whose recording it is."""
        return self.pair.eeg.subject

    @property
    def label(self) -> str:
        """Entities of the recording."""
        return self.pair.eeg.label

    def load_observed(self) -> Observed:
        """The BOLD to score against."""
        return load_observed(self.observed)

    def truth(self, bids_dir: Path) -> Float[np.ndarray, "volumes parcels"] | None:
        """Noise-free parcel series of a phantom."""
        eeg = self.pair.eeg
        return read_parcel_truth(bids_dir, Run(eeg.subject, eeg.session, eeg.task, eeg.run))


class Library:
    """Recordings with BOLD, added one by one.

    Parameters
    ----------
    settings
        How they are read.
    config
        Feature specification of the examples that baselines are fitted on.
    folder
        Where examples and series are kept between runs.
    """

    def __init__(self, settings: Settings, config: NeuralFieldConfig, folder: Path) -> None:
        self.config = config
        self._settings, self._folder = settings, folder
        self._members: list[Member] = []

    def add(self, pair: Pair) -> Member:
        """Read a recording with its BOLD, once; a later run finds it on disk.

        Raises
        ------
        Eeg2fmriError
            It cannot be used.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        bold = read_real_bold(pair.bold, confound_columns=self._settings.confounds)
        example = cache_pair(pair, self._settings, self.config, self._folder)
        observed = example.with_suffix(".observed.npz")
        if not observed.exists():
            save_observed(observed, observe(bold))
        member = Member(pair, example, observed, bold.tr_s, bold.start_time_s)
        self._members.append(member)
        return member

    @property
    def members(self) -> tuple[Member, ...]:
        """Every recording."""
        return tuple(self._members)

    @property
    def people(self) -> tuple[str, ...]:
        """Everyone, each once."""
        return tuple(sorted({member.subject for member in self._members}))

    def of(self, subjects: Iterable[str]) -> Iterator[Member]:
        """The recordings of some people."""
        wanted = set(subjects)
        return (member for member in self._members if member.subject in wanted)

    def persons(self, subjects: Sequence[str]) -> tuple[Person, ...]:
        """The example files of some people, person by person."""
        return tuple(tuple(member.example for member in self.of([subject])) for subject in subjects)

    def read(self, member: Member) -> Recording:
        """The EEG of a recording, on the clock of its BOLD."""
        recording, _ = read_pair(member.pair, self._settings)
        return recording
