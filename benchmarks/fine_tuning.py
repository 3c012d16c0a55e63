"""Few people: a bundle as it is, fine-tuned on them, a network from scratch, and the ridges, on simulated people.

    python benchmarks/fine_tuning.py --people 4 8 16 --test 10 --work-dir /tmp/fine_tuning

Two populations: ``usual`` is the one that the bundled model was trained on (64 channels, TR 2 s); ``shifted`` is one
that it has never seen (:func:`draw_shifted_person`, 32 channels, TR 0.8 s). Everything is simulated. Of N people, N are
trained on and max(2, N / 4) more choose penalties and calibrate; others are tested. r is the mean over parcels of the
correlation over time, with the noise-free truth and with the noisy BOLD; coverage is that of the 90 % interval over
voxels of the noisy BOLD; "null 95 %" is the 95th percentile of the fine-tuned prediction's r with the truth when it is
shifted in time.
"""

from __future__ import annotations

import argparse
import json
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bids_eeg2fmri.evaluation.scores import temporal_correlation
from bids_eeg2fmri.learning.baselines import Baseline, fit_baselines
from bids_eeg2fmri.learning.examples import Example
from bids_eeg2fmri.learning.fine_tune import fine_tune_neuralfield
from bids_eeg2fmri.learning.fit import fit_neuralfield
from bids_eeg2fmri.learning.people import People, Person, examples_of
from bids_eeg2fmri.learning.predict import Predictor
from bids_eeg2fmri.learning.simulated_people import simulate_people
from bids_eeg2fmri.network.bundle import load_bundle
from bids_eeg2fmri.network.neuralfield import NeuralField, NeuralFieldConfig
from bids_eeg2fmri.phantom.draw import draw_person
from bids_eeg2fmri.phantom.person import BANDS, PersonSpec

# Seeds that no training script uses.
TRAINING_SEED, VALIDATION_SEED, TEST_SEED = 110_000, 120_000, 130_000
N_SURROGATES = 200
_COUPLING_FACTORS = dict(zip(BANDS, (1.0, 3.0, 0.4, 1.3, 0.3), strict=True))
_LATER_S = 1.5


def draw_shifted_person(seed: int, *, coupling: float = 1.0) -> PersonSpec:
    """Another population: more of the coupling in theta, less in alpha and gamma; BOLD peaks 1.5 s later."""
    spec = draw_person(seed, coupling=coupling)
    factors = np.array([_COUPLING_FACTORS[band] for band in BANDS])
    return replace(
        spec,
        network_coupling=factors[:, None] * spec.network_coupling,
        private_coupling=factors * spec.private_coupling,
        hrf_peak_s=spec.hrf_peak_s + _LATER_S,
    )


@dataclass(frozen=True)
class Population:
    """Who is simulated, and how they are recorded."""

    draw: Callable[..., PersonSpec]
    cap: int
    tr_s: float


POPULATIONS = {
    "usual": Population(draw_person, 64, 2.0),
    "shifted": Population(draw_shifted_person, 32, 0.8),
}
Row = dict[str, float]


def score(examples: Iterator[Example], predict: Callable[[Example], dict[str, float]]) -> Row:
    """Means over recordings."""
    rows = [predict(example) for example in examples]
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


def with_network(network: NeuralField, width: float) -> Callable[[Example], Row]:
    """Scores of one network; ``width`` is the half-width of its 90 % interval in units of the sd."""
    predict = Predictor(network)

    def scores(example: Example) -> Row:
        predicted = predict(example)
        error = np.abs(example.targets.astype(np.float32) - predicted.mean) / predicted.total_sd
        return correlations(example, predicted.parcel_mean) | {"coverage 90 %": float((error <= width).mean())}

    return scores


def with_baseline(baseline: Baseline) -> Callable[[Example], Row]:
    """Scores of a baseline."""
    return lambda example: correlations(example, baseline(example))


def correlations(example: Example, parcels: np.ndarray) -> Row:
    """Mean parcel r of one recording."""
    return {
        "r, truth": float(temporal_correlation(parcels, example.truth).mean()),
        "r, noisy BOLD": float(temporal_correlation(parcels, example.parcel_targets).mean()),
    }


