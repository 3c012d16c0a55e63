"""Who a network is fitted to: files of people, in groups that share nobody."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .examples import Example, load_examples

Person = tuple[Path, ...]
"""The files of one person's examples."""


@dataclass(frozen=True)
class People:
    """Files of people; the groups share nobody, unless a single person validates.

    Attributes
    ----------
    training
        Fit the linear path and the maps.
    selection
        Choose the penalty, set the novelty score and fit the noise.
    calibration
        Set the factors on the predictive sd.
    """

    training: Sequence[Person]
    selection: Sequence[Person]
    calibration: Sequence[Person]

    @classmethod
    def divided(cls, training: Sequence[Person], validation: Sequence[Person]) -> People:
        """Every other person of ``validation`` selects, the others calibrate; a single one does both."""
        if not training or not validation:
            raise ValueError("somebody must train and somebody validate")
        return cls(tuple(training), tuple(validation[::2]), tuple(validation[1::2] or validation))

    @property
    def caveats(self) -> tuple[str, ...]:
        """What so few people do not permit, in sentences."""
        sentences = []
        if len(self.training) == 1:
            sentences.append(
                "One person trained: the spread between ensemble members is that between stretches of time of this "
                "person, not between people, and is too small."
            )
        if set(self.selection) & set(self.calibration):
            sentences.append(
                "The people who calibrated the intervals also chose the penalty and the noise: intervals may be "
                "too narrow."
            )
        elif len(self.calibration) < 4:
            sentences.append(
                f"Intervals were calibrated on {len(self.calibration)} "
                f"{'person' if len(self.calibration) == 1 else 'people'}: they may cover more or less than they say."
            )
        return tuple(sentences)


def examples_of(people: Sequence[Person]) -> Iterator[Example]:
    """Every recording of these people, one in memory at a time."""
    for person in people:
        yield from load_examples(*person)
