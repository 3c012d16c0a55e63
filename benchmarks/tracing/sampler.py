"""A thread that looks, every few milliseconds, at what the others do."""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter, defaultdict
from pathlib import Path
from types import FrameType
from typing import Any

from .stages import stage_of

INTERVAL_S = 0.01
# Processor time is read less often than the stack, which costs less.
_LOOKS_PER_READING = 10
_TASKS = Path("/proc/self/task")
_MAIN, _COMPRESSION, _XLA, _OTHERS, _SAMPLER = "main", "compression", "XLA", "other threads", "sampler"
KINDS = (_MAIN, _COMPRESSION, _XLA, _OTHERS)


class Sampler(threading.Thread):
    """Looks until it is stopped.

    Attributes
    ----------
    wall_s, cpu_s
        Seconds of the main thread, and processor seconds of all threads meanwhile, by stage.
    timeline
        Every 0.1 s: seconds since the start, stage of the main thread, and processor seconds since the last
        reading of each of :data:`KINDS`.
    programs
        How often XLA was asked for a program, and how often the cache on disk had it.
    """

    def __init__(self) -> None:
        super().__init__(name=_SAMPLER, daemon=True)
        self.wall_s: defaultdict[str, float] = defaultdict(float)
        self.cpu_s: defaultdict[str, float] = defaultdict(float)
        self.programs: Counter[str] = Counter()
        self.timeline: list[tuple[float, str, dict[str, float]]] = []
        self._main = threading.main_thread().ident
        self._stopping = threading.Event()
        self._listening = False
        self._kinds: dict[int, str] = {}
        self._last_cpu_s: dict[int, float] = {}

    def run(self) -> None:
        """Look until told to stop."""
        started = last = time.perf_counter()
        looks = 0
        recent: defaultdict[str, float] = defaultdict(float)
        self._read_processor_times(sys._current_frames())
        while not self._stopping.wait(INTERVAL_S):
            frames, now = sys._current_frames(), time.perf_counter()
            stage = stage_of(frames.get(self._main or 0))
            recent[stage] += now - last
            last, looks = now, looks + 1
            if looks % _LOOKS_PER_READING == 0:
                self._note(now - started, recent, self._read_processor_times(frames))
                recent = defaultdict(float)
                self._listen()
        self._note(last - started, recent, self._read_processor_times(sys._current_frames()))

    def stop(self) -> None:
        """End, with what was seen so far."""
        self._stopping.set()
        self.join()

    @property
    def seen(self) -> dict[str, Any]:
        """Everything that was seen, for JSON."""
        asked, fetched = self.programs["asked"], self.programs["fetched"]
        return {
            "wall_s": self.wall_s,
            "cpu_s": self.cpu_s,
            "timeline": self.timeline,
            "programs": {"compiled": asked - fetched, "fetched": fetched},
        }

    def _note(self, at_s: float, recent: dict[str, float], used_s: dict[str, float]) -> None:
        """Share the processor time since the last reading among the stages seen since."""
        total_s = sum(recent.values())
        for stage, seconds in recent.items():
            self.wall_s[stage] += seconds
            self.cpu_s[stage] += sum(used_s.values()) * seconds / total_s
        if recent:
            self.timeline.append((at_s, max(recent, key=recent.__getitem__), used_s))

    def _read_processor_times(self, frames: dict[int, FrameType]) -> dict[str, float]:
        """Processor seconds since the last call, by kind of thread."""
        python = {thread.native_id: thread for thread in threading.enumerate()}
        used_s = dict.fromkeys(KINDS, 0.0)
        for task in _TASKS.iterdir():
            number = int(task.name)
            try:
                cpu_s = int((task / "schedstat").read_text().split()[0]) / 1e9
                # A thread may have been seen before it was doing anything.
                if self._kinds.get(number, _OTHERS) == _OTHERS:
                    self._kinds[number] = _kind((task / "comm").read_text(), python.get(number), frames)
            except OSError:
                continue  # It has ended.
            kind = self._kinds[number]
            if kind != _SAMPLER:
                used_s[kind] += cpu_s - self._last_cpu_s.get(number, 0.0)
            self._last_cpu_s[number] = cpu_s
        return used_s

    def _listen(self) -> None:
        """Have JAX tell of its programs, once somebody has loaded it: its settings are read when it is loaded."""
        monitoring = sys.modules.get("jax.monitoring")
        if self._listening or monitoring is None or not hasattr(monitoring, "register_event_duration_secs_listener"):
            return
        monitoring.register_event_duration_secs_listener(self._hear_duration)
        monitoring.register_event_listener(self._hear)
        self._listening = True

    def _hear_duration(self, event: str, _: float, **__: object) -> None:
        self.programs["asked"] += event == "/jax/core/compile/backend_compile_duration"

    def _hear(self, event: str, **_: object) -> None:
        self.programs["fetched"] += event == "/jax/compilation_cache/cache_hits"


def _kind(system_name: str, thread: threading.Thread | None, frames: dict[int, FrameType]) -> str:
    """Which kind of thread one is."""
    if thread is None:
        return _XLA if system_name.startswith("tf_") else _OTHERS
    if thread is threading.main_thread():
        return _MAIN
    if thread.name == _SAMPLER:
        return _SAMPLER
    frame = frames.get(thread.ident or 0)
    while frame is not None:
        if "igzip_threaded" in frame.f_code.co_filename:
            return _COMPRESSION
        frame = frame.f_back
    return _OTHERS
