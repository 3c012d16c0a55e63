"""The same people with another physiology: neural masses on a connectome, whose firing drives BOLD.

It shares nothing with :func:`bids_eeg2fmri.phantom.sources.simulate_sources` but the anatomy, so that a model fitted
on one can be tested on the other. Every source is a sum of Jansen-Rit masses of four speeds, each excited by fast
noise and by a slow input that spreads over a connectome. No band is told how to follow BOLD: a mass fires more when
its input rises, and what its rhythm does depends on where it stands. Those at 10 and 20 Hz stand in the upper half of
the oscillatory regime (inputs of 90-316 pulses/s), where more input shrinks the oscillation; the fastest stands lower,
where noise takes it in and out of its rhythm, and more input means more gamma. The slowest does not oscillate: it is
background.

References
----------
B. H. Jansen and V. G. Rit, Biol. Cybern. 73 (1995) 357-366: the masses, with inputs of 120-320 pulses/s.
F. Grimbert and O. Faugeras, Neural Comput. 18 (2006) 3052-3068: what the input does (Hopf bifurcations at 90 and 316).
O. David and K. J. Friston, NeuroImage 20 (2003) 1743-1755: masses of several kinetics in one source.
M. Ercsey-Ravasz et al., Neuron 80 (2013) 184-197: connections fall exponentially with distance, weights are lognormal.
B. Q. Rosen and E. Halgren, eNeuro 8 (2021) ENEURO.0416-20.2020: the same in people, and strong homotopic connections.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from scipy import signal
from scipy.spatial.distance import cdist

from .jansen_rit import CONNECTIVITY, TICK_HZ, Masses, integrate
from .person import PersonSpec
from .slow import smooth_field
from .sources import BURN_IN_S, STEP_S, SourceActivity

# An amplifier passes less of the potentials' slow shifts.
_HIGHPASS_HZ = 0.3
_LEAD_S = BURN_IN_S / 2
_SOURCES_AT_ONCE = 64


class Mass(NamedTuple):
    """One of the masses of a source, before people differ; see :class:`.jansen_rit.Masses`.

    ``rms_mv`` is about what its potential does, so that the sources' weights can refer to it.
    """

    slowness: float
    connectivity: float
    input_rate: float
    swing_rate: float
    noise_rate: float
    rms_mv: float


MASSES = {
    "slow": Mass(2.0, CONNECTIVITY / 2, 320.0, 20.0, 58.0, 0.3),
    "alpha": Mass(1.05, CONNECTIVITY, 290.0, 65.0, 50.0, 1.2),
    "beta": Mass(0.52, CONNECTIVITY, 290.0, 65.0, 50.0, 1.4),
    "gamma": Mass(0.25, CONNECTIVITY, 190.0, 65.0, 100.0, 2.5),
}


def simulate_neural_masses(
    spec: PersonSpec, duration_s: float, sfreq_hz: float, rng: np.random.Generator, *, decouple: bool = False
) -> SourceActivity:
    """Simulate a recording of a person whose sources are neural masses.

    Of the person only the anatomy counts: places, parcels and the scale of the dipoles. The physiology (inputs, time
    constants, connectome) is drawn anew from the person's seed.

    Parameters
    ----------
    spec
        The person.
    duration_s, sfreq_hz
        Length and sampling rate; the moments hold nothing above 128 Hz.
    rng
        Source of randomness.
    decouple
        Take BOLD from a second, independent simulation.

    Returns
    -------
    SourceActivity
        ``states`` are the masses' mean firing rates, standardised over time: the input of
        ``simulate_bold(..., haemodynamics="balloon")``. ``network_states`` are the slowest modes of the slow input.
    """
    person = np.random.default_rng([0x4A52, spec.seed])
    masses = _draw_masses(spec, person)
    modes, rates_hz = slow_modes(spec, person)
    n_steps = int(np.ceil((duration_s + BURN_IN_S) / STEP_S)) + 2
    courses = relaxations(rates_hz, n_steps + 1, rng)
    signals, firing = integrate(masses, spec.parcels, modes @ courses, rng)
    if decouple:
        courses = relaxations(rates_hz, n_steps + 1, rng)
        _, firing = integrate(masses, spec.parcels, modes @ courses, rng)
    moments = np.float32(spec.source_rms_am) * _recorded(signals, round(duration_s * sfreq_hz), sfreq_hz)
    states = (firing - firing.mean(axis=1, keepdims=True)) / firing.std(axis=1, keepdims=True)
    return SourceActivity(moments, sfreq_hz, states, courses[: spec.n_networks, :n_steps])


def _draw_masses(spec: PersonSpec, rng: np.random.Generator) -> Masses:
    """The person's masses: time constants within some 20 %, inputs within some 20 pulses/s of the usual ones."""
    table = np.array(list(MASSES.values())).T[:, :, None]
    slowness, connectivity, input_rate, swing_rate, noise_rate, rms_mv = table
    shape = slowness.shape
    level = rng.normal(0.0, 15.0) + 10.0 * rng.standard_normal(shape)
    regional = 12.0 * smooth_field(spec.coordinates_mm, 30.0, len(MASSES), rng).T
    drawn = Masses(
        slowness=slowness * rng.lognormal(0.0, 0.07) * rng.lognormal(0.0, 0.05, shape),
        connectivity=connectivity * rng.lognormal(0.0, 0.015, shape),
        input_rate=input_rate + level + regional,
        swing_rate=swing_rate * rng.lognormal(0.0, 0.15) * rng.lognormal(0.0, 0.1, shape),
        noise_rate=noise_rate * rng.lognormal(0.0, 0.1, shape),
        shared_noise=jnp.asarray(rng.uniform(0.4, 0.65)),
        weights=_draw_weights(spec, rng) / rms_mv,
    )
    return Masses(*(jnp.asarray(values, jnp.float32) for values in drawn))


