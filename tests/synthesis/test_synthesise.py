"""Synthesis block by block: no seams, no dependence on where a block begins, honest about missing history."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import nibabel as nib
import numpy as np
import pytest
from flax import nnx

from bids_eeg2fmri.bold import thinning
from bids_eeg2fmri.bold.atlas import load_atlas
from bids_eeg2fmri.bold.grid import make_grid
from bids_eeg2fmri.bold.online import OnlineStatistics
from bids_eeg2fmri.bold.parcellation import load_parcellation, overlap
from bids_eeg2fmri.derivatives.encoding import bold_encoding, total_sd_encoding
from bids_eeg2fmri.derivatives.nifti import nifti_writer
from bids_eeg2fmri.eeg.recording import VolumeClock
from bids_eeg2fmri.errors import BadDataError
from bids_eeg2fmri.network.neuralfield import NeuralField, NeuralFieldConfig
from bids_eeg2fmri.network.recording_facts import RecordingFacts
from bids_eeg2fmri.settings import OutputSpace
from bids_eeg2fmri.synthesis.grid_maps import make_grid_maps
from bids_eeg2fmri.synthesis.spectrogram import SourceSpectrogram
from bids_eeg2fmri.synthesis.synthesise import VOLUMES_PER_BLOCK, Synthesis

GRID = make_grid(OutputSpace(resolution="4"))
CONFIG = NeuralFieldConfig(n_maps=4, n_states=12, n_fourier=8, field_width=16)


def _network():
    """Untrained, but with a posterior that depends on the recording's information."""
    model = NeuralField(CONFIG, rngs=nnx.Rngs(0))
    keys = jax.random.split(jax.random.key(1), 2)
    model.loadings[...] = 0.3 * jax.random.normal(keys[0], model.loadings.shape)
    model.band_weights[...] = 0.3 * jax.random.normal(keys[1], model.band_weights.shape)
    return model


@pytest.fixture(scope="module")
def network():
    model = _network()
    model.linear[...] = 5.0 * jax.random.normal(jax.random.key(0), model.linear.shape)
    # Half the amplitude, less for weaker predictions.
    model.gain_knots[...] = jnp.array([-6.0, -3.0, 0.0, 3.0, 6.0])
    model.gain[...] = jnp.array([0.2, 0.35, 0.5, 0.65, 0.8])
    return model


@pytest.fixture(scope="module")
def maps(network):
    return make_grid_maps(network, make_grid(OutputSpace(resolution="4")))


@pytest.fixture(scope="module")
def spectrogram():
    rng = np.random.default_rng(0)
    log_power = rng.standard_normal((700, 214, 6)).astype(np.float32)
    root = rng.standard_normal((6, 214, 20))
    facts = RecordingFacts(
        amplitude=rng.uniform(0.5, 1.5, (214, 6)).astype(np.float32),
        information=(root @ root.transpose(0, 2, 1) / 40).astype(np.float32),
        profile=rng.standard_normal(214 * 6).astype(np.float32),
        condition=np.zeros(24, np.float32),
        missing=np.zeros((), np.float32),
    )
    return SourceSpectrogram(
        log_power,
        1 + 0.5 * np.arange(700),
        np.ones(700, bool),
        facts,
        resolution=rng.uniform(0.01, 0.2, 214),
        operators=np.zeros((6, 3 * 214, 8), np.float32),
        covariances_uv2=np.zeros((6, 8, 8), np.float32),
    )


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
    coefficients = np.asarray(network.coefficients(network.states(features, spectrogram.facts))).mean(axis=0)
    strength = np.log(np.square(coefficients).sum(axis=1).mean() + 1e-4)
    amplitude = np.interp(strength, network.gain_knots[...], network.gain[...])
    assert 0.2 < amplitude < 0.8
    direct = amplitude * coefficients @ np.asarray(maps.voxels.mean).T
    assert mean.std() > 0.01
    np.testing.assert_allclose(mean, direct[:, : maps.n_voxels], atol=2e-3 * np.abs(direct).max())
    assert summary.parcel_mean_z.shape == (clock.n_volumes, 214)
    assert summary.features_z.shape == (clock.n_volumes, 214, 6)


