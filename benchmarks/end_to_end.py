"""Seconds of one recording's whole way, by stage, and how far they are from those of reading and writing alone.

    python -m benchmarks.end_to_end

Ten minutes of 64 channels at 250 Hz become 300 volumes at 2 mm. The stages are told by a thread that looks at the
program's stacks every 10 ms; every run is a process of its own. The floor is what cannot be spared: reading the
signals, and giving the numbers of the images to the compressor that the program uses. Beside it stands what a program
takes that loads the libraries and does nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.measuring import (
    Run,
    Timing,
    given_command,
    markdown_table,
    page,
    ratio,
    require_success,
    run_measured,
    save,
)
from benchmarks.noise_dataset import write_dataset
from benchmarks.tracing.floor import reading_floor, writing_floor
from benchmarks.tracing.stages import MEANING
from benchmarks.tracing.timeline import draw_timeline

_OUTSIDE = "interpreter"
_N_RECORDINGS = 10
# The heaviest libraries that the program loads; without collecting garbage, as the program does.
_LIBRARIES = ("jax", "flax.nnx", "mne", "nibabel", "scipy.signal", "scipy.ndimage", "matplotlib.figure", "jinja2")


@dataclass(frozen=True)
class Traced:
    """A run, and what was seen of it (see :class:`benchmarks.tracing.sampler.Sampler`)."""

    run: Run
    seen: dict[str, Any]

    def stages(self, which: str) -> dict[str, float]:
        """Seconds by stage (``wall_s`` or ``cpu_s``), with what the interpreter takes before and after."""
        seen = {name: self.seen[which].get(name, 0.0) for name in MEANING}
        total_s = self.run.seconds if which == "wall_s" else self.run.cpu_s
        return {**seen, _OUTSIDE: total_s - sum(seen.values())}


class Bench:
    """A dataset with many people, and runs over some of them with one cache of programs."""

    def __init__(self, folder: Path, options: argparse.Namespace) -> None:
        self.dataset, self.output, self._work = folder / "in", folder / "out", folder / "work"
        self._seen, self._options = folder / "seen.json", options
        write_dataset(self.dataset, 60.0 * options.minutes, options.channels, n_people=_N_RECORDINGS)

    def run(self, n_people: int = 1) -> Run:
        """Run the program as users do."""
        # What an earlier run left for the system to write must not be written during this one.
        os.sync()
        return require_success(run_measured([sys.executable, "-m", "bids_eeg2fmri", *self._arguments(n_people)]))

    def trace(self) -> Traced:
        """Run the program under the sampler."""
        argv = [sys.executable, "-m", "benchmarks.tracing", self._seen, *self._arguments(1)]
        return Traced(require_success(run_measured(argv)), json.loads(self._seen.read_text("utf-8")))

    def _arguments(self, n_people: int) -> list[object]:
        space = f"MNI152NLin2009cAsym:res-{self._options.resolution}"
        labels = [f"{number:04}" for number in range(1, n_people + 1)]
        return [
            *(self.dataset, self.output, "participant", "--participant-label", *labels, "--overwrite"),
            *("--output-spaces", space, "--work-dir", self._work, "--device", self._options.device),
        ]


def stages_table(traced: Sequence[Traced], reading: Timing, writing: Timing, loading: Sequence[Run]) -> str:
    """Medians by stage, and their sum against the floor; what loading the libraries alone takes."""
    wall_s, cpu_s = (_medians([each.stages(which) for each in traced]) for which in ("wall_s", "cpu_s"))
    total_s, total_cpu_s = sum(wall_s.values()), sum(cpu_s.values())
    rows = [
        [
            name,
            seconds,
            cpu_s[name],
            f"{100 * seconds / total_s:.0f} %",
            {**MEANING, _OUTSIDE: "its start and end"}[name],
        ]
        for name, seconds in wall_s.items()
    ]
    floor_s, floor_cpu_s = (reading.median_s + writing.median_s), (reading.median_cpu_s + writing.median_cpu_s)
    rows += [
        ["**total**", total_s, total_cpu_s, "100 %", ""],
        ["floor: read", reading.median_s, reading.median_cpu_s, "", "the signals, by MNE"],
        ["floor: write", writing.median_s, writing.median_cpu_s, "", "the same bytes, by the same compressor"],
        ["**floor**", floor_s, floor_cpu_s, f"{100 * floor_s / total_s:.0f} %", ""],
    ]
    rest, rest_cpu = total_s - floor_s, total_cpu_s - floor_cpu_s
    rows.append(["everything else / floor", ratio(rest, floor_s), ratio(rest_cpu, floor_cpu_s), "", "wall, processor"])
    load_s, load_cpu_s = median(run.seconds for run in loading), median(run.cpu_s for run in loading)
    rows.append(
        ["libraries alone", load_s, load_cpu_s, "", "a program that only loads JAX, MNE, Matplotlib and others"]
    )
    rows.append(["libraries alone / floor", ratio(load_s, floor_s), ratio(load_cpu_s, floor_cpu_s), "", ""])
    return markdown_table(["stage", "wall s", "processor s", "of the wall time", ""], rows)


def processes_table(cold: Traced, warm: Sequence[Traced], plain: Sequence[Run]) -> str:
    """The first process with an empty cache, and those after it."""
    rows = []
    for name, traced in (("first, empty cache", [cold]), ("later ones, median", warm)):
        programs = [each.seen["programs"] for each in traced]
        compiled, fetched = (max(each[key] for each in programs) for key in ("compiled", "fetched"))
        rows.append([name, *_of_runs([each.run for each in traced]), compiled, fetched])
    rows.append(["later ones, not looked at", *_of_runs(plain), None, None])
    header = ["process", "wall s", "processor s", "cores busy", "peak RSS, GB", "programs compiled", "from the cache"]
    return markdown_table(header, rows)


def many_table(one: Sequence[Run], two: Sequence[Run], many: Sequence[Run]) -> str:
    """Whether each of many recordings in one process costs what a second one does."""
    one_s, two_s, many_s = (median(run.seconds for run in runs) for runs in (one, two, many))
    steady_s = two_s - one_s
    start_s = one_s - steady_s
    allowed_s = start_s + _N_RECORDINGS * steady_s * 1.1
    rows: list[list[object]] = [
        ["one recording, median", one_s, _gigabytes(one)],
        ["two recordings, median", two_s, _gigabytes(two)],
        ["so a second one costs", steady_s, None],
        ["and start-up, with the maps of the grid,", start_s, None],
        [f"allowed for {_N_RECORDINGS}: start-up + {_N_RECORDINGS} x 1.1 x the second", allowed_s, None],
        [f"{_N_RECORDINGS} recordings, median", many_s, _gigabytes(many)],
    ]
    return markdown_table(["one process", "wall s", "peak RSS, GB"], rows)


def _load_libraries() -> Run:
    return require_success(
        run_measured([sys.executable, "-c", f"import gc; gc.disable(); import {', '.join(_LIBRARIES)}"])
    )


def _of_runs(runs: Sequence[Run]) -> list[object]:
    seconds, cpu_s = median(run.seconds for run in runs), median(run.cpu_s for run in runs)
    return [seconds, cpu_s, cpu_s / seconds, _gigabytes(runs)]


def _gigabytes(runs: Sequence[Run]) -> float:
    return max(run.peak_rss_bytes for run in runs) / 1e9


def _medians(runs: Sequence[dict[str, float]]) -> dict[str, float]:
    return {name: median(run[name] for run in runs) for name in runs[0]}


def main() -> None:
    """Run everything and print a page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=int, default=10)
    parser.add_argument("--channels", type=int, default=64)
    parser.add_argument("--resolution", default="2")
    parser.add_argument("--device", default="cpu", choices=["cpu", "gpu"])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--save", type=Path, help="folder for the page and its figure")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        bench = Bench(Path(scratch), options)
        cold = bench.trace()
        warm = [bench.trace() for _ in range(options.repeats)]
        # In turn, so that a slow hour of the machine does not fall on one kind alone.
        one, two, many = zip(
            *([bench.run(count) for count in (1, 2, _N_RECORDINGS)] for _ in range(options.repeats)), strict=True
        )
        loading = [_load_libraries() for _ in range(options.repeats)]
        reading = reading_floor(next(bench.dataset.rglob("*.vhdr")), options.repeats)
        writing = writing_floor(sorted((bench.output / "sub-0001").rglob("*.nii.gz")), options.repeats)
    if options.save is not None:
        typical = sorted(warm, key=lambda each: each.run.seconds)[len(warm) // 2]
        draw_timeline(typical.seen["timeline"], options.save / "timeline.svg")
    title = f"{options.minutes} minutes of {options.channels} channels at {options.resolution} mm"
    parts = [
        stages_table(warm, reading, writing, loading),
        processes_table(cold, warm, one),
        many_table(one, two, many),
    ]
    save(page(title, given_command(), *parts), options.save and options.save / "end_to_end.md")


if __name__ == "__main__":
    main()
