"""Steps a second of both networks as ``train`` runs them, how busy they keep the device, and simulated people a minute.

    python -m benchmarks.training

Both networks train on the phantom: a few people of two minutes on 64 electrodes, cold cache of programs, one process
each. When the device computed is read from JAX's profile. People are simulated as training examples (five minutes, one
cap of 64 electrodes), in one process and in two, and as files of a BIDS dataset.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.measuring import given_command, markdown_table, median_of, page, require_success, run_measured, save

_PEOPLE, _DURATION_S = 5, 120.0
# Of whom each process simulates one while it compiles.
_FEW = 2
_SPLIT = ("--validation-participants", "03", "--test-participants", "04", "05")
_NETWORKS = ("neuralfield", "calhas2022")
# By the function that a descent makes small; of the fields, the first fit is that of the network's own.
_MEANING = {
    "of_batch": "calhas2022: weights",
    "_error": "neuralfield: what the posterior of the slow state assumes",
    "_error_of_some": "neuralfield: maps",
    "_surprise_of_some": "neuralfield: noise of voxels",
    "_parcel_surprise": "neuralfield: noise of parcels",
}
_AGAIN = {
    "_error_of_some": "neuralfield: mean of the reliability",
    "_surprise_of_some": "neuralfield: spread of the reliability",
}


def watch_training(network: str, folder: Path) -> dict[str, Any]:
    """Train a network in a process of its own; what was seen of it."""
    seen = folder / f"{network}.json"
    argv = [sys.executable, "-m", "benchmarks.trainings.watched_fit", seen, folder / "in", folder / network, "train"]
    options = ["--network", network, *_SPLIT, "--work-dir", folder / f"work-{network}"]
    if network == "calhas2022":
        options += ["--epochs", "1"]
    require_success(run_measured([*argv, *options]))
    facts: dict[str, Any] = json.loads(seen.read_text("utf-8"))
    return facts


def steps_table(seen: list[dict[str, Any]]) -> str:
    """Every descent: steps a second, cores in use, how busy the device was, and how long it had to wait for data."""
    rows: list[list[object]] = []
    for steps in (steps for facts in seen for steps in facts["steps"]):
        seconds = steps["seconds"]
        name = _MEANING[steps["name"]]
        if any(name == row[0] for row in rows):
            name = _AGAIN[steps["name"]]
        one_program = steps["busy_s"] is None
        busy, waited = (
            ("one program", "none") if one_program else (steps[key] / seconds for key in ("busy_s", "waited_s"))
        )
        rows.append(
            [name, steps["count"], steps["count"] / seconds, steps["cpu_s"] / seconds, _percent(busy), _percent(waited)]
        )
    header = ["gradient descent", "steps", "steps/s", "cores in use", "device computes", "waits for data"]
    return markdown_table(header, rows)


def _percent(share: float | str) -> str:
    return share if isinstance(share, str) else f"{100 * share:.1f} %"


def fits_table(seen: list[dict[str, Any]]) -> str:
    """Seconds of whole fits."""
    rows = []
    for network, facts in zip(_NETWORKS, seen, strict=True):
        descents_s = sum(each["seconds"] for each in facts["steps"])
        rows.append([network, facts["read_s"], facts["fit_s"], descents_s, _percent(descents_s / facts["fit_s"])])
    return markdown_table(["whole fit", "reading recordings, s", "fit, s", "gradient descent, s", "share"], rows)


def examples_table(folder: Path, n_people: int) -> str:
    """Training examples of simulated people, by processes: what starting takes is told by a few people alone."""
    rows = []
    for processes in (1, 2):
        few_s, many_s = (_simulate(folder, count, processes) for count in (_FEW, _FEW + n_people))
        name = f"{processes} process{'es' if processes > 1 else ''}"
        rate = 60 * n_people / (many_s - few_s)
        rows.append([name, few_s - 60 * _FEW / rate, (many_s - few_s) / n_people, rate])
    return markdown_table(["training examples", "start, s", "s per person more", "people/min"], rows)


def _simulate(folder: Path, n_people: int, processes: int) -> float:
    """Seconds for so many people, whom nobody has simulated yet."""
    from bids_eeg2fmri.learning.simulated_people import simulate_people
    from bids_eeg2fmri.network.neuralfield import NeuralFieldConfig

    started = time.perf_counter()
    target = folder / f"examples-{processes}-{n_people}"
    simulate_people(target, range(n_people), (64,), NeuralFieldConfig(), tr_s=2.0, processes=processes)
    return time.perf_counter() - started


def files_table(folder: Path) -> str:
    """Files of a dataset: one person of five minutes, 64 electrodes, 3 mm."""
    from bids_eeg2fmri.phantom.dataset import write_dataset
    from bids_eeg2fmri.phantom.request import Request

    timing = median_of(lambda: write_dataset(Request(folder / "files", duration_s=300.0, overwrite=True)))
    row = ["1 process, median of 5", timing.median_s, timing.median_cpu_s, 60 / timing.median_s]
    return markdown_table(["BIDS dataset", "s per person", "processor s", "people/min"], [row])


def main() -> None:
    """Run everything and print a page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=8, help="simulated people for the rate of examples")
    parser.add_argument("--save", type=Path, help="file for the page")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write_people(folder / "in")
        seen = [watch_training(network, folder) for network in _NETWORKS]
        parts = [steps_table(seen), fits_table(seen), examples_table(folder, options.people), files_table(folder)]
    save(page("Training", given_command(), *parts), options.save)


def _write_people(dataset: Path) -> None:
    from bids_eeg2fmri.phantom.dataset import write_dataset
    from bids_eeg2fmri.phantom.request import Request

    write_dataset(Request(dataset, participants=_PEOPLE, duration_s=_DURATION_S, cap="64", resolution="4"))


if __name__ == "__main__":
    main()
