"""The worker's side of the conversation: one JSON object a line in, one out. It runs in both environments.

A worker first makes a task ready, then repeats it as often as it is asked to.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np

Arrays = Mapping[str, np.ndarray]
# Makes a task of this name and batch size ready: what is timed, and what must agree with the other worker.
Prepare = Callable[[str, int], tuple[Callable[[], object], Arrays]]


def serve(prepare: Prepare) -> None:
    """Answer until the input ends."""
    answers = os.fdopen(os.dup(1), "w")
    # What libraries print must not get between the answers.
    os.dup2(2, 1)
    repeat: Callable[[], object] | None = None
    for line in sys.stdin:
        request = json.loads(line)
        if request["do"] == "prepare":
            repeat, outcome = prepare(request["task"], request["batch"])
            np.savez(Path(request["outcome"]), **cast(Any, outcome))
            repeat()
            answer = {}
        elif repeat is not None:
            wall, cpu = time.perf_counter(), time.process_time()
            repeat()
            answer = {"seconds": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu}
        answer["peak_rss_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        print(json.dumps(answer), file=answers, flush=True)


def make_eeg(batch: int) -> np.ndarray:
    """Windows of spectra (batch x 64 x 134 x 10): normal numbers, as standardised spectra are."""
    return np.random.default_rng(1).normal(size=(batch, 64, 134, 10)).astype(np.float32)


def make_volumes(batch: int) -> np.ndarray:
    """Volumes (batch x 64 x 64 x 30), rounded to what half precision holds, which our training reads."""
    return np.random.default_rng(2).normal(size=(batch, 64, 64, 30)).astype(np.float16).astype(np.float32)


def make_recording() -> np.ndarray:
    """Ten minutes of 64 channels at 250 Hz, in volts."""
    return np.random.default_rng(3).normal(0, 2e-5, size=(64, 150_000))
