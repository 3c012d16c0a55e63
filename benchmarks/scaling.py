"""Seconds and peak memory against duration, electrodes, resolution and number of recordings.

    python -m benchmarks.scaling

Every point is a process of its own, with the programs of XLA in the cache on disk. Points are repeated as often as
asked for, or as long as the time for each allows, and give the median of their times and the largest of their peaks.
Through the points goes the straight line that fits them best; what stands below a table says how far they lie from it.

    python -m benchmarks.scaling --point --minutes 120 --channels 64 --resolution 2

measures one point that is in none of the tables.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.measuring import Run, given_command, markdown_table, number, page, require_success, run_measured, save
from benchmarks.measuring.plots import figure_file, new_figure
from benchmarks.noise_dataset import write_dataset

_BRAIN_MM3 = 1_868_000


@dataclass(frozen=True)
class Size:
    """What one run has to do."""

    minutes: int = 10
    channels: int = 64
    resolution: int = 2
    recordings: int = 1

    @property
    def voxels(self) -> float:
        """Millions of voxels of a volume."""
        return _BRAIN_MM3 / self.resolution**3 / 1e6


@dataclass(frozen=True)
class Sweep:
    """Sizes that differ in one thing.

    Attributes
    ----------
    name
        Of its figure.
    title, unit
        What differs.
    work
        The number to which the time should be proportional.
    sizes
        The points, and those of ``--quick``.
    """

    name: str
    title: str
    unit: str
    work: Callable[[Size], float]
    sizes: tuple[Size, ...]
    quick: tuple[Size, ...]


SWEEPS = (
    Sweep(
        "duration",
        "Duration: 64 channels, 2 mm",
        "minutes",
        lambda size: size.minutes,
        tuple(Size(minutes=minutes) for minutes in (1, 5, 10, 30, 60, 120)),
        tuple(Size(minutes=minutes) for minutes in (1, 5, 10)),
    ),
    Sweep(
        "long",
        "Duration: 19 channels, 4 mm, up to 12 hours",
        "minutes",
        lambda size: size.minutes,
        tuple(Size(minutes, 19, 4) for minutes in (10, 60, 720)),
        tuple(Size(minutes, 19, 4) for minutes in (10, 30)),
    ),
    Sweep(
        "channels",
        "Electrodes: 10 minutes, 4 mm",
        "channels",
        lambda size: size.channels,
        tuple(Size(channels=channels, resolution=4) for channels in (19, 32, 64, 128, 256)),
        tuple(Size(channels=channels, resolution=4) for channels in (19, 64)),
    ),
    Sweep(
        "resolution",
        "Resolution: 10 minutes, 64 channels",
        "million voxels",
        lambda size: size.voxels,
        tuple(Size(resolution=resolution) for resolution in (4, 3, 2, 1)),
        tuple(Size(resolution=resolution) for resolution in (4, 3)),
    ),
    Sweep(
        "recordings",
        "Recordings of a minute, in one process: 19 channels, 4 mm",
        "recordings",
        lambda size: size.recordings,
        tuple(Size(1, 19, 4, count) for count in (1, 10, 30, 200)),
        tuple(Size(1, 19, 4, count) for count in (1, 5)),
    ),
)


@dataclass(frozen=True)
class Point:
    """The runs of one size."""

    size: Size
    runs: tuple[Run, ...]
    written_gb: float

    @property
    def seconds(self) -> float:
        """Median wall time."""
        return median(run.seconds for run in self.runs)

    @property
    def cpu_s(self) -> float:
        """Median processor time."""
        return median(run.cpu_s for run in self.runs)

    @property
    def peak_gb(self) -> float:
        """Largest peak of resident memory."""
        return max(run.peak_rss_bytes for run in self.runs) / 1e9


class Bench:
    """Runs of any size, with one cache of programs; a size is measured once."""

    def __init__(self, folder: Path, repeats: int, patience_s: float) -> None:
        self._folder, self._repeats, self._patience_s = folder, repeats, patience_s
        self._points: dict[Size, Point] = {}

    def measure(self, size: Size) -> Point:
        """Repeat a size until asked for often enough, or for too long."""
        if size in self._points:
            return self._points[size]
        self._warm(size)
        dataset, output = self._folder / "in", self._folder / "out"
        write_dataset(dataset, 60.0 * size.minutes, size.channels, n_people=size.recordings)
        runs: list[Run] = []
        started = time.perf_counter()
        while len(runs) < self._repeats and (not runs or time.perf_counter() - started < self._patience_s):
            shutil.rmtree(output, ignore_errors=True)
            runs.append(self._run(dataset, output, size.resolution))
        written_gb = sum(path.stat().st_size for path in output.rglob("*.nii.gz")) / 1e9
        for folder in (dataset, output):
            shutil.rmtree(folder)
        self._points[size] = point = Point(size, tuple(runs), written_gb)
        print(f"{size}: {point.seconds:.1f} s, {point.peak_gb:.2f} GB, {len(runs)} runs", file=sys.stderr, flush=True)
        return point

    def _warm(self, size: Size) -> None:
        """Have a short recording's programs compiled."""
        dataset, output = self._folder / "warm-in", self._folder / "warm-out"
        write_dataset(dataset, 60.0 * min(size.minutes, 2), size.channels)
        self._run(dataset, output, size.resolution)
        for folder in (dataset, output):
            shutil.rmtree(folder)

    def _run(self, dataset: Path, output: Path, resolution: int) -> Run:
        program = [sys.executable, "-m", "bids_eeg2fmri", dataset, output, "participant", "--device", "cpu"]
        options = ["--work-dir", self._folder / "work", "--output-spaces", f"MNI152NLin2009cAsym:res-{resolution}"]
        return require_success(run_measured([*program, *options]))


