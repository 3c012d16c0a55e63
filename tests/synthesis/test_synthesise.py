"""Synthesis block by block: no seams, no dependence on where a block begins, honest about missing history."""

import jax
import numpy as np
import pytest
from flax import nnx

from bids_eeg2fmri.bold.grid import make_grid
from bids_eeg2fmri.eeg.recording import VolumeClock
from bids_eeg2fmri.network.neuralfield import NeuralField, NeuralFieldConfig
from bids_eeg2fmri.settings import OutputSpace
from bids_eeg2fmri.synthesis.grid_maps import make_grid_maps
from bids_eeg2fmri.synthesis.spectrogram import Spectrogram
from bids_eeg2fmri.synthesis.synthesise import VOLUMES_PER_BLOCK, Synthesis


@pytest.fixture(scope="module")
def network():
    model = NeuralField(NeuralFieldConfig(n_maps=4, n_fourier=8, field_width=16), rngs=nnx.Rngs(0))
    model.linear[...] = 0.05 * jax.random.normal(jax.random.key(0), model.linear.shape)
    return model


@pytest.fixture(scope="module")
def maps(network):
    return make_grid_maps(network, make_grid(OutputSpace(resolution="4")))


@pytest.fixture(scope="module")
def spectrogram():
    rng = np.random.default_rng(0)
    log_power = rng.standard_normal((700, 214, 6)).astype(np.float32)
    return Spectrogram(log_power, 1 + 0.5 * np.arange(700), np.ones(700, bool), rng.uniform(0.01, 0.2, 214))


def _run(network, maps, spectrogram, clock):
    synthesis = Synthesis(network, maps, spectrogram, clock)
    blocks = list(synthesis)
    return (
        np.concatenate([b.mean_z for b in blocks]),
        np.concatenate([b.total_sd_z for b in blocks]),
        synthesis.summary(),
    )


def test_blocks_join_without_seams(network, maps, spectrogram):
    clock = VolumeClock(0.0, 2.0, VOLUMES_PER_BLOCK + 40, "assumed")
    mean, sd, summary = _run(network, maps, spectrogram, clock)
    assert mean.shape == sd.shape == (clock.n_volumes, maps.n_voxels)
    frames = spectrogram.standardised(0, 700)
    features = network.features(frames, spectrogram.times_s.astype(np.float32), clock.onsets_s.astype(np.float32), 0.5)
    direct = np.asarray(network.coefficients(features)).mean(axis=0) @ np.asarray(maps.voxels.mean).T
    np.testing.assert_allclose(mean, direct[:, : maps.n_voxels], atol=1e-4)
    assert summary.parcel_mean_z.shape == (clock.n_volumes, 214)
    assert summary.features_z.shape == (clock.n_volumes, 214, 6)


def test_the_clock_may_begin_anywhere(network, maps, spectrogram):
    whole, _, _ = _run(network, maps, spectrogram, VolumeClock(0.0, 2.0, 120, "assumed"))
    later, _, _ = _run(network, maps, spectrogram, VolumeClock(60.0, 2.0, 90, "markers: R128"))
    np.testing.assert_allclose(later, whole[30:], atol=1e-4)


def test_parcels_are_averages_of_voxels(network, maps, spectrogram):
    mean, _, summary = _run(network, maps, spectrogram, VolumeClock(0.0, 3.0, 20, "assumed"))
    from bids_eeg2fmri.bold.atlas import load_atlas

    averaging = load_atlas().averaging_matrix(make_grid(OutputSpace(resolution="4")).coordinates_mm)
    np.testing.assert_allclose(summary.parcel_mean_z, mean @ averaging.T, atol=1e-4)


def test_missing_history_is_the_mean_and_less_certain(spectrogram):
    agreeing = NeuralField(NeuralFieldConfig(n_maps=4, n_fourier=8, field_width=16), rngs=nnx.Rngs(0))
    agreeing.linear[...] = agreeing.linear[...] + 0.05
    agreeing.noise.maps.bias[...] = np.array([0.0, 1.0, 0.0, 0.0, 0.0], np.float32)
    agreeing.noise.maps.kernel[...] = 0 * agreeing.noise.maps.kernel[...]
    # Scores above the last quantile widen the intervals: here nothing is novel.
    agreeing.novelty.quantiles[...] = np.linspace(0, 1e6, 101, dtype=np.float32)
    maps = make_grid_maps(agreeing, make_grid(OutputSpace(resolution="4")))
    mean, sd, _ = _run(agreeing, maps, spectrogram, VolumeClock(0.0, 2.0, 60, "assumed"))
    assert np.abs(mean[0]).max() < 1e-6
    np.testing.assert_allclose(sd[0], np.exp(0.5), rtol=1e-3)
    np.testing.assert_allclose(sd[30:], 1, rtol=1e-2)


def test_bad_frames_do_not_speak(network, maps, spectrogram):
    valid = np.ones(700, bool)
    valid[200:300] = False
    spoilt = spectrogram.log_power.copy()
    spoilt[200:300] = 50.0
    masked = Spectrogram(spoilt, spectrogram.times_s, valid, spectrogram.resolution)
    silent = Spectrogram(spectrogram.log_power, spectrogram.times_s, valid, spectrogram.resolution)
    clock = VolumeClock(0.0, 2.0, 150, "assumed")
    np.testing.assert_allclose(_run(network, maps, masked, clock)[0], _run(network, maps, silent, clock)[0], atol=1e-4)
