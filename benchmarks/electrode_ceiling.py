"""What electrodes could tell this model at best: the same people without noise, and with the template's own head.

    python benchmarks/electrode_ceiling.py --people 10

The predictor that knows the sources (``benchmarks/model_quality.py``) says what the sources tell about BOLD. Between
it and the model stand noise and artefacts, a head and electrode positions that are not the template's, and what no
electrode can tell apart. Here the first two are taken away one after the other; what is left is the third. Mean parcel
correlation over time with the noise-free truth, 5 minutes, TR 2 s.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from bids_eeg2fmri.eeg.leadfield import CONDUCTIVITIES_S_PER_M, sources_in_sphere
from bids_eeg2fmri.evaluation.scores import temporal_correlation
from bids_eeg2fmri.learning.predict import Predictor
from bids_eeg2fmri.learning.simulated import make_examples
from bids_eeg2fmri.network.bundle import load_bundle
from bids_eeg2fmri.network.neuralfield import NeuralField
from bids_eeg2fmri.phantom.draw import draw_person
from bids_eeg2fmri.phantom.person import PersonSpec

# No other script uses these people.
FIRST_SEED = 60_000
CAPS = (64, 128)
# Not zero: a channel without any noise is one that cleaning would mark.
_HARDLY_ANY_V = 1e-8


def without_noise(seed: int, *, coupling: float = 1.0) -> PersonSpec:
    """The person with clean electrodes."""
    person = draw_person(seed, coupling=coupling)
    silent = dict.fromkeys(
        ("drift_v", "blink_rate_hz", "muscle_v", "line_v", "pulse_v", "gradient_v", "tone_v", "eye_v", "movement_v"),
        0.0,
    )
    noise = replace(person.scalp_noise, sensor_v=_HARDLY_ANY_V, low_pass_hz=None, **silent)
    return replace(person, scalp_noise=noise)


def in_the_template(seed: int, *, coupling: float = 1.0) -> PersonSpec:
    """The person with clean electrodes, exactly where they are said to be, on the head that the model believes in."""
    person = without_noise(seed, coupling=coupling)
    return replace(
        person,
        scalp_noise=replace(person.scalp_noise, electrode_jitter_deg=0.0, cap_turn_deg=0.0),
        head_positions_m=sources_in_sphere(person.coordinates_mm),
        conductivities=np.array(CONDUCTIVITIES_S_PER_M),
    )


CONDITIONS: dict[str, Callable[..., PersonSpec]] = {
    "as simulated": draw_person,
    "no noise": without_noise,
    "no noise, template's head": in_the_template,
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="neuralfield-sim", help="name or folder of a bundle")
    parser.add_argument("--people", type=int, default=10)
    arguments = parser.parse_args()
    network = load_bundle(arguments.model).network
    if not isinstance(network, NeuralField):
        raise SystemExit("Only a neuralfield goes with every cap.")
    predict = Predictor(network)
    print("| mean parcel r with truth | " + " | ".join(f"{cap} channels" for cap in CAPS) + " |\n|---|---|---|")
    for name, draw in CONDITIONS.items():
        reached: list[list[float]] = []
        for seed in range(FIRST_SEED, FIRST_SEED + arguments.people):
            examples = list(make_examples(seed, network.config, CAPS, tr_s=2.0, sfreq_hz=128.0, draw=draw))
            if len(examples) == len(CAPS):
                reached.append(
                    [temporal_correlation(predict(e).parcel_mean, np.asarray(e.truth)).mean() for e in examples]
                )
        print(f"| {name} ({len(reached)} people) | " + " | ".join(f"{r:.3f}" for r in np.mean(reached, axis=0)) + " |")


if __name__ == "__main__":
    main()
