"""Simulated people of the benchmark, one file each, kept in the work directory.

Each person's sources are simulated once per condition and projected to every cap; from the potentials on, recordings
take the way of files: cleaning, projection to the parcels, lags.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from bids_eeg2fmri.derivatives.atomic import atomic_path
from bids_eeg2fmri.eeg.bad_segments import Stretch
from bids_eeg2fmri.eeg.recording import Recording, VolumeClock
from bids_eeg2fmri.errors import BadDataError
from bids_eeg2fmri.learning.altered_eeg import shuffled, zeroed
from bids_eeg2fmri.learning.baselines import sensor_power, source_power
from bids_eeg2fmri.learning.examples import Example, parcel_means, sample_voxels, save_examples, zscore
from bids_eeg2fmri.learning.recorded import example_from_recording
from bids_eeg2fmri.network.neuralfield import NeuralFieldConfig
from bids_eeg2fmri.phantom.caps import cap_names
from bids_eeg2fmri.phantom.choices import REFERENCES, Haemodynamics, Reference
from bids_eeg2fmri.phantom.draw import draw_person
from bids_eeg2fmri.phantom.neural_mass import simulate_neural_masses
from bids_eeg2fmri.phantom.person import PersonSpec
from bids_eeg2fmri.phantom.recording import cleaned_recording
from bids_eeg2fmri.phantom.scalp import ScannerTiming, project_eeg
from bids_eeg2fmri.phantom.scanner import simulate_bold
from bids_eeg2fmri.phantom.sources import SourceActivity, simulate_sources

from . import conditions as c
from .oracle import source_features

_ATTEMPTS = 4
_CLOCK = VolumeClock(0.0, c.TR_S, int(c.DURATION_S / c.TR_S), "simulated")
USUAL = "usual"
PARTS = (USUAL, c.TRANSFER, c.UNMODULATED, c.DECOUPLED, c.DEEP)
"""What is simulated on its own of a test person; the transfer generator has people of its own."""


class Potentials(NamedTuple):
    """What the amplifier saw."""

    signals_v: Float[np.ndarray, "channels samples"]
    names: tuple[str, ...]
    positions_m: Float[np.ndarray, "channels 3"]
    reference: Reference


@dataclass(frozen=True)
class Session:
    """One person's activity and BOLD, which every cap records."""

    spec: PersonSpec
    activity: SourceActivity
    targets: Float[np.ndarray, "volumes voxels"]
    truth: Float[np.ndarray, "volumes parcels"]
    rng: np.random.Generator
    config: NeuralFieldConfig

    @classmethod
    def scan(
        cls,
        spec: PersonSpec,
        activity: SourceActivity,
        rng: np.random.Generator,
        config: NeuralFieldConfig,
        haemodynamics: Haemodynamics = "linear",
    ) -> Session:
        """Put the person into the scanner."""
        coordinates, labels = sample_voxels()
        truth, noisy = simulate_bold(
            activity, spec, coordinates, c.TR_S, _CLOCK.n_volumes, rng, haemodynamics=haemodynamics
        )
        targets = zscore(noisy).astype(np.float16)
        return cls(spec, activity, targets, zscore(truth @ parcel_means(labels)), rng, config)

    def project(self, cap: int) -> Potentials:
        """Record on a cap; one in five has the average reference, as training has it."""
        average = self.rng.random() < 0.2
        reference: Reference = "average" if average else REFERENCES[self.rng.integers(len(REFERENCES))]
        timing = ScannerTiming(_CLOCK.first_volume_onset_s, _CLOCK.tr_s)
        projected = project_eeg(self.activity, self.spec, cap_names(cap), self.rng, reference=reference, timing=timing)
        return Potentials(*projected, reference)

    def clean(self, potentials: Potentials, label: str, bad_segments_s: tuple[Stretch, ...] = ()) -> Recording:
        """Clean a copy."""
        return cleaned_recording(
            potentials.signals_v.copy(),
            potentials.names,
            potentials.positions_m,
            self.activity.sfreq_hz,
            line_hz=self.spec.scalp_noise.line_hz,
            reference=potentials.reference,
            clock=_CLOCK,
            label=label,
            bad_segments_s=bad_segments_s,
        )

    def accepted(self, cap: int, label: str) -> tuple[Potentials, Recording] | None:
        """A recording on the cap that cleaning does not refuse, with another noise if need be."""
        for _ in range(_ATTEMPTS):
            try:
                potentials = self.project(cap)
                return potentials, self.clean(potentials, label)
            except BadDataError:
                continue
        return None

    def examples(self, cap: int, made: dict[str, Callable[[], Recording]]) -> Iterator[Example]:
        """Examples of those recordings, by label, that are not refused."""
        for label, make in made.items():
            try:
                yield example_from_recording(
                    make(),
                    _CLOCK.onsets_s,
                    self.targets,
                    self.config,
                    subject=f"sim-{self.spec.seed}",
                    label=label,
                    cap=cap_names(cap),
                    truth=self.truth,
                )
            except BadDataError:
                continue

    def on_cap(self, cap: int, label: str, *, baselines: bool, corrupted: bool = False) -> Iterator[Example]:
        """The usual recording, and what is made of it."""
        taken = self.accepted(cap, label)
        if taken is None:
            return
        potentials, recording = taken
        made: dict[str, Callable[[], Recording]] = {label: lambda: recording}
        if baselines:
            made[c.altered(label, c.SHUFFLED)] = lambda: shuffled(recording, self.spec.seed)
            made[c.altered(label, c.ZEROED)] = lambda: zeroed(recording)
        if corrupted:
            made |= self._corrupted(potentials, recording)
        yield from self.examples(cap, made)

    def _corrupted(self, potentials: Potentials, recording: Recording) -> dict[str, Callable[[], Recording]]:
        rng, signals_v = self.rng, potentials.signals_v

        def cleaned(label: str, changed_v: np.ndarray) -> Recording:
            return self.clean(potentials._replace(signals_v=changed_v), label)

        return {
            c.HALF_NOISE: lambda: cleaned(c.HALF_NOISE, c.half_noise(signals_v, rng)),
            c.CAP_SHUFFLED: lambda: cleaned(c.CAP_SHUFFLED, c.shuffled_cap(signals_v, rng)),
            c.WHITE_NOISE: lambda: c.white_recording(recording, rng),
            c.WHITE_NOISE_RAW: lambda: cleaned(c.WHITE_NOISE_RAW, c.white(signals_v, rng)),
            c.MISSING: lambda: self.clean(potentials, c.MISSING, c.missing_stretches(c.DURATION_S, rng)),
        }

    def sources(self) -> Float[np.ndarray, "volumes parcels features"]:
        """What the oracle sees, half precision."""
        return source_features(self.activity, self.spec, self.config, _CLOCK.onsets_s).astype(np.float16)


