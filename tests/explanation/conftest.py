"""A simulated person with planted couplings, explained once, and small published networks."""

import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from bids_eeg2fmri.bold.grid import make_grid
from bids_eeg2fmri.eeg.recording import VolumeClock
from bids_eeg2fmri.network.bundle import load_bundle
from bids_eeg2fmri.network.calhas2022 import Blocks, Calhas2022, Calhas2022Config
from bids_eeg2fmri.phantom.caps import cap_names
from bids_eeg2fmri.phantom.draw import draw_person
from bids_eeg2fmri.phantom.recording import simulated_recording
from bids_eeg2fmri.phantom.sources import simulate_sources
from bids_eeg2fmri.settings import OutputSpace
from bids_eeg2fmri.synthesis.grid_maps import make_grid_maps
from bids_eeg2fmri.synthesis.spectrogram import compute_spectrogram

# The benchmarks are scripts beside the package.
sys.path.insert(0, str(Path(__file__).parents[2]))

SFREQ_HZ = 128.0
_QUICK = {"xla_backend_optimization_level": 0}
ONE_BLOCK = Blocks(((3, 5, 2),), ((1, 2, 1),), (2, 2, 1), (1, 1, 1))


@pytest.fixture(scope="session")
def network():
    return load_bundle("neuralfield-sim").network


@pytest.fixture(scope="session")
def maps(network):
    """Of the networks in which something is planted."""
    from benchmarks.explanation import region_maps

    return region_maps(network)


@pytest.fixture(scope="session")
def grid_maps(network):
    """Of the output grid of 4 mm."""
    return make_grid_maps(network, make_grid(OutputSpace(resolution="4")))


@pytest.fixture(scope="session")
def planted():
    """A person whose visual alpha, somatomotor beta and default-mode gamma follow BOLD, with 32 electrodes."""
    from benchmarks.explanation import FIRST_SEED, plant

    rng = np.random.default_rng(0)
    spec = plant(draw_person(FIRST_SEED))
    activity = simulate_sources(spec, 180.0, SFREQ_HZ, rng)
    clock = VolumeClock(0.0, 2.0, 90, "simulated")
    recording = simulated_recording(activity, spec, cap_names(32), rng, clock=clock, label="planted")
    return spec, activity, recording


@pytest.fixture(scope="session")
def recording(planted):
    return planted[2]


@pytest.fixture(scope="session")
def spectrogram(recording):
    return compute_spectrogram(recording)


@pytest.fixture(scope="session")
def small_published():
    """Makes small published networks whose biases and normalisations are not those of a beginning training."""

    made = {}

    def make(**changes) -> Calhas2022:
        key = repr(sorted(changes.items()))
        if key not in made:
            made[key] = make_new(**changes)
        return made[key]

    def make_new(**changes) -> Calhas2022:
        options = {
            "eeg_shape": (8, 20, 6),
            "fmri_shape": (6, 6, 4),
            "latent_shape": (3, 3, 3),
            "n_filters": 2,
            "eeg_blocks": ONE_BLOCK,
            "fmri_blocks": None,
        }
        config = Calhas2022Config(**(options | changes))
        network = jax.jit(lambda: nnx.split(Calhas2022(config, rngs=nnx.Rngs(0)))[1], compiler_options=_QUICK)()
        network = nnx.merge(nnx.split(nnx.eval_shape(lambda: Calhas2022(config, rngs=nnx.Rngs(0))))[0], network)
        nnx.update(network, jax.tree_util.tree_map_with_path(_stirred, nnx.state(network)))
        network.eval()
        return network

    return make


@pytest.fixture(scope="session")
def compiled():
    """A function that compiles ``function(module, *inputs)`` as quickly as possible, calls it and returns its value."""

    def call(function, module, *inputs):
        structure, state = nnx.split(module)

        def pure(state, *inputs):
            return function(nnx.merge(structure, state, copy=True), *inputs)

        return jax.jit(pure, compiler_options=_QUICK)(state, *inputs)

    return call


def _stirred(path, array):
    name = jax.tree_util.keystr(path)
    if not jnp.issubdtype(array.dtype, jnp.floating) or not any(key in name for key in ("bias", "mean", "var")):
        return array
    noise = np.random.default_rng(sum(map(ord, name))).normal(0, 0.1, array.shape)
    return array + (np.abs(noise) if "var" in name else noise)
