"""Training examples of simulated people, whose recordings take the way of files: cleaned, projected, lagged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ..eeg.recording import VolumeClock
from ..errors import BadDataError
from ..network.neuralfield import NeuralFieldConfig
from ..phantom.caps import cap_names
from ..phantom.choices import REFERENCES
from ..phantom.draw import draw_person
from ..phantom.draw_cap import draw_cap
from ..phantom.person import PersonSpec
from ..phantom.recording import simulated_recording
from ..phantom.scalp import ScannerTiming
from ..phantom.scanner import simulate_bold
from ..phantom.sources import SourceActivity, simulate_sources
from .examples import Example, parcel_means, sample_voxels, zscore
from .recorded import example_from_recording

# Simulation takes time in proportion to the rate: the low ones are drawn more often.
_SFREQS_HZ = (125.0, 128.0, 200.0, 250.0, 256.0)
_SFREQ_SHARES = (0.3, 0.4, 0.1, 0.1, 0.1)
_TR_RANGE_S = (0.5, 3.0)
_AVERAGE_REFERENCE_SHARE = 0.2
_ATTEMPTS = 4


@dataclass(frozen=True)
class _Session:
    """One person's activity and BOLD, which every cap records."""

    spec: PersonSpec
    activity: SourceActivity
    clock: VolumeClock
    targets: Float[np.ndarray, "volumes voxels"]
    truth: Float[np.ndarray, "volumes parcels"]


def make_examples(
    seed: int,
    config: NeuralFieldConfig,
    caps: Iterable[int | str | None],
    *,
    duration_s: float = 300.0,
    tr_s: float | None = None,
    sfreq_hz: float | None = None,
    coupling: float = 1.0,
    decouple: bool = False,
    draw: Callable[..., PersonSpec] = draw_person,
) -> Iterator[Example]:
    """Simulate one person and yield the recording on every cap.

    A recording that cleaning refuses is made again, with another noise and, where it is drawn, another cap; after
    the fourth refusal there is none.

    Parameters
    ----------
    seed
        The person; also decides everything drawn at random here.
    config
        The network's feature specification.
    caps
        Standard caps (19, 32, 64, 128); ``None`` draws one (:func:`bids_eeg2fmri.phantom.draw_cap.draw_cap`).
    duration_s, tr_s
        Length of the recording; repetition time, or ``None`` to draw it between 0.5 and 3 s.
    sfreq_hz
        Sampling rate of the EEG, or ``None`` to draw one that amplifiers and archives use.
    coupling, decouple
        The phantom's controls.
    draw
        Draws the person, from a seed and ``coupling``: another population than the phantom's own.
    """
    rng = np.random.default_rng([0xEE6, seed])
    drawn_tr_s, drawn_sfreq_hz = float(rng.uniform(*_TR_RANGE_S)), float(rng.choice(_SFREQS_HZ, p=_SFREQ_SHARES))
    spec = draw(seed, coupling=coupling)
    activity = simulate_sources(spec, duration_s, sfreq_hz or drawn_sfreq_hz, rng, decouple=decouple)
    session = _scan(spec, activity, tr_s or drawn_tr_s, rng)
    for cap in caps:
        attempts = (_record(session, cap, config, rng) for _ in range(_ATTEMPTS))
        example = next((example for example in attempts if example is not None), None)
        if example is not None:
            yield example


def _scan(spec: PersonSpec, activity: SourceActivity, tr_s: float, rng: np.random.Generator) -> _Session:
    clock = VolumeClock(0.0, tr_s, int(activity.duration_s / tr_s + 1e-9), "simulated")
    coordinates, labels = sample_voxels()
    truth, noisy = simulate_bold(activity, spec, coordinates, tr_s, clock.n_volumes, rng)
    return _Session(spec, activity, clock, zscore(noisy).astype(np.float16), zscore(truth @ parcel_means(labels)))


def _record(
    session: _Session, cap: int | str | None, config: NeuralFieldConfig, rng: np.random.Generator
) -> Example | None:
    """The session's example on one cap; ``None`` where its EEG is refused."""
    names = draw_cap(rng) if cap is None else cap_names(cap)
    average = rng.random() < _AVERAGE_REFERENCE_SHARE
    reference = "average" if average else REFERENCES[rng.integers(len(REFERENCES))]
    clock = session.clock
    label = f"sim-{session.spec.seed}_cap-{len(names)}"
    try:
        recording = simulated_recording(
            session.activity,
            session.spec,
            names,
            rng,
            reference=reference,
            timing=ScannerTiming(clock.first_volume_onset_s, clock.tr_s),
            clock=clock,
            label=label,
        )
        return example_from_recording(
            recording,
            clock.onsets_s,
            session.targets,
            config,
            subject=f"sim-{session.spec.seed}",
            label=label,
            cap=names,
            truth=session.truth,
        )
    except BadDataError:
        return None
