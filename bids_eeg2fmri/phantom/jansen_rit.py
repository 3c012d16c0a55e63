"""Jansen-Rit neural masses of several speeds in every source, excited by noise and a slow input.

The equations are linear but for the firing rates, so that each synapse is advanced exactly for an input that is held
for a step of 1/512 s.

References
----------
B. H. Jansen and V. G. Rit, Biol. Cybern. 73 (1995) 357-366: equations and constants.
O. David and K. J. Friston, NeuroImage 20 (2003) 1743-1755: masses of several kinetics in one source; their speed sets
the rhythm, while gain times time constant is kept.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, UInt8
from scipy.spatial.distance import cdist

from ..bold.atlas import load_atlas
from .sources import STEP_S

# Jansen and Rit's constants: gains in mV, time constants in seconds, the sigmoid in pulses/s, mV and 1/mV.
EXCITATORY_GAIN_MV, INHIBITORY_GAIN_MV = 3.25, 22.0
EXCITATORY_S, INHIBITORY_S = 0.010, 0.020
HALF_MAXIMUM_RATE, THRESHOLD_MV, SIGMOID_SLOPE = 2.5, 6.0, 0.56
CONNECTIVITY = 135.0

TICK_HZ = 256
_SUBSTEPS = 2
_TICKS_PER_STEP = round(STEP_S * TICK_HZ)
_STEPS_AT_ONCE = 20
_COHERENCE_MM = 16.0
_BYTE_MEAN, _BYTE_SD = 127.5, 73.9


class Masses(NamedTuple):
    """The masses of every source of a brain.

    Attributes
    ----------
    slowness
        Time constants over Jansen and Rit's.
    connectivity
        Their constant C.
    input_rate
        Mean input in pulses/s.
    swing_rate
        Standard deviation of the slow input in pulses/s.
    noise_rate
        rms of the fast input in pulses/s; a value holds for 1/512 s.
    shared_noise
        Share of the fast input's power that is common to a neighbourhood.
    weights
        Of each mass in its source's signal, per mV.
    """

    slowness: Float[Array, "masses 1"]
    connectivity: Float[Array, "masses 1"]
    input_rate: Float[Array, "masses sources"]
    swing_rate: Float[Array, "masses 1"]
    noise_rate: Float[Array, "masses 1"]
    shared_noise: Float[Array, ""]
    weights: Float[Array, "masses sources"]


class _Synapse(NamedTuple):
    """Potential of one kind of synapse, and where its first stage stands (both in mV)."""

    potential: Float[Array, "masses sources"]
    first_stage: Float[Array, "masses sources"]


class _State(NamedTuple):
    """The synapses of the pyramidal cells' targets, and the two on the pyramidal cells."""

    interneurons: _Synapse
    excitatory: _Synapse
    inhibitory: _Synapse


def integrate(
    masses: Masses,
    parcels: Int[np.ndarray, " sources"],
    slow_input: Float[np.ndarray, "sources points"],
    rng: np.random.Generator,
) -> tuple[Float[np.ndarray, "ticks sources"], Float[np.ndarray, "sources steps"]]:
    """Run the masses from rest.

    Parameters
    ----------
    masses
        Their constants and inputs.
    parcels
        Parcel (0-based) of every source: fast noise is alike in sources of one parcel, and of parcels near each other.
    slow_input
        Slow input of every source in units of its standard deviation, at both ends of every step of ``STEP_S``.
    rng
        Source of randomness of the fast noise.

    Returns
    -------
    signals
        Weighted sums of the pyramidal cells' potentials at ``TICK_HZ``.
    firing
        Firing rate of the pyramidal cells in pulses/s, averaged over the masses and over every step.
    """
    n_steps = slow_input.shape[1] - 1
    shape = masses.input_rate.shape
    rest = _Synapse(jnp.zeros(shape, jnp.float32), jnp.zeros(shape, jnp.float32))
    state = _State(rest, rest, rest)
    mixing = _noise_mixing()
    signals, firing = [], []
    slow = np.asarray(slow_input.T, np.float32)
    for first in range(0, n_steps, _STEPS_AT_ONCE):
        # The last block is as long as the others, for one compiled shape; what is too much is left out.
        count = min(_STEPS_AT_ONCE, n_steps - first)
        points = np.minimum(np.arange(first, first + _STEPS_AT_ONCE + 1), n_steps)
        own = rng.integers(0, 256, (_STEPS_AT_ONCE, _TICKS_PER_STEP, _SUBSTEPS, *shape), np.uint8)
        shared = rng.integers(0, 256, (*own.shape[:3], len(mixing)), np.uint8)
        state, block, rates = _advance(masses, state, slow[points], own, shared, mixing, parcels)
        signals.append(np.asarray(block).reshape(-1, shape[1])[: count * _TICKS_PER_STEP])
        firing.append(np.asarray(rates)[:count])
    return np.concatenate(signals), np.concatenate(firing).T


