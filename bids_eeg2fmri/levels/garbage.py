"""What is loaded at the start stays to the end: the garbage collector need not look through it ever again."""

from __future__ import annotations

import atexit
import gc
from collections.abc import Iterator
from contextlib import contextmanager

# New objects between two looks, and looks at the young between two at older ones. A figure makes some ten thousand
# objects that go all together: the usual 700 look through them, again and again, while they are in use.
_THRESHOLDS = (20_000, 10, 4)


@contextmanager
def loading_to_stay() -> Iterator[None]:
    """Load modules and the like without collecting garbage, and take what there is then out of later collections.

    Half a million objects come with the libraries; looking through all of them a dozen times costs a second or two of
    a run. Only the first use in a process does so: whatever else is garbage by then would never be collected.
    """
    if gc.get_freeze_count() or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.set_threshold(*_THRESHOLDS)
        gc.enable()
        atexit.register(_leave_the_rest)


def _leave_the_rest() -> None:
    """Do not look through everything once more at the end: the system takes it all back."""
    gc.disable()
    gc.freeze()