def null(network: NeuralField) -> Callable[[Example], Row]:
    """95th percentile of the mean parcel r when the prediction is shifted around in time."""
    predict = Predictor(network)

    def scores(example: Example) -> Row:
        rng = np.random.default_rng(int(example.subject.removeprefix("sim-")))
        predicted, n = predict(example).parcel_mean, len(example.truth)
        shifts = rng.integers(n // 8, n - n // 8, N_SURROGATES)
        r = [temporal_correlation(np.roll(predicted, shift, 0), example.truth).mean() for shift in shifts]
        return {"r, truth": float(np.quantile(r, 0.95))}

    return scores


def compare(
    start: NeuralField, width: float, people: People, test: Sequence[Person]
) -> tuple[dict[str, Row], dict[str, object]]:
    """Scores of every model fitted to the same people, and what happened."""
    began = time.perf_counter()
    tuned, about_tuned = fine_tune_neuralfield(start, people)
    between = time.perf_counter()
    scratch, about_scratch = fit_neuralfield(people, start.config)
    minutes = ((between - began) / 60, (time.perf_counter() - between) / 60)
    baselines = fit_baselines(people, start.config, examples_of(test))
    widths = [about["calibration"]["voxels"]["0.9"] for about in (about_tuned, about_scratch)]
    models = {
        "bundled as it is": with_network(start, width),
        "bundled, fine-tuned": with_network(tuned, widths[0]),
        "from scratch": with_network(scratch, widths[1]),
        **{name: with_baseline(baseline) for name, baseline in baselines.models.items()},
        "null 95 %": null(tuned),
    }
    rows = {name: score(examples_of(test), predict) for name, predict in models.items()}
    rows["mean volume"] = {"r, truth": 0.0, "r, noisy BOLD": 0.0}
    return rows, {
        "fine_tuning": about_tuned["fine_tuning"],
        "penalties": [about_scratch["spread_penalty"], about_scratch["penalty"]],
        "minutes": {"fine-tuning": round(minutes[0], 1), "scratch": round(minutes[1], 1)},
    }


def simulate(
    name: str, n_training: int, n_validation: int, n_test: int, work_dir: Path, processes: int
) -> tuple[list[Person], list[Person], list[Person]]:
    """Files of a population's people: to train, to validate, to test."""
    population = POPULATIONS[name]
    groups = []
    for first, count in ((TRAINING_SEED, n_training), (VALIDATION_SEED, n_validation), (TEST_SEED, n_test)):
        paths = simulate_people(
            work_dir,
            range(first, first + count),
            (population.cap,),
            NeuralFieldConfig(),
            tr_s=population.tr_s,
            draw=population.draw,
            processes=processes,
            description=f"{name} people",
        )
        groups.append([(path,) for path in paths])
    return groups[0], groups[1], groups[2]


def as_markdown(results: dict[str, dict[int, dict[str, Row]]]) -> str:
    """One table: models by number of training people, for each population."""
    columns = ("r, truth", "r, noisy BOLD", "coverage 90 %")
    lines = ["| population | people | model | " + " | ".join(columns) + " |", "|---|---|---|---|---|---|"]
    for population, by_count in results.items():
        for count, rows in by_count.items():
            for model, row in rows.items():
                cells = " | ".join(f"{row[name]:.3f}" if name in row else "" for name in columns)
                lines.append(f"| {population} | {count} | {model} | {cells} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="neuralfield-sim")
    parser.add_argument("--populations", nargs="+", choices=tuple(POPULATIONS), default=tuple(POPULATIONS))
    parser.add_argument("--people", nargs="+", type=int, default=[4, 8, 16], help="who train, for each comparison")
    parser.add_argument("--test", type=int, default=10)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--work-dir", type=Path, required=True)
    parser.add_argument("--json", type=Path, help="also write the results here, after each comparison")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    bundle = load_bundle(arguments.model)
    if not isinstance(bundle.network, NeuralField):
        parser.error(f"{arguments.model} is no neuralfield")
    width = bundle.metadata["calibration"]["voxels"]["0.9"]
    most = max(arguments.people)
    results: dict[str, dict[int, dict[str, Row]]] = {}
    facts: dict[str, dict[int, dict[str, object]]] = {}
    for name in arguments.populations:
        training, validation, test = simulate(
            name, most, max(2, most // 4), arguments.test, arguments.work_dir, arguments.processes
        )
        for count in arguments.people:
            people = People.divided(training[:count], validation[: max(2, count // 4)])
            rows, about = compare(bundle.network, width, people, test)
            results.setdefault(name, {})[count], facts.setdefault(name, {})[count] = rows, about
            logging.info("%s, %d people: %s", name, count, about)
            if arguments.json:
                arguments.json.write_text(json.dumps({"results": results, "facts": facts}, indent=2) + "\n", "utf-8")
    print(as_markdown(results))
    print(json.dumps(facts, indent=2))


if __name__ == "__main__":
    main()
