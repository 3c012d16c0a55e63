"""Runs the command in forks of a process that has imported everything: a run without the seconds that imports take.

A script of its own, because a process in which JAX has computed cannot be forked. It reads one request per line and
answers each with a line: to start a run, its process id; to wait for one, its status and the CPU seconds it took.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

_MODULES = (
    "matplotlib.backends.backend_svg",
    "nilearn.plotting",
    "bids_eeg2fmri.levels.output_dataset",
    "bids_eeg2fmri.levels.participant",
    "bids_eeg2fmri.levels.recording_run",
)
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate"}


class WriteFaults:
    """An audit hook that counts what a run does to the file system, and lets the n-th such step go wrong.

    Parameters
    ----------
    request
        ``kill_at``: killed before this step. ``fail_at``: the step is refused with the error ``errno``.
        ``vanish_at``: before it, the folder ``out`` is moved away.
    """

    def __init__(self, request: dict[str, Any]) -> None:
        self._request = request
        self._steps = 0
        self._counter = os.open(request["steps"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not (event in _CHANGES or (event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITES)):
            return
        self._steps += 1
        os.pwrite(self._counter, f"{self._steps:6d}".encode(), 0)
        step = self._steps
        if step == self._request.get("kill_at"):
            os.kill(os.getpid(), signal.SIGKILL)
        if step == self._request.get("vanish_at"):
            Path("out").rename("gone")
        if step == self._request.get("fail_at"):
            number = self._request["errno"]
            raise OSError(number, os.strerror(number), str(arguments[0]))


def run(request: dict[str, Any]) -> int:
    """Run the command as a request says; the exit code."""
    from bids_eeg2fmri.cli import main

    os.chdir(request["folder"])
    for name, descriptor in (("stdout", 1), ("stderr", 2)):
        os.dup2(os.open(request[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o644), descriptor)
    faults = WriteFaults(request)
    if "largest_file" in request:
        resource.setrlimit(resource.RLIMIT_FSIZE, (request["largest_file"],) * 2)
    if request.get("bound_by_permissions"):
        _give_up_privileges()
    sys.addaudithook(faults)
    try:
        return main(request["arguments"])
    except SystemExit as stopped:
        return int(stopped.code or 0)


def _give_up_privileges() -> None:
    """Be bound by permissions even as root: without the capabilities that pass over them (capset(2))."""
    version, this_process, both_of_dac = 0x20080522, 0, 0b110
    header, sets = (ctypes.c_uint32 * 2)(version, this_process), (ctypes.c_uint32 * 6)()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.capget(header, sets) == 0:
        sets[0] &= ~both_of_dac
        libc.capset(header, sets)


def _prepare() -> None:
    """What is the same in every run; and figures, half of a run's time, become files that show nothing."""
    for name in _MODULES:
        import_module(name)
    from bids_eeg2fmri.bold.grid import make_grid
    from bids_eeg2fmri.report import reportlets
    from bids_eeg2fmri.report.panel import FigurePanel
    from bids_eeg2fmri.settings import OutputSpace

    make_grid(OutputSpace(resolution="4"))
    make = reportlets._make

    def make_quickly(panel: Any, run: Any) -> tuple[bytes, dict[str, Any]]:
        return (b"<svg/>" * 1000, {"description": ""}) if isinstance(panel, FigurePanel) else make(panel, run)

    reportlets._make = make_quickly


def _answer(content: Any) -> None:
    print(json.dumps(content), flush=True)


def _serve() -> None:
    for line in sys.stdin:
        request = json.loads(line)
        if "wait" in request:
            _, status, usage = os.wait4(request["wait"], 0)
            _answer({"status": status, "cpu_s": usage.ru_utime + usage.ru_stime})
            continue
        pid = os.fork()
        if pid == 0:
            code = 99
            try:
                code = run(request)
                sys.stdout.flush()
                sys.stderr.flush()
            finally:
                os._exit(code)
        _answer(pid)


if __name__ == "__main__":
    _prepare()
    _serve()
