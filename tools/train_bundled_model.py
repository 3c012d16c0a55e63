r"""Train the bundled ``neuralfield-sim`` on simulated people and write its bundle and card.

    python tools/train_bundled_model.py --work-dir /tmp/training

Simulated people are kept in the work directory: a start that was stopped goes on where it was. Other
``--first-seed``s give other people. What the benchmarks measure on further people and on real EEG goes on the card::

    python benchmarks/model_quality.py --work-dir /tmp/quality --json /tmp/quality.json
    python benchmarks/real_eeg.py --eegmat FOLDER --json /tmp/real.json
    python tools/train_bundled_model.py --work-dir /tmp/training --quality /tmp/quality.json --real /tmp/real.json \\
        --card-only
"""

from __future__ import annotations

import argparse
import json
import logging
import platform
import time
from pathlib import Path
from typing import Any

from model_card import quality_section, real_section, reliability_section

from bids_eeg2fmri import __version__
from bids_eeg2fmri.eeg.spectra import BANDS_HZ, HOP_S, HOPS_PER_WINDOW
from bids_eeg2fmri.learning.fit import fit_neuralfield
from bids_eeg2fmri.learning.people import People, Person
from bids_eeg2fmri.learning.simulated_people import simulate_people
from bids_eeg2fmri.network.bundle import load_bundle, save_bundle
from bids_eeg2fmri.network.neuralfield import NeuralFieldConfig

DESTINATION = Path(__file__).resolve().parents[1] / "bids_eeg2fmri" / "assets" / "models" / "neuralfield-sim"
# The benchmarks' people begin at 70,000.
FIRST_SEED, SELECTION_OFFSET, CALIBRATION_OFFSET = 10_000, 10_000, 20_000
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
        training=people(arguments.first_seed, arguments.people, "Training people"),
        selection=people(arguments.first_seed + SELECTION_OFFSET, arguments.selection, "Selection people"),
        calibration=people(arguments.first_seed + CALIBRATION_OFFSET, arguments.calibration, "Calibration people"),
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
                "selection": arguments.selection,
                "calibration": arguments.calibration,
            },
            "command": "python tools/train_bundled_model.py "
            f"--people {arguments.people} --selection {arguments.selection} --calibration {arguments.calibration} "
            f"--first-seed {arguments.first_seed}",
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
    quality, real = (None if path is None else _read(path) for path in (arguments.quality, arguments.real))
    for measured in (quality, real):
        said = None if measured is None else measured.get("measured", measured.get("model"))["sha256"]
        if said not in (None, bundle.sha256):
            raise SystemExit(f"The scores are those of other weights ({said[:12]}, not {bundle.sha256[:12]}).")
    if quality is not None:
        metadata["scores"] = {name: quality[name] for name in ("measured", "r", "recordings", "targets")}
    training = metadata["training"]
    card = CARD.read_text("utf-8").format(
        name=bundle.name,
        version=bundle.version,
        sha256=bundle.sha256,
        people=", ".join(f"{count} for {purpose}" for purpose, count in training["people"].items()),
        command=training["command"],
        minutes=", ".join(f"{stage} {minutes:g}" for stage, minutes in training["minutes"].items()),
        machine=training["machine"],
        quality=quality_section(quality),
        real=real_section(real),
        held_out=training["people"]["selection"] + training["people"]["calibration"],
        reliability=reliability_section(metadata["reliability"]),
    )
    save_description(arguments.out, metadata)
    (arguments.out / "MODEL_CARD.md").write_text(card, "utf-8")


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return content


def save_description(folder: Path, metadata: dict[str, Any]) -> None:
    """Write ``model.json`` again."""
    (folder / "model.json").write_text(json.dumps(metadata, indent=2, ensure_ascii=False) + "\n", "utf-8")


def main() -> None:
    """Train, then write the card."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work-dir", type=Path, required=True)
    parser.add_argument("--people", type=int, default=240)
    parser.add_argument("--selection", type=int, default=36, help="people who choose penalties and fit the noise")
    parser.add_argument("--calibration", type=int, default=48, help="people who calibrate the intervals")
    parser.add_argument("--first-seed", type=int, default=FIRST_SEED, help="of the training people; others follow")
    parser.add_argument(
        "--earlier-minutes", type=float, default=0.0, help="what simulating took in earlier starts, for the card"
    )
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, default=DESTINATION)
    parser.add_argument("--quality", type=Path, help="JSON of benchmarks/model_quality.py")
    parser.add_argument("--real", type=Path, help="JSON of benchmarks/real_eeg.py")
    parser.add_argument("--card-only", action="store_true")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    logging.getLogger("jax").setLevel(logging.WARNING)
    if not arguments.card_only:
        train(arguments)
    write_card(arguments)


if __name__ == "__main__":
    main()
