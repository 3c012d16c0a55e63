"""Examples of recordings with BOLD: the synthesis's own features, the BOLD's own series, kept on disk by content."""

from dataclasses import replace

import jax.numpy as jnp
import nibabel as nib
import numpy as np
import pytest
from flax import nnx

from bids_eeg2fmri.bids.bold_file import BoldFile
from bids_eeg2fmri.bids.pairing import pair_with_bold
from bids_eeg2fmri.bids.selection import select_recordings
from bids_eeg2fmri.bold.grid import make_grid
from bids_eeg2fmri.bold.real_bold import read_real_bold
from bids_eeg2fmri.eeg.leadfield import template_positions_m
from bids_eeg2fmri.eeg.recording import Cleaning, Recording, VolumeClock
from bids_eeg2fmri.errors import BadDataError
from bids_eeg2fmri.learning.examples import load_examples, sample_voxels
from bids_eeg2fmri.learning.paired import cache_pair, example_from_pair
from bids_eeg2fmri.learning.predict import Predictor
from bids_eeg2fmri.network.neuralfield import NeuralField, NeuralFieldConfig
from bids_eeg2fmri.phantom.caps import cap_names
from bids_eeg2fmri.phantom.dataset import write_dataset
from bids_eeg2fmri.phantom.request import Request
from bids_eeg2fmri.settings import OutputSpace, Settings
from bids_eeg2fmri.synthesis.grid_maps import make_grid_maps
from bids_eeg2fmri.synthesis.spectrogram import compute_spectrogram
from bids_eeg2fmri.synthesis.synthesise import Synthesis

CONFIG = NeuralFieldConfig(n_maps=4, n_states=12, n_fourier=8, field_width=16, noise_fourier=4, noise_width=8)
# More volumes than one block of features holds.
N_VOLUMES, TR_S, START_TIME_S = 330, 1.0, 0.5
SFREQ_HZ = 100.0
HALF_PRECISION_STEP = 6e-8


@pytest.fixture(scope="module")
def recording():
    rng = np.random.default_rng(0)
    names = cap_names(19)
    signals = 1e-5 * rng.standard_normal((19, int(345 * SFREQ_HZ))).astype(np.float32)
    signals *= 1 + 0.5 * np.sin(2 * np.pi * 0.03 * np.arange(signals.shape[1]) / SFREQ_HZ)
    good = np.ones(19, bool)
    good[4] = False
    signals[4] = 0
    empty = np.zeros(0)
    cleaning = Cleaning((), {names[4]: "flat"}, ((100.0, 112.0),), None, empty, empty, empty)
    return Recording(
        signals_v=signals,
        sfreq_hz=SFREQ_HZ,
        source_sfreq_hz=SFREQ_HZ,
        channel_names=names,
        positions_m=template_positions_m(names),
        positions_source="test",
        good=good,
        left_out={},
        events=(),
        clock=VolumeClock(7.3, TR_S, N_VOLUMES, "markers: R128"),
        cleaning=cleaning,
        reference="average",
        source="sub-01_task-rest_eeg.vhdr",
    )