def test_of_long_series_some_features_are_kept_and_all_can_be_asked_for(network, maps, spectrogram, monkeypatch):
    clock = VolumeClock(0.0, 2.0, 100, "assumed")
    whole = _run(network, maps, spectrogram, clock)[2].features_z
    monkeypatch.setattr(thinning, "MOST_COLUMNS", 30)
    synthesis = Synthesis(network, maps, spectrogram, clock)
    list(synthesis)
    # Each is the middle one of four.
    np.testing.assert_array_equal(synthesis.summary().features_z, whole[2::4])
    np.testing.assert_array_equal(np.concatenate(list(synthesis.features())), whole)


def test_the_size_of_blocks_does_not_matter(network, maps, spectrogram):
    clock = VolumeClock(3.0, 2.0, 90, "assumed")
    whole = Synthesis(network, maps, spectrogram, clock, volumes_per_block=90)
    pieces = Synthesis(network, maps, spectrogram, clock, volumes_per_block=17)
    one, other = (np.concatenate([block.total_sd_z for block in each]) for each in (whole, pieces))
    np.testing.assert_allclose(one, other, rtol=1e-3)
    for name in ("aleatoric_sd_z", "epistemic_sd_z", "novelty", "parcel_mean_z", "parcel_sd_z"):
        np.testing.assert_allclose(
            getattr(pieces.summary(), name), getattr(whole.summary(), name), rtol=1e-3, atol=1e-4
        )


def test_an_eeg_without_information_is_predicted_as_the_mean(network, maps, spectrogram):
    facts = spectrogram.facts
    nothing = facts._replace(information=0 * facts.information, amplitude=0 * facts.amplitude)
    mean, sd, _ = _run(network, maps, replace(spectrogram, facts=nothing), VolumeClock(0.0, 2.0, 20, "assumed"))
    assert not mean.any()
    assert (sd > 0).all()


def test_the_clock_may_begin_anywhere(network, maps, spectrogram):
    """Up to the amplitude, which is that of the volumes asked for."""
    whole, _, _ = _run(network, maps, spectrogram, VolumeClock(0.0, 2.0, 120, "assumed"))
    later, _, _ = _run(network, maps, spectrogram, VolumeClock(60.0, 2.0, 90, "markers: R128"))
    scale = (later * whole[30:]).sum() / np.square(whole[30:]).sum()
    assert scale == pytest.approx(1, abs=0.1)
    np.testing.assert_allclose(later, scale * whole[30:], atol=1e-4)


def test_parcels_are_averages_of_voxels(network, maps, spectrogram):
    mean, _, summary = _run(network, maps, spectrogram, VolumeClock(0.0, 3.0, 20, "assumed"))
    averaging = load_atlas().averaging_matrix(make_grid(OutputSpace(resolution="4")).coordinates_mm)
    np.testing.assert_allclose(summary.parcel_mean_z, mean @ averaging.T, atol=1e-4)


def test_parcels_asked_for_are_the_calibrated_ones(spectrogram):
    """Of parcels that are bundled, the sd is the one that was calibrated; members share their deviations."""
    calibrated = _network()
    calibrated.linear[...] = 5.0 * jax.random.normal(jax.random.key(0), calibrated.linear.shape)
    calibrated.parcel_factor[...] = jnp.linspace(0.5, 1.5, 214)
    calibrated.parcel_noise[...] = jnp.tile(jnp.array([-1.0, 0.5, 0.1, -0.2]), (214, 1))
    own = make_grid_maps(calibrated, GRID)
    synthesis = Synthesis(calibrated, own, spectrogram, VolumeClock(0.0, 2.0, 70, "assumed"))
    lying = overlap(load_parcellation("schaefer200"), GRID.coordinates_mm)
    # Before any block was asked for.
    forecast = synthesis.forecast_parcels(lying)
    list(synthesis)
    summary = synthesis.summary()
    cortical = np.array(load_atlas().networks) != "Subcortical"
    np.testing.assert_allclose(forecast.mean_z, summary.parcel_mean_z[:, cortical], atol=1e-4)
    np.testing.assert_allclose(forecast.sd_z, summary.parcel_sd_z[:, cortical], rtol=2e-3)
    assert forecast.deviations_z.std() > 0
    assert np.linalg.eigvalsh(forecast.correlation).min() > -1e-6
    between = forecast.correlation[np.triu_indices(200, 1)]
    assert between.min() < between.max() < 1


