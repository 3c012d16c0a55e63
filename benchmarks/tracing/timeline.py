"""A picture of who worked when."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.measuring.plots import figure_file, new_figure

from .sampler import KINDS
from .stages import MEANING

_STEP_S = 0.1


def draw_timeline(timeline: list[tuple[float, str, dict[str, float]]], path: Path) -> None:
    """Draw cores in use over time by kind of thread, above the stage of the main thread, as SVG.

    Parameters
    ----------
    timeline
        Of :class:`.Sampler`.
    path
        The file.
    """
    ends_s = np.array([0.0, *(at_s for at_s, _, _ in timeline)])
    used_s = np.array([[used[kind] for kind in KINDS] for _, _, used in timeline])
    edges_s = np.arange(0, ends_s[-1] + _STEP_S, _STEP_S)
    total_s = np.concatenate([np.zeros((1, len(KINDS))), np.cumsum(used_s, axis=0)])
    busy = np.diff([[np.interp(edge, ends_s, column) for column in total_s.T] for edge in edges_s], axis=0) / _STEP_S
    figure, (cores, stages) = new_figure(9, 4.6, rows=2, heights=(1, 1))
    cores.stackplot(edges_s[:-1] + _STEP_S / 2, busy.T, labels=KINDS)
    cores.set_ylabel("cores in use")
    cores.legend(loc="upper left", bbox_to_anchor=(1, 1))
    names = [name for name in MEANING if any(stage == name for _, stage, _ in timeline)]
    spells = [(start, at_s, stage) for start, (at_s, stage, _) in zip(ends_s[:-1], timeline, strict=True)]
    for place, name in enumerate(names):
        spans = [(start, end - start) for start, end, stage in spells if stage == name]
        stages.broken_barh(spans, (len(names) - place - 0.9, 0.8))
    stages.set_yticks([len(names) - place - 0.5 for place in range(len(names))], names)
    stages.set_ylabel("main thread")
    stages.set_xlabel("seconds since the start")
    stages.sharex(cores)
    figure_file(figure, path, "Cores in use by kind of thread, and the stage of the main thread, over one run.")