def _noise_mixing() -> Float[np.ndarray, "parcels parcels"]:
    """Matrix that makes the parcels' independent noise alike in neighbours, and leaves its variance."""
    centres = load_atlas().centres_mm
    mixing = np.exp(-0.5 * (cdist(centres, centres) / _COHERENCE_MM) ** 2)
    return (mixing / np.linalg.norm(mixing, axis=0)).astype(np.float32)


@jax.jit
def _advance(
    masses: Masses,
    state: _State,
    slow_input: Float[Array, "points sources"],
    own: UInt8[Array, "steps ticks substeps masses sources"],
    shared: UInt8[Array, "steps ticks substeps parcels"],
    mixing: Float[Array, "parcels parcels"],
    parcels: Int[Array, " sources"],
) -> tuple[_State, Float[Array, "steps ticks sources"], Float[Array, "steps sources"]]:
    """Some steps; bytes make the noise, which the synapses smooth: it is drawn much faster than normal numbers."""
    common = (_unit_noise(shared) @ mixing)[..., parcels]
    place = jnp.arange(_TICKS_PER_STEP, dtype=jnp.float32)[:, None] / _TICKS_PER_STEP

    def step(state: _State, inputs: tuple[Array, ...]) -> tuple[_State, tuple[Array, Array]]:
        before, after, own, common = inputs
        slow = before + place * (after - before)
        state, (signals, rates) = jax.lax.scan(partial(_tick, masses), state, (slow, own, common))
        return state, (signals, rates.mean(axis=0))

    state, (signals, rates) = jax.lax.scan(step, state, (slow_input[:-1], slow_input[1:], own, common))
    return state, signals, rates


def _unit_noise(values: UInt8[Array, "*shape"]) -> Float[Array, "*shape"]:
    return (values.astype(jnp.float32) - _BYTE_MEAN) / _BYTE_SD


def _tick(masses: Masses, state: _State, inputs: tuple[Array, ...]) -> tuple[_State, tuple[Array, Array]]:
    """Mean signal and mean firing rate over a tick's substeps."""
    slow, own, common = inputs
    steady = masses.input_rate + masses.swing_rate * slow
    share = masses.shared_noise
    noise = jnp.sqrt(share) * common[:, None] + jnp.sqrt(1 - share) * _unit_noise(own)
    potential = rate = jnp.zeros_like(masses.input_rate)
    for substep in range(_SUBSTEPS):
        state, fired = _substep(masses, state, steady + masses.noise_rate * noise[substep])
        potential += state.excitatory.potential - state.inhibitory.potential
        rate += fired
    return state, ((masses.weights * potential).sum(axis=0) / _SUBSTEPS, rate.mean(axis=0) / _SUBSTEPS)


def _substep(
    masses: Masses, state: _State, external: Float[Array, "masses sources"]
) -> tuple[_State, Float[Array, "masses sources"]]:
    """Jansen and Rit's equations; the interneurons go first, so that no loop is delayed by a substep."""
    count = masses.connectivity
    rate = _firing_rate(state.excitatory.potential - state.inhibitory.potential)
    interneurons = _excite(state.interneurons, rate, masses)
    from_excitatory = external + 0.8 * count * _firing_rate(count * interneurons.potential)
    from_inhibitory = 0.25 * count * _firing_rate(0.25 * count * interneurons.potential)
    excitatory = _excite(state.excitatory, from_excitatory, masses)
    gain = INHIBITORY_GAIN_MV * INHIBITORY_S
    inhibitory = _respond(state.inhibitory, gain * from_inhibitory, INHIBITORY_S * masses.slowness)
    return _State(interneurons, excitatory, inhibitory), rate


def _firing_rate(potential_mv: Float[Array, "masses sources"]) -> Float[Array, "masses sources"]:
    """Firing rate of a population in pulses/s."""
    return HALF_MAXIMUM_RATE * (1 + jnp.tanh(0.5 * SIGMOID_SLOPE * (potential_mv - THRESHOLD_MV)))


def _excite(synapse: _Synapse, rate: Float[Array, "masses sources"], masses: Masses) -> _Synapse:
    return _respond(synapse, EXCITATORY_GAIN_MV * EXCITATORY_S * rate, EXCITATORY_S * masses.slowness)


def _respond(
    synapse: _Synapse, settled_mv: Float[Array, "masses sources"], time_constant_s: Float[Array, "masses 1"]
) -> _Synapse:
    """Exact response of a ``t exp(-t / time constant)`` kernel to an input under which it would settle."""
    step = 1 / (TICK_HZ * _SUBSTEPS * time_constant_s)
    decay = jnp.exp(-step)
    away = synapse.first_stage - settled_mv
    potential = decay * (synapse.potential + step * away) + (1 - decay) * settled_mv
    return _Synapse(potential, settled_mv + decay * away)
