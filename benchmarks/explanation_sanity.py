"""Does the explanation depend on what the model learned? The sanity checks of Adebayo et al. 2018 (arXiv 1810.03292).

Weights of ``neuralfield-sim`` are put into random order, layer after layer from the output, and the linear map is
fitted anew to one person's BOLD in true and in random order of its volumes. An explanation that only shows the EEG
would stay as it was. Maps of electrodes and bands are compared by rank correlation; beside it stands what two halves
of one recording have in common.

    python -m benchmarks.explanation_sanity --people 4
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import cast

import jax.numpy as jnp
import numpy as np
from flax import nnx
from scipy.stats import spearmanr

from benchmarks.explanation import FIRST_SEED, PLANTED, plant, region_maps
from bids_eeg2fmri.bold.atlas import load_atlas
from bids_eeg2fmri.eeg.recording import Recording, VolumeClock
from bids_eeg2fmri.eeg.spectra import HOP_S
from bids_eeg2fmri.explanation.neuralfield_relevance import explain_neuralfield
from bids_eeg2fmri.explanation.relevance import Relevance
from bids_eeg2fmri.learning.examples import parcel_means, sample_voxels
from bids_eeg2fmri.network.bundle import load_bundle
from bids_eeg2fmri.network.neuralfield import NeuralField
from bids_eeg2fmri.network.recording_facts import RecordingFacts
from bids_eeg2fmri.phantom.caps import cap_names
from bids_eeg2fmri.phantom.draw import draw_person
from bids_eeg2fmri.phantom.person import PersonSpec
from bids_eeg2fmri.phantom.recording import simulated_recording
from bids_eeg2fmri.phantom.scanner import simulate_bold
from bids_eeg2fmri.phantom.sources import SourceActivity, simulate_sources
from bids_eeg2fmri.synthesis.spectrogram import SourceSpectrogram, compute_spectrogram

CASCADE = (("linear",), ("linear", "loadings"), ("linear", "loadings", "band_weights"))
MIDDLE_S = 1.0
_RIDGE = 3.0


def likeness(one: Relevance, other: Relevance) -> float:
    """Rank correlation of the maps of electrodes and bands, mean over the regions."""
    pairs = zip(one.by_electrode_and_band, other.by_electrode_and_band, strict=True)
    return float(np.mean([spearmanr(first.ravel(), second.ravel()).statistic for first, second in pairs]))


def _mean_likeness(one: Relevance, others: Sequence[Relevance]) -> float:
    return float(np.mean([likeness(one, other) for other in others]))


def shuffled(network: NeuralField, layers: Sequence[str], seed: int) -> NeuralField:
    """A copy of the network with the weights of some layers in random order."""
    rng = np.random.default_rng(seed)
    copy = nnx.merge(*nnx.split(network))
    for layer in layers:
        values = np.asarray(getattr(copy, layer)[...])
        getattr(copy, layer)[...] = jnp.asarray(rng.permutation(values.ravel()).reshape(values.shape))
    return copy


def slow_states(network: NeuralField, recording: Recording, spectrogram: SourceSpectrogram) -> np.ndarray:
    """What the linear map receives of every volume."""
    frames_s, volumes_s = spectrogram.times_s, recording.clock.onsets_s + MIDDLE_S
    frames_z = spectrogram.standardised(0, len(frames_s))
    times_s = (jnp.asarray(frames_s, jnp.float32), jnp.asarray(volumes_s, jnp.float32))
    features = network.features(jnp.asarray(frames_z), *times_s, HOP_S)
    return np.asarray(network.states(features, RecordingFacts(*map(jnp.asarray, spectrogram.facts))))


def true_targets(spec: PersonSpec, activity: SourceActivity, clock: VolumeClock) -> np.ndarray:
    """Noise-free BOLD of the planted networks, z over time."""
    coordinates, labels = sample_voxels()
    truth, _ = simulate_bold(activity, spec, coordinates, clock.tr_s, clock.n_volumes, np.random.default_rng(1))
    networks = np.array(load_atlas().networks)
    means = np.stack([(truth @ parcel_means(labels))[:, networks == name].mean(axis=1) for name in PLANTED], axis=1)
    return np.asarray((means - means.mean(axis=0)) / means.std(axis=0))


def fitted(network: NeuralField, states: np.ndarray, targets: np.ndarray) -> tuple[NeuralField, np.ndarray]:
    """A copy whose first maps are a ridge regression of the targets, and the maps that pick them."""
    gram = states @ states.T
    penalty = _RIDGE * np.trace(gram) / len(gram) * np.eye(len(gram))
    copy = nnx.merge(*nnx.split(network))
    linear = np.zeros(copy.linear.shape, np.float32)
    linear[:, :, : targets.shape[1]] = states.T @ np.linalg.solve(gram + penalty, targets)
    copy.linear[...] = jnp.asarray(linear)
    return copy, np.eye(targets.shape[1], network.config.n_maps, dtype=np.float32)


def check_person(network: NeuralField, maps: np.ndarray, seed: int, n_random: int) -> dict[str, float]:
    """Likeness of the explanation of one person to what randomisation leaves of it."""
    rng = np.random.default_rng(seed)
    spec = plant(draw_person(seed))
    activity = simulate_sources(spec, 300.0, 128.0, rng)
    clock = VolumeClock(0.0, 2.0, 150, "simulated")
    recording = simulated_recording(activity, spec, cap_names(32), rng, clock=clock, label=f"sim-{seed}")
    spectrogram = compute_spectrogram(recording)
    times_s = clock.onsets_s + MIDDLE_S

    def explain(network: NeuralField, maps: np.ndarray, volumes: slice = slice(None)) -> Relevance:
        return explain_neuralfield(network, recording, spectrogram, maps, tuple(PLANTED), times_s[volumes])

    original = explain(network, maps)
    halves = (explain(network, maps, slice(0, 75)), explain(network, maps, slice(75, 150)))
    found = {"two halves": likeness(*halves)}
    for layers in CASCADE:
        randomised = [explain(shuffled(network, layers, number), maps) for number in range(n_random)]
        found["weights: " + ", ".join(layers)] = _mean_likeness(original, randomised)
    states, targets = slow_states(network, recording, spectrogram), true_targets(spec, activity, clock)
    true = explain(*fitted(network, states, targets))
    noisy = targets + 0.3 * rng.standard_normal(targets.shape)
    found["labels: a little noise"] = likeness(true, explain(*fitted(network, states, noisy)))
    randomised = [explain(*fitted(network, states, rng.permutation(targets))) for _ in range(n_random)]
    found["labels: random order"] = _mean_likeness(true, randomised)
    return found


def main() -> None:
    """Check some people and print the means."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=4)
    parser.add_argument("--random", type=int, default=3)
    parser.add_argument("--model", default="neuralfield-sim")
    options = parser.parse_args()
    network = cast(NeuralField, load_bundle(options.model).network)
    maps = region_maps(network)
    people = [check_person(network, maps, FIRST_SEED + number, options.random) for number in range(options.people)]
    print("rank correlation\tmean\tlowest\thighest")
    for name in people[0]:
        values = [person[name] for person in people]
        print(name, f"{np.mean(values):.2f}", f"{min(values):.2f}", f"{max(values):.2f}", sep="\t")


if __name__ == "__main__":
    main()
