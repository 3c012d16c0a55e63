"""The C library's allocator: what one thread has freed serves the others."""

from __future__ import annotations

import sys
from collections.abc import Mapping

# Read by glibc when a process starts.
ARENAS_VARIABLE = "MALLOC_ARENA_MAX"
_M_ARENA_MAX = -8  # malloc.h


def limit_arenas(environ: Mapping[str, str]) -> None:
    """Give this process as many arenas as the environment gives to those that it starts.

    By default, glibc gives XLA's and the compressor's threads arenas of their own. What is freed in one of them is of
    no use to the others and hardly ever goes back to the system: a fifth of a run's memory, and more in long ones.
    Other C libraries have no arenas. It has to be called before there are threads.
    """
    limit = environ.get(ARENAS_VARIABLE, "")
    if sys.platform != "linux" or not limit.isdecimal():
        return
    import ctypes

    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, int(limit))
