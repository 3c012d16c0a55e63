"""Time and peak resident memory over a dataset of many people: dry runs, and the group level.

    python benchmarks/scale.py --people 2000

One recording of the example dataset is run for real. Everybody else's signal file is a link to the same file, and
everybody's outputs are copies of its sidecars and of what the group page reads, with metrics and parcels varied; their
images are links. So the dry runs meet, first, a dataset where all is to do and then one where all is done.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from bids_eeg2fmri.report.panels.connectivity import decode_correlations, encode_correlations

EXAMPLE = Path(__file__).parents[1] / "examples/ds-eegmat"
_PERSON = "00"
# The system counts the memory of whoever starts a process as the process's own: somebody small has to start it.
_MEASURE = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[1:])
_, status, usage = os.wait4(process.pid, 0)
print(os.waitstatus_to_exitcode(status), usage.ru_maxrss, file=sys.stderr)
"""


def make_input(root: Path, people: list[str]) -> None:
    """A dataset with one recording per person, all of the same signals."""
    root.mkdir()
    shutil.copy(EXAMPLE / "dataset_description.json", root)
    signals = (EXAMPLE / f"sub-{_PERSON}/eeg/sub-{_PERSON}_task-rest_eeg.edf").resolve()
    for label in people:
        folder = root / f"sub-{label}/eeg"
        folder.mkdir(parents=True)
        (folder / f"sub-{label}_task-rest_eeg.edf").symlink_to(signals)
        shutil.copy(signals.with_suffix(".json"), folder / f"sub-{label}_task-rest_eeg.json")


def make_output(output: Path, first: str, people: list[str]) -> None:
    """Everybody's outputs, after those of the first person."""
    templates = [path for path in (output / f"sub-{first}").rglob("*") if path.is_file()]
    templates = [path for path in templates if path.parent.name == "func" or path.name.endswith("summary_bold.json")]
    rng = np.random.default_rng(0)
    for label in people:
        for template in templates:
            path = output / str(template.relative_to(output)).replace(f"sub-{first}", f"sub-{label}")
            path.parent.mkdir(parents=True, exist_ok=True)
            if template.suffix == ".json":
                content = json.loads(template.read_text("utf-8"))
                path.write_text(json.dumps(_varied(content, rng), indent=2), "utf-8")
            else:
                path.symlink_to(template)


def _varied(content: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """A sidecar or summary of somebody else: metrics, maps and connectivity with noise on them."""
    if isinstance(content.get("Metrics"), dict):
        content["Metrics"] = {
            name: value * float(rng.lognormal(0, 0.2)) if isinstance(value, float) else value
            for name, value in content["Metrics"].items()
        }
    for panel in content.get("panels", {}).values():
        for key, value in panel.items() if isinstance(panel, dict) else ():
            if key == "parcel_r" and isinstance(value, str):
                pairs = decode_correlations(value)
                panel[key] = encode_correlations(_matrix(np.clip(pairs + rng.normal(0, 0.2, pairs.shape), -1, 1)))
            elif key.startswith("parcel_") and isinstance(value, list):
                panel[key] = [None if number is None else number * float(rng.lognormal(0, 0.1)) for number in value]
    return content


def _matrix(pairs: np.ndarray) -> np.ndarray:
    size = round((1 + np.sqrt(1 + 8 * len(pairs))) / 2)
    matrix = np.ones((size, size))
    matrix[np.triu_indices(size, 1)] = pairs
    return matrix


def measured(what: str, *command: object) -> str:
    """Run the program, print its wall time and peak resident memory, and return what it printed."""
    started = time.perf_counter()
    inner = [sys.executable, "-m", "bids_eeg2fmri", *map(str, command)]
    done = subprocess.run([sys.executable, "-c", _MEASURE, *inner], capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - started
    code, kib = map(int, done.stderr.splitlines()[-1].split())
    print(f"{what:<40} {seconds:6.1f} s wall  {kib / 2**20:5.2f} GiB  exit {code}", flush=True)
    if code:
        raise SystemExit(done.stderr)
    return done.stdout


def require_states(text: str, state: str, n_recordings: int) -> None:
    """End the benchmark unless a dry run found so many recordings, all of them in one state."""
    found = Counter(re.findall(r"^sub-\S+  \[([^\]]+)\]$", text, re.MULTILINE))
    if found != {state: n_recordings}:
        raise SystemExit(f"{n_recordings} recordings should be {state!r}; the dry run says {dict(found)}.")


def main() -> None:
    """Make the tree, run, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=2000)
    parser.add_argument("--folder", type=Path, help="where the tree is made, and stays (default: a temporary folder)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = (arguments.folder or Path(scratch)).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        root, output, work = folder / "in", folder / "out", folder / "work"
        people = [f"{number:04}" for number in range(1, arguments.people + 1)]
        first, *others = people
        make_input(root, people)
        one = ("--participant-label", first)
        run = (root, output, "participant", "--sloppy", "--work-dir", work)
        text = measured("dry run of one person, nothing done", *run, *one, "--dry-run")
        require_states(text, "new", 1)
        text = measured(f"dry run of {len(people)} people, nothing done", *run, "--dry-run")
        require_states(text, "new", len(people))
        measured("one person, for real", *run, *one)
        make_output(output, first, others)
        text = measured("dry run of one person, all done", *run, *one, "--dry-run")
        require_states(text, "done", 1)
        text = measured(f"dry run of {len(people)} people, all done", *run, "--dry-run")
        require_states(text, "done", len(people))
        measured(f"group over {len(people)} recordings", root, output, "group", "--work-dir", work)
        print(f"group.html: {(output / 'group.html').stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