def start(seed: int, part: str, config: NeuralFieldConfig) -> Session:
    """Simulate a person's brain and BOLD under one of the conditions."""
    rng = np.random.default_rng([0x9A11, seed, PARTS.index(part)])
    spec = draw_person(seed, coupling=0.0 if part == c.UNMODULATED else 1.0)
    if part == c.DEEP:
        spec = c.deep_only(spec)
    if part == c.TRANSFER:
        masses = simulate_neural_masses(spec, c.DURATION_S, c.SFREQ_HZ, rng)
        return Session.scan(spec, masses, rng, config, "balloon")
    activity = simulate_sources(spec, c.DURATION_S, c.SFREQ_HZ, rng, decouple=part == c.DECOUPLED)
    return Session.scan(spec, activity, rng, config)


def sources_path(path: Path) -> Path:
    """Where the oracle's features lie, beside the examples."""
    return path.with_suffix(".sources.npy")


def make_test_person(path: Path, seed: int, part: str, config: NeuralFieldConfig) -> None:
    """Simulate a test person and write every recording (:func:`load_examples`), and what the oracle sees."""
    session = start(seed, part, config)
    if part in (USUAL, c.TRANSFER):
        with atomic_path(sources_path(path)) as temporary, temporary.open("wb") as stream:
            np.save(stream, session.sources())

    def examples() -> Iterator[Example]:
        if part == USUAL:
            for cap in c.CAPS:
                yield from session.on_cap(cap, c.on_cap(cap), baselines=True, corrupted=cap == c.CAP)
        else:
            yield from session.on_cap(c.CAP, part, baselines=part == c.TRANSFER)

    save_examples(path, examples())


def make_ridge_person(path: Path, seed: int, config: NeuralFieldConfig) -> None:
    """Simulate a person for the baselines; of every cap, only what they see is kept."""
    session = start(seed, USUAL, config)
    arrays = {"sources": session.sources()}
    for cap in c.CAPS:
        for example in session.on_cap(cap, c.on_cap(cap), baselines=False):
            arrays[f"source_{cap}"] = source_power(example, config).astype(np.float16)
            arrays[f"sensor_{cap}"] = sensor_power(example, config).astype(np.float16)
    arrays["targets"] = session.targets.astype(np.float32) @ parcel_means(sample_voxels()[1])
    with atomic_path(path) as temporary, temporary.open("wb") as stream:
        np.savez(stream, **arrays)
