"""Scores of a bundle on simulated people that training never saw, beside the baselines, at every standard cap.

    python benchmarks/simulated_scores.py --people 20 --training 100 --work-dir /tmp/scores

Ridges are fitted here, on simulated people of their own; with ``--own-people N``, at 64 channels, the source ridge also
on the N people that the bundled model was trained on. Everything is measured on simulations: r is against
the noise-free truth of the parcels, coverage and CRPS against the noisy BOLD.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from pathlib import Path

import numpy as np

from bids_eeg2fmri.evaluation.scores import crps_gaussian, temporal_correlation
from bids_eeg2fmri.learning.baselines import (
    BandPowerRidge,
    fixed_sign_power,
    on_one_cap,
    sensor_power,
    source_power,
)
from bids_eeg2fmri.learning.examples import Example, load_examples
from bids_eeg2fmri.learning.predict import Predictor
from bids_eeg2fmri.learning.simulated_people import simulate_people
from bids_eeg2fmri.network.bundle import Bundle, load_bundle

CAPS = (19, 32, 64, 128)
# Seeds of the people: no training script uses these.
TEST_SEED, BASELINE_SEED, SELECTION_SEED = 70_000, 80_000, 90_000
# Those of tools/train_bundled_model.py.
MODEL_TRAINING_SEED, MODEL_CAPS, MODEL_CAP = 10_000, (64, None), 64
N_SURROGATES = 200


def null_95th_percentile(predicted: np.ndarray, truth: np.ndarray, rng: np.random.Generator) -> float:
    """95th percentile of the mean parcel r when the prediction is shifted around in time."""
    shifts = rng.integers(len(truth) // 8, len(truth) - len(truth) // 8, N_SURROGATES)
    return float(np.quantile([temporal_correlation(np.roll(predicted, k, 0), truth).mean() for k in shifts], 0.95))


def score_example(
    example: Example, predict: Predictor, ridges: dict[str, BandPowerRidge], bundle: Bundle
) -> dict[str, float]:
    """Every figure of one recording."""
    config = bundle.network.config
    predicted = predict(example)
    levels = bundle.metadata["calibration"]["voxels"]
    error = np.abs(example.targets.astype(np.float32) - predicted.mean) / predicted.total_sd
    observed = example.parcel_targets
    climatology = crps_gaussian(np.zeros_like(observed), observed.std(axis=0), observed).mean()
    row = {
        "mean volume": 0.0,
        "fixed signs": temporal_correlation(fixed_sign_power(example, config), example.truth).mean(),
        **{name: temporal_correlation(ridge(example), example.truth).mean() for name, ridge in ridges.items()},
        bundle.name: temporal_correlation(predicted.parcel_mean, example.truth).mean(),
        "null 95 %": null_95th_percentile(predicted.parcel_mean, example.truth, _rng(example)),
        **{f"coverage {level}": (error <= width).mean() for level, width in levels.items()},
        "CRPS / climatology": crps_gaussian(predicted.parcel_mean, predicted.parcel_sd, observed).mean() / climatology,
    }
    return {name: float(value) for name, value in row.items()}


def _rng(example: Example) -> np.random.Generator:
    return np.random.default_rng(int(example.subject.removeprefix("sim-")))


def score_bundle(
    bundle: Bundle, work_dir: Path, n_people: int, n_training: int, n_own: int, processes: int
) -> dict[int, dict[str, float]]:
    """Mean scores over people, by cap."""
    config = bundle.network.config
    simulate = {"config": config, "tr_s": 2.0, "processes": processes}
    groups = {
        name: simulate_people(work_dir, range(first, first + count), CAPS, description=name, **simulate)
        for name, first, count in (
            ("Test people", TEST_SEED, n_people),
            ("People for the baselines", BASELINE_SEED, n_training),
            ("People for their penalties", SELECTION_SEED, max(n_training // 10, 4)),
        )
    }
    test, training, selection = groups.values()
    predict = Predictor(bundle.network)
    table: dict[int, dict[str, float]] = {}
    for cap in CAPS:
        ridges = {
            name: BandPowerRidge(features, config, on_one_cap(training, cap), on_one_cap(selection, cap))
            for name, features in (("sensor ridge", sensor_power), ("source ridge", source_power))
        }
        if cap == MODEL_CAP and n_own:
            seeds = range(MODEL_TRAINING_SEED, MODEL_TRAINING_SEED + n_own)
            own = simulate_people(work_dir, seeds, MODEL_CAPS, config, processes=processes)
            ridges["source ridge, the model's people"] = BandPowerRidge(
                source_power, config, on_one_cap(own, cap), on_one_cap(selection, cap)
            )
        rows: dict[str, list[float]] = defaultdict(list)
        for path in test:
            for example in load_examples(path):
                if example.n_channels == cap:
                    for name, value in score_example(example, predict, ridges, bundle).items():
                        rows[name].append(value)
        table[cap] = {name: float(np.mean(values)) for name, values in rows.items()}
    return table


def as_markdown(table: dict[int, dict[str, float]]) -> str:
    """The table, one row a figure."""
    names = dict.fromkeys(name for scores in table.values() for name in scores)
    head = "| | " + " | ".join(f"{cap} channels" for cap in table) + " |\n|---|" + "---|" * len(table)
    cells = {name: [f"{scores[name]:.3f}" if name in scores else "" for scores in table.values()] for name in names}
    body = [f"| {name} | " + " | ".join(row) + " |" for name, row in cells.items()]
    return "\n".join([head, *body]) + "\n"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="neuralfield-sim")
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--training", type=int, default=100, help="people that the baselines are fitted on")
    parser.add_argument("--own-people", type=int, default=0, help="of the bundled model's training people")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--work-dir", type=Path, required=True)
    parser.add_argument("--json", type=Path, help="also write the table here")
    arguments = parser.parse_args()
    bundle = load_bundle(arguments.model)
    table = score_bundle(
        bundle, arguments.work_dir, arguments.people, arguments.training, arguments.own_people, arguments.processes
    )
    print(as_markdown(table))
    if arguments.json:
        measured = {"people": arguments.people, "training": arguments.training, "own_people": arguments.own_people}
        result = {"measured": measured, "table": table, "markdown": as_markdown(table)}
        arguments.json.write_text(json.dumps(result, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
