"""Repeated timing of functions in this process."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Timing:
    """Repetitions of one function.

    Attributes
    ----------
    seconds, cpu_s
        Wall time, and processor time of the whole process, of every repetition.
    """

    seconds: tuple[float, ...]
    cpu_s: tuple[float, ...]

    @property
    def median_s(self) -> float:
        """Median wall time."""
        return median(self.seconds)

    @property
    def median_cpu_s(self) -> float:
        """Median processor time."""
        return median(self.cpu_s)


def median_of(function: Callable[[], object], repeats: int = 5, warm_up: int = 1) -> Timing:
    """Time a function, which has to wait for its own result (``jax.block_until_ready``).

    Parameters
    ----------
    function
        What is timed.
    repeats
        How often.
    warm_up
        Calls before, which are not counted.
    """
    return _timed([function], repeats, warm_up)[0]


def alternate(
    one: Callable[[], object], other: Callable[[], object], repeats: int = 5, warm_up: int = 1
) -> tuple[Timing, Timing]:
    """Time two functions in turn, A B A B, so that a change of the machine's pace meets both."""
    first, second = _timed([one, other], repeats, warm_up)
    return first, second


def _timed(functions: list[Callable[[], object]], repeats: int, warm_up: int) -> list[Timing]:
    for _ in range(warm_up):
        for function in functions:
            function()
    taken = [[_once(function) for function in functions] for _ in range(repeats)]
    return [Timing(*map(tuple, zip(*column, strict=True))) for column in zip(*taken, strict=True)]


def _once(function: Callable[[], object]) -> tuple[float, float]:
    started, cpu_started = time.perf_counter(), time.process_time()
    function()
    return time.perf_counter() - started, time.process_time() - cpu_started
