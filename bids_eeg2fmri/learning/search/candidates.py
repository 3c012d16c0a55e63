"""The architectures to try: a uniform sample of the search spaces of both encoders."""

from __future__ import annotations

import logging
import random
from dataclasses import dataclass, replace

from ...errors import UsageError
from ...network.calhas2022.config import ArchitectureError, Blocks, Calhas2022Config, Shape3
from .solver import Solver
from .space import SearchSpace

MIN_LAYERS, MAX_LAYERS = 1, 4
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Candidate:
    """An architecture to try.

    Attributes
    ----------
    number
        Counted from 1.
    eeg_blocks, fmri_blocks
        Of the two encoders.
    """

    number: int
    eeg_blocks: Blocks
    fmri_blocks: Blocks | None

    def configure(self, config: Calhas2022Config) -> Calhas2022Config:
        """A configuration with these blocks."""
        return replace(config, eeg_blocks=self.eeg_blocks, fmri_blocks=self.fmri_blocks)


@dataclass(frozen=True)
class Spaces:
    """The search spaces of a configuration.

    Attributes
    ----------
    eeg
        Of the EEG encoder.
    fmri
        Of the fMRI encoder; ``None`` where it is left as it is.
    fmri_blocks
        The blocks it has then.
    """

    eeg: SearchSpace
    fmri: SearchSpace | None
    fmri_blocks: Blocks | None

    @classmethod
    def of(cls, config: Calhas2022Config) -> Spaces:
        """The spaces between the shapes of a configuration, with its pooling.

        Raises
        ------
        UsageError
            Nothing maps the EEG exactly onto the latent shape.
        """
        eeg = _space(config.eeg_shape, config.latent_shape, config.eeg_blocks)
        if eeg.size == 0:
            raise UsageError(
                f"no {MIN_LAYERS} to {MAX_LAYERS} blocks map EEG of shape {config.eeg_shape} exactly onto a latent "
                f"representation of {config.latent_shape}.",
                remedy="Give another latent_shape (or eeg_blocks with another pooling) in --network-config.",
            )
        if config.fmri_blocks is None:
            return cls(eeg, None, None)
        fmri = _space(config.fmri_shape, config.latent_shape, config.fmri_blocks)
        if fmri.size == 0:
            logger.warning("No blocks map volumes exactly onto the latent shape: the fMRI encoder stays as it is.")
            return cls(eeg, None, config.fmri_blocks)
        return cls(eeg, fmri, config.fmri_blocks)

    @property
    def size(self) -> int:
        """Pairs of an EEG encoder and an fMRI encoder."""
        return self.eeg.size * (1 if self.fmri is None else self.fmri.size)

    def sample(self, count: int, seed: int) -> tuple[Candidate, ...]:
        """Different pairs, every set of them as probable as any other; all pairs when there are no more.

        A larger sample of the same seed begins with the smaller one.
        """
        draw = random.Random(seed)
        numbers: dict[int, None] = {}
        while len(numbers) < min(count, self.size):
            numbers[draw.randrange(self.size)] = None
        return tuple(self._candidate(number, index) for number, index in enumerate(numbers, start=1))

    def _candidate(self, number: int, index: int) -> Candidate:
        of_fmri, of_eeg = divmod(index, self.eeg.size)
        eeg_blocks = self.eeg.blocks(of_eeg)
        return Candidate(number, eeg_blocks, self.fmri_blocks if self.fmri is None else self.fmri.blocks(of_fmri))


def make_candidates(spaces: Spaces, count: int, seed: int) -> tuple[Candidate, ...]:
    """A sample of some spaces, each of which the solver has confirmed to be a solution.

    Raises
    ------
    ArchitectureError
        The solver rejects what the counting proposed.
    """
    candidates = spaces.sample(count, seed)
    eeg, fmri = Solver(spaces.eeg), None if spaces.fmri is None else Solver(spaces.fmri)
    for candidate in candidates:
        confirmed = eeg.admits(candidate.eeg_blocks)
        if fmri is not None and candidate.fmri_blocks is not None:
            confirmed = confirmed and fmri.admits(candidate.fmri_blocks)
        if not confirmed:
            raise ArchitectureError(f"The solver rejects {candidate}.", remedy="Report this: counting and z3 disagree.")
    return candidates


def _space(in_shape: Shape3, latent_shape: Shape3, blocks: Blocks) -> SearchSpace:
    return SearchSpace(in_shape, latent_shape, blocks.pool, blocks.pool_stride, MIN_LAYERS, MAX_LAYERS)
