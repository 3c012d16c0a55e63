"""What every benchmark of speed shares: the machine, runs of a process, medians, tables and pages.

Benchmarks are modules: ``python -m benchmarks.NAME`` from the root of the repository.
"""

from __future__ import annotations

from .machine import describe_machine
from .pages import given_command, page, save
from .runs import Run, require_success, run_measured
from .tables import markdown_table, number, ratio
from .timing import Timing, alternate, median_of

__all__ = [
    "Run",
    "Timing",
    "alternate",
    "describe_machine",
    "given_command",
    "markdown_table",
    "median_of",
    "number",
    "page",
    "ratio",
    "require_success",
    "run_measured",
    "save",
]
