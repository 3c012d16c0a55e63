"""The BOLD that a scanner recorded during a recording's EEG, found by names and sidecars, before it is opened."""

from __future__ import annotations

from dataclasses import dataclass

from ..bids.bold_file import BoldFile
from ..bids.pairing import bold_or_problem
from ..bids.recording_file import RecordingFile
from ..errors import Eeg2fmriError
from ..settings import Settings


@dataclass(frozen=True)
class Found:
    """What a look for the scanner's BOLD of a recording gave.

    Attributes
    ----------
    file
        The image, not opened; ``None`` when there is none, or none that can be used.
    problem
        Why what is there cannot be used.
    """

    file: BoldFile | None = None
    problem: Eeg2fmriError | None = None


def look_for_scanner(file: RecordingFile, settings: Settings) -> Found:
    """Look for the scanner's BOLD of a recording, by names and sidecars alone."""
    found = bold_or_problem(file, settings)
    return Found(problem=found) if isinstance(found, Eeg2fmriError) else Found(found)
