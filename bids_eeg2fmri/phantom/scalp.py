"""From dipole moments to what an EEG amplifier records, for any cap and reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.fft
from jaxtyping import Float

from ..eeg.leadfield import leadfield, template_directions, template_positions_m
from .artefacts import artefacts_v
from .choices import Reference
from .person import PersonSpec, ScalpNoise
from .sources import SourceActivity

_PAIRS = {"mastoids": ("M1", "M2"), "ears": ("A1", "A2"), "TP9-TP10": ("TP9", "TP10")}


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
        ``"average"``, an electrode, or the mean of two. An electrode that is a reference is dropped from the cap
        when it is there: alone it would record zero.
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
    extra = () if reference == "average" else _PAIRS.get(reference, (reference,))
    recorded = tuple(name for name in names if name not in extra)
    placed = _displace(template_directions([*recorded, *extra]), spec.scalp_noise, rng)
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
    if artefacts and spec.scalp_noise.low_pass_hz is not None:
        _low_pass(potentials, spec.scalp_noise.low_pass_hz, activity.sfreq_hz)
    common = potentials[len(recorded) :] if extra else potentials
    signals = (potentials[: len(recorded)] - common.mean(0)).astype(np.float32, copy=False)
    return signals, recorded, template_positions_m(recorded)


def _low_pass(signals_v: Float[np.ndarray, "channels samples"], cutoff_hz: float, sfreq_hz: float) -> None:
    """Butterworth low-pass of fourth order without phase, in place."""
    spectra = scipy.fft.rfft(signals_v, axis=1)
    freqs = scipy.fft.rfftfreq(signals_v.shape[1], 1 / sfreq_hz)
    spectra *= (1 / np.sqrt(1 + (freqs / cutoff_hz) ** 8)).astype(np.float32)
    signals_v[:] = scipy.fft.irfft(spectra, signals_v.shape[1], axis=1)


def _displace(
    directions: Float[np.ndarray, "channels 3"], noise: ScalpNoise, rng: np.random.Generator
) -> Float[np.ndarray, "channels 3"]:
    """Turn the whole cap by a small angle about a random axis, and move every electrode on its own."""
    turn = np.radians(noise.cap_turn_deg) * rng.standard_normal(3)
    moved = directions + np.cross(turn, directions)
    moved += np.radians(noise.electrode_jitter_deg) * rng.standard_normal(directions.shape)
    return moved / np.linalg.norm(moved, axis=1, keepdims=True)
