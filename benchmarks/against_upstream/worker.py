"""Our side of the conversation: a process of either package that makes tasks ready and repeats them."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np


@dataclass
class Worker:
    """A running process of one package; a context that ends it.

    Attributes
    ----------
    interpreter, module
        What runs.
    weights
        The file of weights that it loads.
    cores
        Cores that it may use.
    folder
        For what its tasks give.
    """

    interpreter: Path
    module: str
    weights: Path
    cores: frozenset[int]
    folder: Path
    seconds: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)
    peak_rss_bytes: int = 0

    def __enter__(self) -> Worker:
        self._process = subprocess.Popen(
            [str(self.interpreter), "-m", self.module, str(self.weights)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "EEG_FMRI": str(self.folder), "EEG_FMRI_DATASETS": str(self.folder)},
        )
        os.sched_setaffinity(self._process.pid, self.cores)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()

    def prepare(self, task: str, batch: int) -> dict[str, np.ndarray]:
        """Make a task ready: build, compile, run it once. What it gives, to be compared."""
        outcome = self.folder / f"{self.module.rsplit('.', 1)[-1]}.npz"
        self._ask({"do": "prepare", "task": task, "batch": batch, "outcome": str(outcome)})
        self.seconds, self.cpu_s = [], []
        with np.load(outcome) as arrays:
            return dict(arrays)

    def repeat(self) -> None:
        """Run the task once more, and take its time."""
        answer = self._ask({"do": "repeat"})
        self.seconds.append(answer["seconds"])
        self.cpu_s.append(answer["cpu_s"])

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        process = self._process
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the worker has no pipes")
        process.stdin.write(json.dumps(request) + "\n")
        process.stdin.flush()
        line = process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.module} ended during {request} with code {process.wait()}.")
        answer: dict[str, Any] = json.loads(line)
        self.peak_rss_bytes = answer["peak_rss_bytes"]
        return answer
