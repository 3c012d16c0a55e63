"""What is loaded at the start stays to the end: the garbage collector need not look through it ever again."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


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
        gc.enable()
