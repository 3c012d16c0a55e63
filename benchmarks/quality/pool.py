"""Work on many people in processes of one thread each."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import track

Result = TypeVar("Result")

_ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
}


def each(
    function: Callable[..., Result], tasks: Sequence[tuple[Any, ...]], processes: int, description: str
) -> Iterator[Result]:
    """Results of ``function(*task)`` in the order of the tasks; the function is one of a module."""
    if not tasks:
        return
    with _one_thread(), ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        running = [pool.submit(function, *task) for task in tasks]
        for done in track(running, description, console=Console(stderr=True)):
            yield done.result()


@contextmanager
def _one_thread() -> Iterator[None]:
    """What processes that are started inside compute with: people are what is parallel here."""
    kept = {name: os.environ.get(name) for name in _ONE_THREAD}
    os.environ.update(_ONE_THREAD)
    try:
        yield
    finally:
        for name, value in kept.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
