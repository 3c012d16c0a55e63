"""When the device computed, from JAX's own profiler."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import jax
import numpy as np

Span = tuple[float, float]
"""Begin and end in seconds."""

# Programs on a CPU run under this event, the parts of one on several threads; a GPU has a plane of its own.
_CPU_EVENT, _GPU_PLANE = "ThunkExecutor::Execute", "/device:GPU"


@dataclass(frozen=True)
class Trace:
    """What a profile holds.

    Attributes
    ----------
    computing
        When at least one thread or stream of the device computed: spans in order that do not overlap.
    named
        Spans of every other event of the host, by name; of one inside of another of its name, only the outer.
    """

    computing: tuple[Span, ...]
    named: dict[str, list[Span]]

    def busy_s(self, window: Span) -> float:
        """Seconds of a window in which the device computed."""
        return sum(max(0.0, min(end, window[1]) - max(begin, window[0])) for begin, end in self.computing)


@contextmanager
def profiled() -> Iterator[Callable[[], Trace]]:
    """Profile the block; afterwards the value gives the trace."""
    options = jax.profiler.ProfileOptions()
    options.python_tracer_level, options.host_tracer_level = 0, 1
    traces: list[Trace] = []
    with TemporaryDirectory() as folder:
        jax.profiler.start_trace(folder, profiler_options=options)
        try:
            yield lambda: traces[0]
        finally:
            jax.profiler.stop_trace()
        (path,) = Path(folder).rglob("*.xplane.pb")
        traces.append(_read(jax.profiler.ProfileData.from_file(str(path))))


def _read(profile: Any) -> Trace:
    computing: list[Span] = []
    named: dict[str, list[Span]] = {}
    for plane in profile.planes:
        for event in (event for line in plane.lines for event in line.events):
            span = (event.start_ns / 1e9, event.end_ns / 1e9)
            if plane.name.startswith(_GPU_PLANE) or event.name.startswith(_CPU_EVENT):
                computing.append(span)
            else:
                named.setdefault(event.name, []).append(span)
    return Trace(tuple(_joined(computing)), {name: list(_joined(spans)) for name, spans in named.items()})


def _joined(spans: list[Span]) -> Iterator[Span]:
    """Spans in order, those that overlap as one."""
    if not spans:
        return
    begins, ends = np.array(sorted(spans)).T
    latest = np.maximum.accumulate(ends)
    new = np.flatnonzero(np.r_[True, begins[1:] > latest[:-1]])
    for first, last in zip(new, np.r_[new[1:], len(begins)] - 1, strict=True):
        yield float(begins[first]), float(latest[last])
