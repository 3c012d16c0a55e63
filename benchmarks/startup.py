"""How long the command takes before it has anything to do, and what it loads.

    python -m benchmarks.startup

`--help`; `participant` on one recording of a minute, with no cache of compiled programs and with one; and the seconds
that importing takes in such a run, by package (`python -X importtime`).
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from benchmarks.measuring import Run, markdown_table, page, require_success, run_measured, save
from benchmarks.noise_dataset import write_dataset

_COMMAND = "python -m benchmarks.startup --save docs/performance"
_IMPORT_LINE = re.compile(r"^import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)$", re.MULTILINE)
_N_HEAVIEST = 5
_OWN = "bids_eeg2fmri"
_STANDARD = "standard library"
_REASONS = {
    "scipy": "filters of the EEG (`scipy.signal`, which brings `scipy.stats` along), sampling of images "
    "(`scipy.ndimage`), non-negative least squares",
    "jax": "compiles and runs the network",
    "flax": "the network's layers and their parameters (`flax.nnx`; `flax` always loads `flax.linen` as well)",
    "optax": "loaded by `flax.nnx`; training uses it",
    "matplotlib": "figures of the report",
    "pandas": "tables of confounds, events and parcels, and the atlas' own",
    "mne": "reads EEG formats, knows standard montages",
    "numpy": "all arrays",
    "nibabel": "reads and writes NIfTI",
    "jaxlib": "the compiler and runtime under JAX",
    "nilearn": "confounds of measured BOLD",
    "sklearn": "loaded by nilearn",
    "jinja2": "pages of the report",
    "PIL": "pictures in the report's figures",
    _OWN: "the program itself",
    _STANDARD: "modules of Python that all of these use",
}


def main() -> None:
    """Print the tables, and write them if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5, help="runs of each kind (default: 5)")
    parser.add_argument("--save", type=Path, metavar="DIR", help="write startup.md here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        text = page("Start-up", _COMMAND, *_measured(Path(folder), options.repeats))
    save(text, None if options.save is None else options.save / "startup.md")


def _measured(folder: Path, repeats: int) -> tuple[str, ...]:
    dataset = folder / "in"
    write_dataset(dataset, 60.0, 32)
    helped = [_run("--help") for _ in range(repeats)]
    cold = [_participant(folder, dataset, folder / f"work{index}") for index in range(repeats)]
    warm = [_participant(folder, dataset, folder / "work0") for _ in range(repeats)]
    profiled = [_participant(folder, dataset, folder / "work0", "-X", "importtime") for _ in range(repeats)]
    rows = (("`--help`", helped), ("`participant`, nothing compiled yet", cold), ("`participant` again", warm))
    times = markdown_table(
        ("", "seconds", "processor s", "peak memory, MB"), [(name, *_medians(runs)) for name, runs in rows]
    )
    intro = f"One recording of 1 minute and 32 channels, images at 2 mm; medians of {repeats} runs."
    return (intro, times, *_imports([seconds_by_package(run.output) for run in profiled]))


def _run(*arguments: object, python: Sequence[str] = (), env: Mapping[str, str] | None = None) -> Run:
    return require_success(run_measured([sys.executable, *python, "-m", "bids_eeg2fmri", *arguments], env))


def _participant(folder: Path, dataset: Path, work: Path, *python: str) -> Run:
    # As the program sets them, whatever the environment of the benchmark says.
    caches = {"JAX_COMPILATION_CACHE_DIR": str(work / "jax-cache"), "MPLCONFIGDIR": str(work / "matplotlib")}
    return _run(dataset, folder / "out", "participant", "--overwrite", "-w", work, python=python, env=caches)


def _medians(runs: list[Run]) -> tuple[float, float, int]:
    peak_bytes = median(run.peak_rss_bytes for run in runs)
    return median(run.seconds for run in runs), median(run.cpu_s for run in runs), round(peak_bytes / 1e6)


def seconds_by_package(output: str) -> dict[str, float]:
    """Seconds of importing, without what a module imports itself, by top-level package.

    Parameters
    ----------
    output
        What ``python -X importtime`` printed, between any other lines.
    """
    seconds: dict[str, float] = {}
    for microseconds, module in _IMPORT_LINE.findall(output):
        top = module.partition(".")[0]
        name = _STANDARD if top in sys.stdlib_module_names else top
        seconds[name] = seconds.get(name, 0.0) + int(microseconds) / 1e6
    return seconds


def _imports(profiles: list[dict[str, float]]) -> tuple[str, str]:
    names = {name for profile in profiles for name in profile}
    middle = {name: median(profile.get(name, 0.0) for profile in profiles) for name in names}
    total_s = median(sum(profile.values()) for profile in profiles)
    heaviest = sorted(names, key=lambda name: -middle[name])[:_N_HEAVIEST]
    rows = [(f"`{name}`", middle[name], _REASONS.get(name, "")) for name in heaviest]
    rest_s = total_s - sum(middle[name] for name in heaviest)
    table = markdown_table(("package", "seconds", "why"), [*rows, (f"{len(names) - len(rows)} others", rest_s, "")])
    return f"Importing takes {total_s:.1f} s of such a run; the packages that take most of it, by themselves:", table


if __name__ == "__main__":
    main()
