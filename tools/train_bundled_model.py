"""Train the bundled ``neuralfield-sim`` on simulated people and write its bundle and card.

    python tools/train_bundled_model.py --work-dir /tmp/training --people 240

Simulated people are kept in the work directory and reused. Scores on further people, beside the baselines, are
measured by ``benchmarks/simulated_scores.py``; give its ``--json`` file as ``--scores`` to put them on the card::

    python benchmarks/simulated_scores.py --work-dir /tmp/training --json /tmp/scores.json
    python tools/train_bundled_model.py --work-dir /tmp/training --scores /tmp/scores.json --card-only
"""

from __future__ import annotations

import argparse
import json
import logging
import platform
import time
from pathlib import Path
from typing import Any

from bids_eeg2fmri import __version__
from bids_eeg2fmri.eeg.spectra import BANDS_HZ, HOP_S, HOPS_PER_WINDOW
from bids_eeg2fmri.learning.fit import fit_neuralfield
from bids_eeg2fmri.learning.people import People, Person
from bids_eeg2fmri.learning.simulated_people import simulate_people
from bids_eeg2fmri.network.bundle import load_bundle, save_bundle
from bids_eeg2fmri.network.neuralfield import NeuralFieldConfig

DESTINATION = Path(__file__).resolve().parents[1] / "bids_eeg2fmri" / "assets" / "models" / "neuralfield-sim"
TRAINING_SEED, SELECTION_SEED, CALIBRATION_SEED = 10_000, 20_000, 30_000
CARD = Path(__file__).with_name("model_card.md")


def train(arguments: argparse.Namespace) -> None:
    """Simulate, fit and write the bundle."""
    started = time.perf_counter()
    config = NeuralFieldConfig()
    simulate = {"config": config, "processes": arguments.processes}

    def people(first: int, count: int, description: str) -> list[Person]:
        # One cap that most laboratories know and one drawn at random for every person.
        paths = simulate_people(
            arguments.work_dir, range(first, first + count), (64, None), description=description, **simulate
        )
        return [(path,) for path in paths]

    groups = People(
        training=people(TRAINING_SEED, arguments.people, "Training people"),
        selection=people(SELECTION_SEED, arguments.held_out, "Selection people"),
        calibration=people(CALIBRATION_SEED, arguments.held_out, "Calibration people"),
    )
    simulated = time.perf_counter()
    network, fitted = fit_neuralfield(groups, config)
    metadata: dict[str, Any] = {
        "name": "neuralfield-sim",
        "version": __version__,
        "license": "CC0-1.0",
        "features": {"bands_hz": BANDS_HZ, "hop_s": HOP_S, "window_s": HOP_S * HOPS_PER_WINDOW},
        "targets": {"units": "BOLD standardised over time", "start_time_s": 0.0},
        "training": {
            "datasets": ["Simulated people of bids-eeg2fmri-phantom; no recorded data"],
            "people": {
                "training": arguments.people,
                "selection": arguments.held_out,
                "calibration": arguments.held_out,
            },
            "command": "python tools/train_bundled_model.py "
            f"--people {arguments.people} --held-out {arguments.held_out}",
            "minutes": {
                "simulation": round(arguments.earlier_minutes + (simulated - started) / 60, 1),
                "fit": round((time.perf_counter() - simulated) / 60, 1),
            },
            "machine": f"{arguments.processes} processes, {platform.machine()}, Python {platform.python_version()}",
        },
        **fitted,
        "scores": None,
    }
    save_bundle(arguments.out, network, metadata, "")


def write_card(arguments: argparse.Namespace) -> None:
    """Write the card, and the scores into the description, without touching the weights."""
    bundle = load_bundle(str(arguments.out))
    metadata = bundle.metadata
    table, measured = "Not measured yet.", {"people": 0, "training": 0, "own_people": 0}
    if arguments.scores:
        scores = json.loads(arguments.scores.read_text("utf-8"))
        metadata["scores"] = {"measured": scores["measured"], "table": scores["table"]}
        table, measured = scores["markdown"].strip(), scores["measured"]
    training = metadata["training"]
    card = CARD.read_text("utf-8").format(
        version=bundle.version,
        sha256=bundle.sha256,
        people=", ".join(f"{count} for {purpose}" for purpose, count in training["people"].items()),
        command=training["command"],
        minutes=", ".join(f"{stage} {minutes:g}" for stage, minutes in training["minutes"].items()),
        machine=training["machine"],
        penalty=metadata["penalty"],
        field_r2=metadata["field_r2"],
        table=table,
        measured=measured,
    )
    save_description(arguments.out, metadata)
    (arguments.out / "MODEL_CARD.md").write_text(card, "utf-8")


def save_description(folder: Path, metadata: dict[str, Any]) -> None:
    """Write ``model.json`` again."""
    (folder / "model.json").write_text(json.dumps(metadata, indent=2, ensure_ascii=False) + "\n", "utf-8")


def main() -> None:
    """Train, then write the card."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work-dir", type=Path, required=True)
    parser.add_argument("--people", type=int, default=240)
    parser.add_argument("--held-out", type=int, default=24, help="people for selection, and as many for calibration")
    parser.add_argument(
        "--earlier-minutes", type=float, default=0.0, help="what simulating took in earlier starts, for the card"
    )
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, default=DESTINATION)
    parser.add_argument("--scores", type=Path)
    parser.add_argument("--card-only", action="store_true")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    logging.getLogger("jax").setLevel(logging.WARNING)
    if not arguments.card_only:
        train(arguments)
    write_card(arguments)


if __name__ == "__main__":
    main()