@dataclass(frozen=True)
class Line:
    """A straight line through points by least squares of the relative distance.

    Attributes
    ----------
    start, slope
        Value at zero, and change per unit.
    furthest
        Largest distance of a point, as a share of the line.
    """

    start: float
    slope: float
    furthest: float


def fitted_line(x: Sequence[float], y: Sequence[float]) -> Line:
    """The line through points, all of which count alike however large they are."""
    values = np.asarray(y, float)
    design = np.stack([np.ones(len(values)), np.asarray(x, float)], axis=1)
    start, slope = np.linalg.lstsq(design / values[:, None], np.ones(len(values)), rcond=None)[0]
    line = design @ [start, slope]
    return Line(float(start), float(slope), float(np.abs(values / line - 1).max()))


def section(sweep: Sweep, points: Sequence[Point]) -> str:
    """The table of a sweep and what its lines say."""
    rows = [
        [
            sweep.work(point.size),
            *(point.seconds, point.cpu_s, point.peak_gb, point.written_gb, len(point.runs)),
        ]
        for point in points
    ]
    header = [sweep.unit, "wall s", "processor s", "peak RSS, GB", "written, GB", "runs"]
    x = [sweep.work(point.size) for point in points]
    time_line, memory = (fitted_line(x, [getattr(p, which) for p in points]) for which in ("seconds", "peak_gb"))
    said = (
        f"Time: {number(time_line.start)} s + {number(time_line.slope)} s x {sweep.unit}, no point further than "
        f"{100 * time_line.furthest:.0f} % from it. Peak memory: {number(memory.start)} GB + "
        f"{number(1000 * memory.slope)} MB x {sweep.unit}."
    )
    return f"### {sweep.title}\n\n{markdown_table(header, rows)}\n\n{said}"


def draw(sweep: Sweep, points: Sequence[Point], path: Path) -> None:
    """Plot time and memory of a sweep with their lines."""
    figure, panels = new_figure(8, 2.8, columns=2)
    x = np.array([sweep.work(point.size) for point in points])
    for axes, which, label in zip(panels, ("seconds", "peak_gb"), ("wall time, s", "peak RSS, GB"), strict=True):
        values = [getattr(point, which) for point in points]
        line = fitted_line(list(x), values)
        axes.plot(x, line.start + line.slope * x, color="0.6", linewidth=1)
        axes.plot(x, values, "o")
        axes.set_xlabel(sweep.unit)
        axes.set_ylabel(label)
        axes.set_ylim(bottom=0)
    figure.suptitle(sweep.title)
    figure_file(figure, path, f"{sweep.title}: wall time and peak memory of a process, with straight lines fitted.")


def main() -> None:
    """Measure the sweeps, or one point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sweeps", nargs="+", default=[sweep.name for sweep in SWEEPS], metavar="NAME")
    parser.add_argument("--quick", action="store_true", help="few and small points")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--patience-s", type=float, default=20.0, help="a point is not repeated after so long")
    parser.add_argument("--save", type=Path, help="folder for the page and its figures")
    parser.add_argument("--point", action="store_true", help="one point of the size given by the other options")
    for name, default in vars(Size()).items():
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        bench = Bench(Path(scratch), options.repeats, options.patience_s)
        if options.point:
            point = bench.measure(replace(Size(), **{name: getattr(options, name) for name in vars(Size())}))
            print(f"{point.seconds:.1f} s, peak RSS {point.peak_gb:.2f} GB, {point.written_gb:.2f} GB written")
            return
        sections = []
        for sweep in (each for each in SWEEPS if each.name in options.sweeps):
            points = [bench.measure(size) for size in (sweep.quick if options.quick else sweep.sizes)]
            sections.append(section(sweep, points))
            if options.save is not None:
                draw(sweep, points, options.save / f"{sweep.name}.svg")
            # After every sweep: the last ones take long.
            save(page("Scaling", given_command(), *sections), options.save and options.save / "scaling.md")


if __name__ == "__main__":
    main()
