"""What of a selection is there already, and what is to do."""

from __future__ import annotations

import logging
from collections import Counter
from typing import Literal, TypeAlias

from ..bids.recording_file import RecordingFile
from ..bids.selection import Selection
from ..errors import Eeg2fmriError
from ..settings import Settings

State = Literal["done", "stale", "new"]
Plan: TypeAlias = list[tuple[RecordingFile, State]]

logger = logging.getLogger(__name__)


def make_plan(selection: Selection, settings: Settings, model_sha256: str, *, read_input: bool = True) -> Plan:
    """What is done, stale or new; with ``--overwrite`` nothing is done.

    Parameters
    ----------
    selection, settings
        What to look at, and what was asked for.
    model_sha256
        Digest of the model's weights.
    read_input
        Whether signals are read to see if they are the ones that outputs were made from.
    """
    states = [(file, _state(file, settings, model_sha256, read_input)) for file in selection.recordings]
    count = Counter(state for _, state in states)
    logger.info("%d done, %d stale, %d to do", count["done"], count["stale"], count["new"])
    return states


def _state(file: RecordingFile, settings: Settings, model_sha256: str, read_input: bool) -> State:
    from .recording_state import recording_state

    try:
        state = recording_state(file, settings, model_sha256, read_input=read_input)
    except Eeg2fmriError:
        # The attempt meets the same fault, where it stops nothing else.
        return "new"
    return "stale" if state == "done" and settings.overwrite else state