def test_missing_history_is_the_mean_and_less_certain(spectrogram):
    agreeing = _network()
    agreeing.linear[...] = agreeing.linear[...] + 0.05
    agreeing.noise.maps.bias[...] = np.array([0.0, 1.0, 0.0, 0.0], np.float32)
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
    masked, silent = (
        replace(spectrogram, log_power=log_power, valid=valid) for log_power in (spoilt, spectrogram.log_power)
    )
    clock = VolumeClock(0.0, 2.0, 150, "assumed")
    np.testing.assert_allclose(_run(network, maps, masked, clock)[0], _run(network, maps, silent, clock)[0], atol=1e-4)


def test_images_hold_the_same_volumes(network, maps, spectrogram):
    clock = VolumeClock(0.0, 2.0, VOLUMES_PER_BLOCK + 40, "assumed")
    plain, imaged = (Synthesis(network, maps, spectrogram, clock) for _ in range(2))
    volumes = list(plain)
    bold, sd = bold_encoding(), total_sd_encoding()
    for block, numbers in zip(volumes, imaged.for_images(bold, sd), strict=True):
        assert numbers.bold.dtype == np.int16 and numbers.bold.shape == block.mean_z.shape
        units = numbers.bold * bold.slope + bold.intercept
        np.testing.assert_allclose(units, 1000 + 10 * block.mean_z, atol=0.51 * bold.slope)
        np.testing.assert_allclose(numbers.total_sd * sd.slope, 10 * block.total_sd_z, atol=0.51 * sd.slope)
    np.testing.assert_allclose(imaged.statistics().mean_sd_z, plain.statistics().mean_sd_z, rtol=1e-5)


@pytest.mark.parametrize("float32", [False, True])
def test_images_hold_the_volumes(network, maps, spectrogram, tmp_path, float32):
    clock = VolumeClock(0.0, 2.0, 30, "assumed")
    bold, sd = bold_encoding(float32), total_sd_encoding(float32)
    (block,) = Synthesis(network, maps, spectrogram, clock)
    (numbers,) = Synthesis(network, maps, spectrogram, clock).for_images(bold, sd)
    expected = (1000 + 10 * block.mean_z, 10 * block.total_sd_z)
    for name, encoding, values, units in zip("bs", (bold, sd), (numbers.bold, numbers.total_sd), expected, strict=True):
        path = tmp_path / f"{name}.nii.gz"
        with nifti_writer(path, GRID, encoding, n_volumes=30, tr_s=2.0) as writer:
            writer.write(values)
        np.testing.assert_allclose(
            nib.load(path).get_fdata()[GRID.mask].T, units, rtol=1e-6, atol=0.51 * encoding.slope
        )


def test_volumes_that_numbers_cannot_hold_come_as_values(network, maps, spectrogram):
    loud = nnx.clone(network)
    loud.gain[...] = 1e4 * loud.gain[...]
    clock = VolumeClock(0.0, 2.0, 30, "assumed")
    (values,) = Synthesis(loud, maps, spectrogram, clock)
    (block,) = Synthesis(loud, maps, spectrogram, clock).for_images(bold_encoding(), total_sd_encoding())
    np.testing.assert_array_equal(block.bold, values.mean_z)
    np.testing.assert_array_equal(block.total_sd, values.total_sd_z)


def test_a_prediction_that_is_no_number_is_refused(network, maps, spectrogram):
    broken = nnx.clone(network)
    broken.gain[...] = np.nan * broken.gain[...]
    with pytest.raises(BadDataError, match="not numbers"):
        next(iter(Synthesis(broken, maps, spectrogram, VolumeClock(0.0, 2.0, 30, "assumed"))))


def test_statistics_are_those_of_the_volumes(network, maps, spectrogram):
    clock = VolumeClock(0.0, 2.0, VOLUMES_PER_BLOCK + 40, "assumed")
    synthesis = Synthesis(network, maps, spectrogram, clock)
    streamed = OnlineStatistics(GRID, clock.n_volumes)
    for block in synthesis:
        streamed.update(block.mean_z, block.total_sd_z)
    found, expected = synthesis.statistics(), streamed.finish()
    for name in ("mean_z", "tstd_z", "total_sd_z", "mean_sd_z", "region_means_z", "step_rms_z", "carpet_z"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), rtol=1e-4, atol=1e-5, err_msg=name)
    np.testing.assert_allclose(found.film.mean_z, expected.film.mean_z, atol=1e-5)
    np.testing.assert_allclose(found.film.sd_z, expected.film.sd_z, rtol=1e-4)
