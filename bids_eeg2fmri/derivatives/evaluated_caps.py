"""The caps with which a model was evaluated on people held out, as far as they concern one recording."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class EvaluatedCaps:
    """The held-out people's caps that a recording's reliability maps follow from.

    Attributes
    ----------
    n_electrodes
        Good electrodes of the recording.
    groups
        Number of electrodes of the held-out people's caps, in words; of two groups when interpolated between them.
    n_people
        Held-out people with such caps.
    smaller_than_measured
        Whether nobody held out had so small a cap.
    """

    n_electrodes: int
    groups: tuple[str, ...]
    n_people: int
    smaller_than_measured: bool

    @property
    def statement(self) -> str:
        """What was measured on whom, in a sentence or two."""
        between = "interpolated between" if len(self.groups) > 1 else "measured with"
        text = (
            f"For {self.n_electrodes} good electrodes, {between} caps of {' and '.join(self.groups)} electrodes on "
            f"{self.n_people} held-out {'person' if self.n_people == 1 else 'people'}."
        )
        if self.smaller_than_measured:
            text += " None of their caps was as small as this one: expect less."
        return text