@pytest.fixture(scope="module")
def bold(tmp_path_factory):
    """BOLD of the upper half of the head, in which one corner is silent."""
    grid = make_grid(OutputSpace(resolution="4"))
    lower = grid.shape[2] // 2
    data = np.random.default_rng(1).normal(1000, 10, (*grid.shape[:2], grid.shape[2] - lower, N_VOLUMES))
    data[: grid.shape[0] // 3] = 500
    affine = grid.affine.copy()
    affine[:3, 3] += affine[:3, 2] * lower
    image = nib.Nifti1Image(data.astype(np.float32), affine)
    image.header.set_zooms((4, 4, 4, TR_S))
    image.header.set_xyzt_units("mm", "sec")
    path = tmp_path_factory.mktemp("bold") / "sub-01_task-rest_space-MNI152NLin2009cAsym_desc-preproc_bold.nii"
    nib.save(image, path)
    return read_real_bold(BoldFile(path, "raw", sidecar={"RepetitionTime": TR_S, "StartTime": START_TIME_S}))


@pytest.fixture(scope="module")
def example(recording, bold):
    return example_from_pair(recording, bold, CONFIG, subject="01", label="sub-01_task-rest")


@pytest.fixture(scope="module")
def network(example):
    model = NeuralField(CONFIG, rngs=nnx.Rngs(0))
    rng = np.random.default_rng(2)
    for variable, scale in (
        (model.loadings, 0.3),
        (model.band_weights, 1.0),
        (model.linear, 3.0),
        (model.novelty.axes, 0.01),
        (model.noise.maps.kernel, 0.3),
    ):
        variable[...] = jnp.asarray(scale * rng.standard_normal(variable.shape), jnp.float32)
    model.novelty.quantiles[...] = jnp.linspace(0, 40, 101)
    model.gain_knots[...] = jnp.linspace(-8.0, 8.0, CONFIG.n_gains)
    model.gain[...] = jnp.linspace(0.2, 0.8, CONFIG.n_gains)
    model.usual[...] = jnp.array([[0.3, -1.0], [0.5, 2.0]])
    return model


@pytest.fixture(scope="module")
def synthesised(network, recording):
    """The synthesis's own volumes, its summary, and the maps it used."""
    maps = make_grid_maps(network, make_grid(OutputSpace(resolution="4")))
    synthesis = Synthesis(network, maps, compute_spectrogram(recording), recording.clock, START_TIME_S)
    volumes = np.concatenate([block.mean_z for block in synthesis])
    return volumes, synthesis.summary(), maps


def test_features_are_those_of_the_synthesis(example, synthesised, network):
    volumes, summary, maps = synthesised
    canonical = example.features.reshape(N_VOLUMES, len(CONFIG.peaks_s), 214, 6)[:, 1]
    np.testing.assert_allclose(canonical, summary.features_z, atol=2e-3)
    np.testing.assert_array_equal(example.resolution, summary.resolution)
    # Every lag: coefficients from the example, rendered on the grid, are the synthesised volumes.
    states = network.states(jnp.asarray(example.features, jnp.float32), example.facts)
    coefficients = network.coefficients(states)
    strength = network.strength(coefficients, jnp.ones(N_VOLUMES))
    expected = float(network.amplitude(strength)) * np.asarray(coefficients).mean(axis=0)
    expected = expected @ np.asarray(maps.voxels.mean)[: maps.n_voxels].T
    assert volumes.std() > 0.001
    np.testing.assert_allclose(volumes, expected, atol=1e-2 * np.abs(expected).max())
    score = network.novelty.score(
        jnp.asarray(example.features, jnp.float32), example.description, jnp.asarray(example.evidence)
    )
    np.testing.assert_allclose(network.novelty.percentile(score), summary.novelty, atol=0.1)


def test_predictor_and_synthesis_agree(example, synthesised, network):
    """Parcels are averages of the grid's voxels in the one, of the sample voxels in the other."""
    _, summary, _ = synthesised
    predicted = Predictor(network)(example)
    series = zip(predicted.parcel_mean.T, summary.parcel_mean_z.T, strict=True)
    assert np.median([np.corrcoef(one, other)[0, 1] for one, other in series]) > 0.99
    np.testing.assert_allclose(predicted.parcel_sd, summary.parcel_sd_z, rtol=0.03)
    percentile = network.novelty.percentile(jnp.asarray(predicted.novelty_score))
    np.testing.assert_allclose(percentile, summary.novelty, atol=0.1)


def test_facts_are_those_of_the_spectrogram(example, recording):
    spectrogram = compute_spectrogram(recording)
    for name, value in spectrogram.facts._asdict().items():
        kept = np.asarray(getattr(example.facts, name))
        np.testing.assert_allclose(kept, value, rtol=2e-3, atol=HALF_PRECISION_STEP, err_msg=name)
    # Bad frames are those that touch 12 s of artefact, and half a window of 2 s on either side.
    assert float(example.missing) == pytest.approx((12 + 2) / 345, abs=0.003)
    # One standard deviation of the log power, in units of the score: its mean times that.
    power = np.exp(spectrogram.log_power[spectrogram.valid].astype(float))
    expected = np.log(power).std(axis=0) * power.mean(axis=0)
    np.testing.assert_allclose(spectrogram.facts.amplitude, expected, rtol=1e-3)
    # White noise on the electrodes: next to nothing of it is the brain's.
    assert (spectrogram.facts.condition[: CONFIG.n_bands] < -1).all()


def test_evidence_is_low_at_the_start_and_after_bad_segments(example, recording):
    times_s = recording.clock.onsets_s + START_TIME_S
    clean = (times_s > 30) & ((times_s < 98) | (times_s > 140))
    np.testing.assert_allclose(example.evidence[clean], 1, atol=0.02)
    assert example.evidence[0] < 0.8
    assert example.evidence[np.abs(times_s - 112).argmin()] < 0.3


def test_targets_are_the_bold_and_nan_where_there_is_none(example, bold):
    targets = bold.targets(sample_voxels()[0])
    assert 0.1 < targets.valid.mean() < 0.9
    np.testing.assert_array_equal(np.isfinite(example.targets).all(axis=0), targets.valid)
    np.testing.assert_array_equal(np.isnan(example.targets).all(axis=0), ~targets.valid)
    np.testing.assert_allclose(example.targets[:, targets.valid], targets.z[:, targets.valid], atol=5e-3)
    parcels = example.parcel_targets
    labels = sample_voxels()[1]
    parcel = labels[targets.valid & (labels > 0)][0]
    expected = targets.z[:, targets.valid & (labels == parcel)].mean(axis=1)
    np.testing.assert_allclose(parcels[:, parcel - 1], expected, atol=5e-3)
    nowhere = np.setdiff1d(np.arange(1, 215), labels[targets.valid])
    assert np.isnan(parcels[:, nowhere - 1]).all()


def test_electrodes_are_in_the_order_of_their_names_and_bad_ones_average(example, recording):
    assert example.channel_names == tuple(sorted(recording.channel_names))
    assert example.n_channels == 18
    sensors = example.sensor_features.reshape(N_VOLUMES, 19, 6)
    bad = example.channel_names.index(recording.channel_names[4])
    assert not sensors[:, bad].any()
    assert (np.delete(sensors, bad, axis=1).std(axis=0) > 0).all()


def test_predicts_long_recordings_in_blocks(example, network):
    """The same volumes as when the recording is cut where no block ends; its strength is that of all volumes."""
    same = nnx.clone(network)
    same.gain[...] = jnp.full_like(same.gain[...], 0.5)
    same.usual[...] = jnp.array([[0.0, 0.0], [1.0, 1e9]])
    predict = Predictor(same)
    part = replace(example, features=example.features[200:], evidence=example.evidence[200:])
    whole, later = predict(example), predict(part)
    for name in ("mean", "total_sd", "parcel_mean", "parcel_sd", "conditions", "novelty_score"):
        np.testing.assert_allclose(getattr(whole, name)[200:], getattr(later, name), atol=1e-4)
    coefficients = network.coefficients(network.states(jnp.asarray(example.features, jnp.float32), example.facts))
    between = np.asarray(coefficients).var(axis=0, ddof=1).sum()
    assert between > 0
    assert np.isfinite(whole.epistemic).all()


def test_clocks_that_disagree_are_refused(recording, bold):
    other = replace(recording, clock=replace(recording.clock, n_volumes=N_VOLUMES - 3))
    with pytest.raises(BadDataError, match="disagree"):
        example_from_pair(other, bold, CONFIG, subject="01", label="sub-01_task-rest")


def test_a_pair_is_read_once_and_again_when_its_content_changes(tmp_path, monkeypatch):
    dataset = tmp_path / "phantom"
    write_dataset(Request(dataset, cap="19", duration_s=60, lead_in_s=2, sfreq_hz=128, resolution="4"))
    settings = Settings(dataset, tmp_path / "out", "train", work_dir=tmp_path / "work", skip_bids_validation=True)
    (pair,) = pair_with_bold(select_recordings(settings).recordings, settings).pairs
    folder = tmp_path / "work" / "examples"
    rest = (settings, CONFIG, folder)
    path = cache_pair(pair, *rest)
    (example,) = load_examples(path)
    assert example.subject == pair.eeg.subject
    assert example.label == pair.eeg.label
    assert np.isfinite(example.targets).any()
    assert example.features.shape == (30, CONFIG.n_features)

    written = path.stat().st_mtime_ns
    assert cache_pair(pair, *rest) == path
    assert path.stat().st_mtime_ns == written

    later = cache_pair(replace(pair, bold=replace(pair.bold, sidecar=pair.bold.sidecar | {"StartTime": 0.25})), *rest)
    image = nib.load(pair.bold.path)
    nib.save(nib.Nifti1Image(np.asarray(image.dataobj)[..., ::-1], image.affine, image.header), pair.bold.path)
    assert len({path, later, cache_pair(pair, *rest)}) == 3
    assert not list(folder.glob(".tmp-*"))
