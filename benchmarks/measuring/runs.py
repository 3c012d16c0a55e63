"""One process from start to end: seconds, processor time, peak memory and what it said."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# Linux counts the memory of whoever starts a process as the process's own until it runs its program, so that somebody
# small has to start it.
_LAUNCHER = """
import json, os, subprocess, sys, time
started = time.perf_counter()
process = subprocess.Popen(sys.argv[2:])
_, status, usage = os.wait4(process.pid, 0)
seconds = time.perf_counter() - started
facts = [seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, os.waitstatus_to_exitcode(status)]
os.write(int(sys.argv[1]), json.dumps(facts).encode())
"""


@dataclass(frozen=True)
class Run:
    """What one process took.

    Attributes
    ----------
    seconds, cpu_s
        Wall time, and processor time in user and system mode, with that of the processes it waited for.
    peak_rss_bytes
        Largest resident memory of the process, or of one of those it waited for if that is larger.
    returncode
        Exit code; negative when a signal ended it.
    output
        Its standard output and standard error, in the order in which they came.
    """

    seconds: float
    cpu_s: float
    peak_rss_bytes: int
    returncode: int
    output: str


def run_measured(argv: Sequence[object], env: Mapping[str, str] | None = None, cwd: Path | None = None) -> Run:
    """Run a command to its end.

    Parameters
    ----------
    argv
        Program and arguments.
    env
        Variables to set beside those of this process.
    cwd
        Folder to run in.
    """
    inlet, outlet = os.pipe()
    launcher = [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(outlet), *map(str, argv)]
    with os.fdopen(inlet, "rb") as facts:
        try:
            done = subprocess.run(
                launcher,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                pass_fds=(outlet,),
                env={**os.environ, **(env or {})},
                cwd=cwd,
                check=False,
            )
        finally:
            os.close(outlet)
        said = facts.read()
    if not said:
        raise RuntimeError(f"{argv[0]} could not be run:\n{done.stdout}")
    seconds, cpu_s, peak_rss_bytes, returncode = json.loads(said)
    return Run(seconds, cpu_s, peak_rss_bytes, returncode, done.stdout)


def require_success(run: Run) -> Run:
    """The run itself; end the benchmark with what the process said if it failed."""
    if run.returncode:
        raise SystemExit(f"{run.output}\nThe process ended with code {run.returncode}.")
    return run
