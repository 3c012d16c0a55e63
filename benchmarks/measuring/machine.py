"""The machine and the libraries that figures were taken with."""

from __future__ import annotations

import math
import os
import platform
import re
from importlib.metadata import version
from pathlib import Path

_LIBRARIES = ("jax", "numpy", "mne", "matplotlib")


def describe_machine(*libraries: str) -> str:
    """One line: cores, processor, memory, Python and the versions of libraries (by default those that matter here)."""
    versions = ", ".join(f"{name} {version(name)}" for name in libraries or _LIBRARIES)
    cores = len(os.sched_getaffinity(0))
    return (
        f"{cores} core{'s' if cores > 1 else ''} of an {_processor()}, {_memory_gib()} GiB; "
        f"{platform.system()}, Python {platform.python_version()}, {versions}"
    )


def _processor() -> str:
    found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text("utf-8"), re.MULTILINE)
    return found[1].strip() if found else platform.machine()


def _memory_gib() -> int:
    """Memory as it was bought: the kernel keeps a part for itself."""
    return math.ceil(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)
