"""From dipole moments to what an EEG amplifier records, for any cap and reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ..eeg.leadfield import leadfield, template_directions, template_positions_m
from .artefacts import artefacts_v
from .choices import Reference
from .person import PersonSpec
from .sources import SourceActivity

_MASTOIDS = ("M1", "M2")


@dataclass(frozen=True)
class ScannerTiming:
    """When the scanner runs, in EEG seconds; the gradient artefact follows it."""

    first_volume_onset_s: float
    tr_s: float


def project_eeg(
    activity: SourceActivity,
    spec: PersonSpec,
    names: Sequence[str],
    rng: np.random.Generator,
    *,
    reference: Reference = "average",
    timing: ScannerTiming | None = None,
    artefacts: bool = True,
) -> tuple[Float[np.ndarray, "channels samples"], tuple[str, ...], Float[np.ndarray, "channels 3"]]:
    """The EEG of a recording on a cap of the 10-05 system.

    The electrodes sit off their nominal places by the person's jitter, but the nominal positions are returned: this
    is what a reader of a dataset knows when nobody digitised the cap.

    Parameters
    ----------
    activity, spec
        What the sources do, and the person they belong to.
    names
        Electrodes of the cap.
    rng
        Source of randomness of jitter, noise and artefacts.
    reference
        ``"average"``, an electrode, or the mean of the mastoids. A single reference electrode is dropped from the
        cap when it is there: it would record zero.
    timing
        When the scanner runs; without it there is no gradient artefact.
    artefacts
        Add noise and artefacts; without them the projection is exact.

    Returns
    -------
    signals_v
        Float32 volts.
    names
        The recorded channels.
    positions_m
        Their nominal positions in metres, head frame.

    Raises
    ------
    BadDataError
        A name is not in the 10-05 system.
    """
    recorded = tuple(name for name in names if name != reference)
    extra = _MASTOIDS if reference == "mastoids" else () if reference == "average" else (reference,)
    placed = _jitter(template_directions([*recorded, *extra]), spec.scalp_noise.electrode_jitter_deg, rng)
    gains = leadfield(placed, spec.head_positions_m, tuple(spec.conductivities))
    fixed = np.einsum("csx,sx->cs", gains, spec.orientations).astype(np.float32)
    potentials = fixed @ activity.moments_am
    if artefacts:
        potentials += artefacts_v(
            spec.scalp_noise,
            placed,
            potentials.shape[1],
            activity.sfreq_hz,
            rng,
            None if timing is None else (timing.first_volume_onset_s, timing.tr_s),
        )
    common = potentials[len(recorded) :] if extra else potentials
    signals = potentials[: len(recorded)] - common.mean(0)
    return signals, recorded, template_positions_m(recorded)


def _jitter(
    directions: Float[np.ndarray, "channels 3"], sd_deg: float, rng: np.random.Generator
) -> Float[np.ndarray, "channels 3"]:
    moved = directions + np.radians(sd_deg) * rng.standard_normal(directions.shape)
    return moved / np.linalg.norm(moved, axis=1, keepdims=True)
