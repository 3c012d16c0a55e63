"""Whether a model earns its place and knows what it does not know, on simulated people that training never saw.

    python benchmarks/model_quality.py --work-dir /tmp/quality --json quality.json --figure quality.png
    python benchmarks/model_quality.py --work-dir /tmp/quality --quick

Prints every score beside every baseline, then every target, and last ``N of M targets hold``. Everything is simulated:
5 minutes at a repetition time of 2 s and 128 Hz; r is against the noise-free truth of the parcels, coverage and CRPS
against the noisy BOLD; climatology is N(0, sd) with the sd of people who were not tested. A person's sources are
simulated once and projected to all caps. Controls, corrupted EEG and the transfer generator have 64 channels. Ridges
are fitted on people of their own, cap by cap: ``--ridge-people`` as many as the model had gives them the same chance.
What does not depend on the model stays in the work directory, so that another bundle is scored in minutes.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.quality import conditions as c
from benchmarks.quality.baselines import Fitted
from benchmarks.quality.cache import digest
from benchmarks.quality.figure import draw
from benchmarks.quality.people import PARTS, make_ridge_person, make_test_person
from benchmarks.quality.people_scores import PeopleScores
from benchmarks.quality.pool import each
from benchmarks.quality.scoring import score_person
from benchmarks.quality.table import as_json, report
from benchmarks.quality.targets import all_targets
from bids_eeg2fmri.network.bundle import load_bundle
from bids_eeg2fmri.network.neuralfield import NeuralFieldConfig

# Seeds of people that no training script uses.
TEST_SEED, RIDGE_SEED, PENALTY_SEED, TRANSFER_SEED = 70_000, 80_000, 90_000, 910_000
PEOPLE, RIDGE_PEOPLE = 40, 120
QUICK_PEOPLE, QUICK_RIDGE_PEOPLE = 6, 12


def simulated_people(folder: Path, count: int, config: NeuralFieldConfig, processes: int) -> list[dict[str, Path]]:
    """Files of the test people by condition, simulated where they are missing."""
    folder.mkdir(parents=True, exist_ok=True)
    kind = digest(config)
    people, tasks = [], []
    for number in range(count):
        paths = {}
        for part in PARTS:
            seed = (TRANSFER_SEED if part == c.TRANSFER else TEST_SEED) + number
            paths[part] = folder / f"test-{seed}_{part.replace(' ', '-')}_{kind}.npz"
            if not paths[part].exists():
                tasks.append((paths[part], seed, part, config))
        people.append(paths)
    for _ in each(make_test_person, tasks, processes, "Test people"):
        pass
    return people


def ridge_people(folder: Path, seeds: Sequence[int], config: NeuralFieldConfig, processes: int) -> list[Path]:
    """Files of the baselines' people, simulated where they are missing."""
    kind = digest(config)
    paths = [folder / f"ridge-{seed}_{kind}.npz" for seed in seeds]
    tasks = [(path, seed, config) for path, seed in zip(paths, seeds, strict=True) if not path.exists()]
    for _ in each(make_ridge_person, tasks, processes, "People for the baselines"):
        pass
    return paths


def measure(model: str, folder: Path, n_people: int, n_ridge: int, processes: int) -> PeopleScores:
    """Scores of all test people."""
    config = load_bundle(model).network.config
    people = simulated_people(folder, n_people, config, processes)
    n_penalty = max(n_ridge // 10, 4)
    fitted = Fitted.on(
        ridge_people(folder, range(RIDGE_SEED, RIDGE_SEED + n_ridge), config, processes),
        ridge_people(folder, range(PENALTY_SEED, PENALTY_SEED + n_penalty), config, processes),
    )
    tasks = [(paths, model, fitted) for paths in people]
    return PeopleScores(list(each(score_person, tasks, processes, "Scores")))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="neuralfield-sim", help="name or folder of a bundle")
    parser.add_argument("--people", type=int, help=f"test people, {PEOPLE} by default")
    parser.add_argument("--ridge-people", type=int, help=f"people for the baselines, {RIDGE_PEOPLE} by default")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_PEOPLE} and {QUICK_RIDGE_PEOPLE} people")
    parser.add_argument("--processes", type=int, default=2, help="processes of one thread each")
    parser.add_argument("--work-dir", type=Path, required=True, help="where simulated people are kept")
    parser.add_argument("--json", type=Path, help="also write the scores here")
    parser.add_argument("--figure", type=Path, help="also draw coverage and correlations here")
    arguments = parser.parse_args()
    n_people = arguments.people or (QUICK_PEOPLE if arguments.quick else PEOPLE)
    n_ridge = arguments.ridge_people or (QUICK_RIDGE_PEOPLE if arguments.quick else RIDGE_PEOPLE)
    scores = measure(arguments.model, arguments.work_dir, n_people, n_ridge, arguments.processes)
    targets = all_targets(scores)
    if arguments.json:
        bundle = load_bundle(arguments.model)
        measured = {"model": bundle.name, "sha256": bundle.sha256, "people": n_people, "ridge_people": n_ridge}
        text = json.dumps(as_json(scores, targets, measured), indent=2, ensure_ascii=False)
        arguments.json.write_text(text + "\n", "utf-8")
    if arguments.figure:
        draw(scores, arguments.figure)
    print(report(scores, targets))


if __name__ == "__main__":
    main()