def _draw_weights(spec: PersonSpec, rng: np.random.Generator) -> Float[np.ndarray, "masses sources"]:
    """How strong each mass is in each source: alpha mostly behind, beta mostly around the central sulcus."""
    y = spec.coordinates_mm[:, 1]
    behind = 1 / (1 + np.exp((y + rng.uniform(40, 60)) / 12))
    central = np.exp(-0.5 * ((y + 22) / 18) ** 2)
    even = np.ones_like(y)
    weights = np.stack([1.5 * even, 0.5 + rng.uniform(0.9, 1.8) * behind, 0.4 + 0.4 * central, 0.4 * even])
    person = rng.lognormal(0.0, 0.15, (len(weights), 1))
    return weights * person * np.exp(0.15 * smooth_field(spec.coordinates_mm, 20.0, len(weights), rng).T)


def _connectome(spec: PersonSpec, rng: np.random.Generator) -> Float[np.ndarray, "sources sources"]:
    """Symmetric connections that fall with distance, to the mirror image as well, with lognormal weights.

    Scaled by the sources' total strengths, so that the largest eigenvalue is one.
    """
    points = spec.coordinates_mm.astype(float)
    length_mm = rng.uniform(10.0, 16.0)
    connections = np.exp(-cdist(points, points) / length_mm)
    connections += rng.uniform(0.4, 0.9) * np.exp(-cdist(points * [-1.0, 1.0, 1.0], points) / (0.5 * length_mm))
    connections *= rng.lognormal(0.0, 1.0, connections.shape)
    connections += connections.T
    np.fill_diagonal(connections, 0.0)
    scale = np.sqrt(connections.sum(axis=1))
    return connections / np.outer(scale, scale)


def slow_modes(
    spec: PersonSpec, rng: np.random.Generator
) -> tuple[Float[np.ndarray, "sources modes"], Float[np.ndarray, " modes"]]:
    """Modes of the slow input, slowest first, and their rates per second.

    Activity spreads over the connectome W while it decays: ``decay dx = (strength W - 1) x dt + noise``. A source's
    input is what arrives there, W x. The eigenvectors of W relax each on its own, so that the returned matrix times
    :func:`relaxations` is this process, scaled to unit variance at every source.
    """
    decay_s, strength = rng.uniform(3.0, 6.0), rng.uniform(0.5, 0.9)
    eigenvalues, vectors = np.linalg.eigh(_connectome(spec, rng))
    eigenvalues, vectors = eigenvalues[::-1], vectors[:, ::-1]
    damping = 1 - strength * eigenvalues
    modes = vectors * eigenvalues / np.sqrt(damping)
    return modes / np.linalg.norm(modes, axis=1, keepdims=True), damping / decay_s


def relaxations(
    rates_hz: Float[np.ndarray, " modes"], n_points: int, rng: np.random.Generator
) -> Float[np.ndarray, "modes points"]:
    """Stationary Ornstein-Uhlenbeck processes of unit variance and the given rates per second, every ``STEP_S``."""
    courses = rng.standard_normal((len(rates_hz), n_points))
    keep = np.exp(-rates_hz * STEP_S)
    for point in range(1, n_points):
        courses[:, point] = keep * courses[:, point - 1] + np.sqrt(1 - keep**2) * courses[:, point]
    return courses.astype(np.float32)


def _recorded(
    signals: Float[np.ndarray, "ticks sources"], n_samples: int, sfreq_hz: float
) -> Float[np.ndarray, "sources samples"]:
    """The signals from time 0 on at a recording's rate; what comes before settles the filters."""
    ratio = Fraction(sfreq_hz / TICK_HZ).limit_denominator(1000)
    highpass = signal.butter(2, _HIGHPASS_HZ, "highpass", fs=sfreq_hz, output="sos").astype(np.float32)
    heard = signals[round((BURN_IN_S - _LEAD_S) * TICK_HZ) :]
    before = round(_LEAD_S * sfreq_hz)
    samples = np.empty((signals.shape[1], n_samples), np.float32)
    for first in range(0, len(samples), _SOURCES_AT_ONCE):
        block = slice(first, first + _SOURCES_AT_ONCE)
        resampled = signal.resample_poly(heard[:, block].T, ratio.numerator, ratio.denominator, axis=1)
        samples[block] = signal.sosfilt(highpass, resampled, axis=1)[:, before : before + n_samples]
    return samples
