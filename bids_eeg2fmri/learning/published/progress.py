"""A progress bar with losses and remaining time, where somebody watches."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

Show = Callable[[int, str], None]


@contextmanager
def training_progress(n_steps: int, done: int, title: str) -> Iterator[Show]:
    """A function that takes the number of steps made and a text to stand beside the bar.

    On anything but a terminal it shows nothing: the log has a line per epoch.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("steps"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[losses]}"),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not sys.stderr.isatty(), refresh_per_second=2) as progress:
        task = progress.add_task(title, total=n_steps, completed=done, losses="")
        yield lambda step, losses: progress.update(task, completed=step, losses=losses)
