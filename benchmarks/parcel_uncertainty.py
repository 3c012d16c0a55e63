"""Whether the sd of parcels' means is right for parcels that were never calibrated, and how their errors go together.

    python benchmarks/parcel_uncertainty.py --work-dir /tmp/parcels --people 16

People are simulated, each with a cap of 64 electrodes and a repetition time of their own. First the numbers that
``synthesis/parcel_forecast.py`` and ``synthesis/samples.py`` take as given, then root mean square error in stated sds
(1 is right) and coverage of the 90 % interval, of parcels of several kinds, beside two shortcuts.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Float
from scipy import sparse
from scipy.stats import norm

from bids_eeg2fmri.bold.atlas import NETWORKS, load_atlas
from bids_eeg2fmri.bold.parcellation import Overlap
from bids_eeg2fmri.learning.examples import Example, load_examples, sample_voxels
from bids_eeg2fmri.learning.predict import Predicted, Predictor
from bids_eeg2fmri.learning.simulated_people import simulate_people
from bids_eeg2fmri.network.bundle import load_bundle
from bids_eeg2fmri.network.neuralfield import NeuralField
from bids_eeg2fmri.synthesis.neuralfield_parcels import posterior_covariance
from bids_eeg2fmri.synthesis.parcel_forecast import combined_sd, error_correlation

# No other script uses these people.
FIRST_SEED = 65_000
EVERY = 9


def kinds() -> dict[str, list[list[int]]]:
    """Bundled parcels of every parcel asked for, by kind."""
    networks = np.array(load_atlas().networks)
    single = [[parcel] for parcel in range(0, len(networks), EVERY)]
    return {
        "bundled parcels": single,
        "pairs of them": [[parcel, parcel + 1] for parcel in range(0, len(networks) - 1, EVERY)],
        "networks": [np.flatnonzero(networks == name).tolist() for name in NETWORKS],
        "the cortex": [np.flatnonzero(networks != "Subcortical").tolist()],
        "halves of bundled parcels": single,
        "single voxels": single,
    }


def laid_out(kind: str, groups: list[list[int]]) -> Overlap:
    """The parcels over the sample voxels."""
    _, labels = sample_voxels()
    n_bundled = len(load_atlas())
    rows, share, covered = [], np.zeros((len(groups), n_bundled + 1)), np.zeros((len(groups), n_bundled))
    for number, group in enumerate(groups):
        members = np.zeros(len(labels))
        for parcel in group:
            voxels = np.flatnonzero(labels == parcel + 1)
            kept = voxels[:1] if kind == "single voxels" else voxels[::2] if kind.startswith("halves") else voxels
            members[kept] = 1
            share[number, parcel + 1], covered[number, parcel] = len(kept), len(kept) / len(voxels)
        rows.append(members / members.sum())
    return Overlap(sparse.csr_array(np.array(rows)), share / share.sum(axis=1, keepdims=True), covered)


def constants(
    example: Example, predicted: Predicted, posterior: Float[np.ndarray, "parcels parcels"]
) -> tuple[float, float, float]:
    """Intercept and slope of the errors' correlations on the posterior's, and the errors' time constant in seconds."""
    error = (example.parcel_targets - predicted.parcel_mean) / predicted.parcel_sd
    sd = np.sqrt(np.diag(posterior))
    pairs = np.triu_indices(len(posterior), 1)
    slope, intercept = np.polyfit((posterior / np.outer(sd, sd))[pairs], np.corrcoef(error.T)[pairs], 1)
    centred = error - error.mean(axis=0)
    r = ((centred[1:] * centred[:-1]).mean(axis=0) / np.square(centred).mean(axis=0)).mean()
    return intercept, slope, -example.tr_s / np.log(max(r, 1e-3))


def stated_sds(
    predicted: Predicted, lying: Overlap, posterior: Float[np.ndarray, "parcels parcels"]
) -> Iterator[tuple[str, Float[np.ndarray, "volumes parcels"]]]:
    """The sd as it is written, and what one might have taken instead."""
    members = lying.averaging > 0
    typical = np.sqrt(np.square(predicted.total_sd) @ (members / members.sum(axis=1)[:, None]).T)
    yield "stated", combined_sd(lying, predicted.parcel_sd, typical, error_correlation(posterior))
    yield "mean of the voxels' sds", predicted.total_sd @ lying.averaging.T
    yield "voxels as if independent", np.sqrt(np.square(predicted.total_sd) @ lying.averaging.power(2).T)


def measure(network: NeuralField, people: list[Path]) -> None:
    """Print both tables."""
    predict, found = Predictor(network), []
    scores: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    for path in people:
        for example in load_examples(path):
            predicted = predict(example)
            posterior = np.asarray(posterior_covariance(network, example.facts))
            found.append(constants(example, predicted, posterior))
            error = example.targets.astype(np.float32) - predicted.mean
            for kind, groups in kinds().items():
                lying = laid_out(kind, groups)
                for name, sd in stated_sds(predicted, lying, posterior):
                    z = (error @ lying.averaging.T) / sd
                    scores[kind, name].append((np.square(z).mean(), (np.abs(z) < norm.ppf(0.95)).mean()))
    for name, values in zip(("common", "posterior", "time constant (s)"), np.array(found).T, strict=True):
        print(f"{name:20s} {values.mean():6.2f}  ({values.min():.2f} to {values.max():.2f})")
    for (kind, name), values in scores.items():
        square, covered = np.mean(values, axis=0)
        print(f"{kind:28s} {name:26s} rms error {np.sqrt(square):5.2f} sd   coverage of 90 % {covered:.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="neuralfield-sim")
    parser.add_argument("--work-dir", type=Path, required=True)
    parser.add_argument("--people", type=int, default=16)
    parser.add_argument("--processes", type=int, default=1)
    options = parser.parse_args()
    network = load_bundle(options.model).network
    if not isinstance(network, NeuralField):
        raise SystemExit("only neuralfield has a posterior")
    seeds = range(FIRST_SEED, FIRST_SEED + options.people)
    measure(network, simulate_people(options.work_dir, seeds, (64,), network.config, processes=options.processes))


if __name__ == "__main__":
    main()
