"""Our speed beside that of the published package, eeg-to-fmri 0.0.9 on TensorFlow 2.15, on this machine.

Run from the root of the repository with ``python -m benchmarks.upstream``. The published package gets a virtual
environment of its own, made once (a download of about 250 MB). Both packages load the same random weights, their
outputs are compared, and then two processes on the same cores take turns, A B A B. Every group of tasks has processes
of its own, so that peak memory belongs to it.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.measuring import markdown_table, page, ratio, save

from .against_upstream.environment import make_environment
from .against_upstream.worker import Worker

_PUBLISHED, _OURS = (f"benchmarks.against_upstream.{name}" for name in ("published_package", "our_package"))
# Tasks and batch sizes of one pair of processes.
_GROUPS = (
    (("forward", 1), ("forward", 8), ("forward", 32)),
    (("training", 4),),
    (("training", 32),),
    (("eager training", 4),),
    (("spectra", 1),),
)
# As a share of the largest value.
_TOLERANCE = 2e-4
_NAMES = {
    "forward": "Volumes from spectra, batch {}",
    "training": "Training step, batch {}",
    "eager training": "Training step, batch {}, as its notebook runs",
    "spectra": "Spectra of 10 min x 64 channels x 250 Hz",
}
_HEADER = (
    "Task",
    "published (ms)",
    "ours (ms)",
    "faster",
    "published CPU (ms)",
    "ours CPU (ms)",
    "published (MB)",
    "ours (MB)",
    "largest difference",
)


@dataclass(frozen=True)
class Row:
    """One task: its name, medians of both packages, their peak memory and the difference of what they give."""

    name: str
    published_s: float
    ours_s: float
    published_cpu_s: float
    ours_cpu_s: float
    published_bytes: int
    ours_bytes: int
    difference: float

    @property
    def cells(self) -> tuple[object, ...]:
        """The row as the table shows it."""
        milliseconds = (self.published_s, self.ours_s, self.published_cpu_s, self.ours_cpu_s)
        wall, our_wall, cpu, our_cpu = (1000 * value for value in milliseconds)
        sizes = (f"{size / 1e6:.0f}" for size in (self.published_bytes, self.ours_bytes))
        faster = ratio(self.published_s, self.ours_s)
        return (self.name, wall, our_wall, faster, cpu, our_cpu, *sizes, f"{self.difference:.0e}")


def measure(
    tasks: Iterable[tuple[str, int]], interpreter: Path, weights: Path, cores: frozenset[int], repeats: int
) -> list[Row]:
    """Rows of tasks that share one process of each package."""
    rows = []
    with (
        tempfile.TemporaryDirectory() as folder,
        Worker(interpreter, _PUBLISHED, weights, cores, Path(folder)) as published,
        Worker(Path(sys.executable), _OURS, weights, cores, Path(folder)) as ours,
    ):
        for task, batch in tasks:
            name = _NAMES[task].format(batch)
            difference = _difference(name, published.prepare(task, batch), ours.prepare(task, batch))
            for _ in range(repeats):
                published.repeat()
                ours.repeat()
            row = Row(
                name=name,
                published_s=median(published.seconds),
                ours_s=median(ours.seconds),
                published_cpu_s=median(published.cpu_s),
                ours_cpu_s=median(ours.cpu_s),
                published_bytes=published.peak_rss_bytes,
                ours_bytes=ours.peak_rss_bytes,
                difference=difference,
            )
            rows.append(row)
            print(f"{name}: {row.published_s:.3f} s, ours {row.ours_s:.3f} s", file=sys.stderr)
    return rows


def _difference(name: str, published: dict[str, np.ndarray], ours: dict[str, np.ndarray]) -> float:
    """Largest difference of what both give, as a share of the largest value."""
    shares = [np.abs(ours[key] - array).max() / np.abs(array).max() for key, array in published.items()]
    if max(shares) > _TOLERANCE:
        raise SystemExit(f"{name}: the packages disagree by {max(shares):.1e} of the largest value.")
    return float(max(shares))


def _make_weights(interpreter: Path, weights: Path, cores: frozenset[int]) -> None:
    """Random weights, drawn by the published package once."""
    if not weights.exists():
        with Worker(interpreter, _PUBLISHED, weights, cores, weights.parent) as published:
            published.prepare("weights", 1)


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--cache", type=Path, default=Path("build/upstream"), help="for the environment and the weights"
    )
    parser.add_argument("--python", default=sys.executable, help="Python 3.9 to 3.11 for the published package")
    parser.add_argument("--repeats", type=int, default=15, help="turns of each package")
    parser.add_argument("--threads", type=int, default=2, help="cores that both may use")
    parser.add_argument(
        "--task", choices=sorted(_NAMES), action="append", help="only this kind of task; may be repeated"
    )
    parser.add_argument("--save", type=Path, help="also write the table to this file")
    arguments = parser.parse_args()
    cores = frozenset(sorted(os.sched_getaffinity(0))[: arguments.threads])
    cache = arguments.cache.resolve()
    interpreter = make_environment(cache / "environment", arguments.python)
    weights = cache / "weights.npz"
    _make_weights(interpreter, weights, cores)
    wanted = arguments.task or sorted(_NAMES)
    groups = [[task for task in group if task[0] in wanted] for group in _GROUPS]
    rows = [row for group in groups if group for row in measure(group, interpreter, weights, cores, arguments.repeats)]
    explanation = (
        f"Medians of {arguments.repeats} turns on {len(cores)} cores; peak memory is that of a process which has done "
        "this row's task and those above it of the same kind. Differences are shares of the largest value."
    )
    table = markdown_table(_HEADER, [row.cells for row in rows])
    save(
        page(
            "Against the published package",
            "python -m benchmarks.upstream --save docs/performance/upstream_table.md",
            explanation,
            table,
        ),
        arguments.save,
    )


if __name__ == "__main__":
    main()
