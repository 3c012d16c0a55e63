"""Runs of the command that a test can kill, starve or deprive of their disk, and what they must leave behind."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

_SERVER = Path(__file__).with_name("fork_server.py")
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
# What a page says of when, how fast and by which command it was made.
_PASSING = re.compile(rb"(Run time|[Cc]ommand)(\"|</th>)[^\n]*|\d{4}-\d\d-\d\d \d\d:\d\d UTC")


@dataclass(frozen=True)
class Ended:
    """A run that has ended: exit code (negative: the signal that killed it), streams, and what it took."""

    code: int
    out: str
    err: str
    cpu_s: float
    steps: int

    @property
    def killed(self) -> bool:
        return self.code == -signal.SIGKILL

    @property
    def last_words(self) -> str:
        return self.err.rstrip("\n").splitlines()[-1]


class Running:
    """A run under way."""

    def __init__(self, server: Runs, pid: int, request: dict[str, Any]) -> None:
        self.pid = pid
        self._server, self._request = server, request

    def kill_after(self, cpu_s: float) -> None:
        """Kill it -9 after so many seconds of CPU time, unless it ends before."""
        stat = Path(f"/proc/{self.pid}/stat")
        while True:
            state, *fields = stat.read_text().rpartition(")")[2].split()
            if state == "Z":
                return
            if (int(fields[10]) + int(fields[11])) / _TICKS_PER_S >= cpu_s:
                os.kill(self.pid, signal.SIGKILL)
                return
            time.sleep(0.02)

    def wait(self) -> Ended:
        """Wait for its end."""
        answer = self._server.ask({"wait": self.pid})
        out, err, steps = (Path(self._request[name]) for name in ("stdout", "stderr", "steps"))
        texts = [path.read_text("utf-8", "replace") if path.is_file() else "" for path in (out, err, steps)]
        return Ended(os.waitstatus_to_exitcode(answer["status"]), *texts[:2], answer["cpu_s"], int(texts[2] or 0))


class Runs:
    """Runs of the participant level on one dataset, one after the other or at once.

    Parameters
    ----------
    dataset
        Input.
    folder
        Where streams and compiled programs are kept.
    """

    def __init__(self, dataset: Path, folder: Path) -> None:
        self.dataset, self._folder = dataset, folder
        self._count = 0
        environ = os.environ | {
            "OMP_NUM_THREADS": "1",
            "JAX_COMPILATION_CACHE_DIR": os.environ.get("JAX_COMPILATION_CACHE_DIR", str(folder / "jax-cache")),
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
            "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
            "JAX_DEFAULT_MATMUL_PRECISION": "highest",
        }
        line = [sys.executable, str(_SERVER)]
        self._server = subprocess.Popen(
            line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ, cwd=folder
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._server.stdin is not None
        self._server.stdin.close()
        self._server.wait(60)

    def ask(self, request: dict[str, Any]) -> Any:
        """One question to the server, and its answer."""
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        print(json.dumps(request), file=self._server.stdin, flush=True)
        return json.loads(self._server.stdout.readline())

    def start(self, folder: Path, *options: Any, dataset: Path | None = None, **faults: Any) -> Running:
        """Start a run that writes into ``folder/out``; ``faults`` are those of the server."""
        self._count += 1
        streams = {name: str(self._folder / f"{self._count}.{name}") for name in ("stdout", "stderr", "steps")}
        place = [self.dataset if dataset is None else dataset, "out", "participant", "--work-dir", "work"]
        arguments = [str(argument) for argument in (*place, "--sloppy", *options)]
        request = {"arguments": arguments, "folder": str(folder), **streams, **faults}
        return Running(self, self.ask(request), request)

    def __call__(self, folder: Path, *options: Any, dataset: Path | None = None, **faults: Any) -> Ended:
        """Run to the end."""
        return self.start(folder, *options, dataset=dataset, **faults).wait()


@dataclass(frozen=True)
class Undisturbed:
    """Output that nothing disturbed.

    Attributes
    ----------
    half
        A folder with the first person's output.
    first, both
        Digests of all files by path, after the first person and after both.
    second
        The run that made the second person's output.
    """

    half: Path
    first: dict[str, str]
    both: dict[str, str]
    second: Ended

    def begin(self, folder: Path) -> Path:
        """A folder where the first person is done and the second is to do."""
        folder.mkdir()
        shutil.copytree(self.half, folder / "out", symlinks=True)
        return folder

    def assert_nothing_lost(self, folder: Path) -> None:
        """What was there is there, every file is whole, and what is marked complete is complete."""
        now = whole_tree(folder / "out", temporary=False)
        pages = {name for name in now if name.endswith(".html")}
        assert {name: now.get(name) for name in self.first if name not in pages} == {
            name: digest for name, digest in self.first.items() if name not in pages
        }
        assert now.items() - {name: now[name] for name in pages}.items() <= self.both.items()
        if any(name.startswith("sub-02/") and name.endswith("_desc-preproc_bold.json") for name in now):
            assert {name for name in self.both if name.startswith("sub-02/")} <= set(now)

    def assert_same(self, folder: Path) -> None:
        """The output is that of a run that nothing disturbed, to the byte, without a file more."""
        assert whole_tree(folder / "out") == self.both


def whole_tree(root: Path, *, temporary: bool = True) -> dict[str, str]:
    """Digest of every file by path, hidden ones too; the logs of single runs are left out."""
    files = {path.relative_to(root).as_posix(): path for path in sorted(root.rglob("*")) if not path.is_dir()}
    return {
        name: hashlib.sha256(_PASSING.sub(b"", path.read_bytes())).hexdigest()
        for name, path in files.items()
        if not re.match(r"logs/\d", name) and (temporary or not path.name.startswith(".tmp-"))
    }
