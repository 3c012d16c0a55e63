"""The published network over a recording: the numbers of calling it by hand, and an honest spread around them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from flax import nnx

from bids_eeg2fmri.bold.atlas import load_atlas
from bids_eeg2fmri.bold.grid import make_grid
from bids_eeg2fmri.bold.parcellation import load_parcellation, overlap
from bids_eeg2fmri.eeg.leadfield import template_positions_m
from bids_eeg2fmri.eeg.recording import Cleaning, Recording, VolumeClock
from bids_eeg2fmri.network.calhas2022 import VariationalCosine
from bids_eeg2fmri.settings import OutputSpace
from bids_eeg2fmri.synthesis.cap_spectra import CapSpectra
from bids_eeg2fmri.synthesis.drawn import aleatoric_variance
from bids_eeg2fmri.synthesis.published import VolumePredictor
from bids_eeg2fmri.synthesis.start import make_maps, prepare, start_synthesis
from bids_eeg2fmri.synthesis.volume_maps import VolumeMaps

NAMES = (
    *("Fp1", "Fp2", "F7", "F3", "Fz", "F4", "F8", "T7", "C3", "Cz"),
    *("C4", "T8", "P7", "P3", "Pz", "P4", "P8", "O1", "O2"),
)
SFREQ_HZ, TR_S, N_VOLUMES = 100.0, 2.0, 40
GRID = make_grid(OutputSpace(resolution="4"))
RNG = np.random.default_rng(0)
CONSTANTS = {
    "gain": 0.6,
    "residual_sd": RNG.uniform(0.6, 0.9, (9, 10, 8)),
    "voxel_factor": RNG.uniform(0.9, 1.2, 215),
    "parcel_factor": RNG.uniform(0.5, 0.8, 214),
}


@pytest.fixture(scope="module")
def recording() -> Recording:
    signals = np.random.default_rng(1).standard_normal((len(NAMES), round((N_VOLUMES * TR_S + 7) * SFREQ_HZ)))
    nothing = np.zeros((len(NAMES), 1))
    return Recording(
        signals_v=(1e-5 * (signals - signals.mean(axis=0))).astype(np.float32),
        sfreq_hz=SFREQ_HZ,
        source_sfreq_hz=SFREQ_HZ,
        channel_names=NAMES,
        positions_m=template_positions_m(NAMES),
        positions_source="file",
        good=np.ones(len(NAMES), bool),
        left_out={},
        events=(),
        clock=VolumeClock(6.0, TR_S, N_VOLUMES, "markers: R128"),
        cleaning=Cleaning((), {}, (), None, np.zeros(1), nothing, nothing),
        reference="average",
        source=Path("sub-01_task-rest_eeg.edf"),
    )


@pytest.fixture(scope="module")
def network(tiny_published):
    trained = tiny_published(NAMES, constants=CONSTANTS)
    # Nothing is novel here.
    trained.novelty.quantiles[...] = np.linspace(0, 1e6, 101, dtype=np.float32)
    return trained


def run(network, recording, clock=None, volumes_per_block: int = 16):
    synthesis = start_synthesis(
        network,
        make_maps(network, GRID),
        prepare(network, recording),
        clock or recording.clock,
        volumes_per_block=volumes_per_block,
    )
    blocks = list(synthesis)
    assert [block.first_volume for block in blocks] == list(range(0, len(recording.clock.onsets_s), volumes_per_block))
    mean, sd = (np.concatenate([getattr(block, name) for block in blocks]) for name in ("mean_z", "total_sd_z"))
    return mean, sd, synthesis.summary()


def test_numbers_are_those_of_the_network_called_by_hand(network, recording) -> None:
    mean, sd, summary = run(network, recording)
    prepared, maps = prepare(network, recording), make_maps(network, GRID)
    assert isinstance(prepared, CapSpectra) and isinstance(maps, VolumeMaps)
    windows, recorded = prepared.before(recording.clock.onsets_s, 5)
    volumes = np.asarray(nnx.jit(lambda model, inputs: model(inputs))(network.network, windows))
    assert volumes.shape == (N_VOLUMES, 9, 10, 8)
    expected = 0.6 * (maps.interpolation @ volumes.reshape(N_VOLUMES, -1).T).T
    np.testing.assert_allclose(mean, expected, atol=1e-5)
    complete = recorded.all(axis=1)
    assert complete.sum() == N_VOLUMES - 2
    calibrated = maps.residual_sd * CONSTANTS["voxel_factor"][load_atlas().labels_at(GRID.coordinates_mm)]
    np.testing.assert_allclose(sd[complete], np.broadcast_to(calibrated, (N_VOLUMES - 2, len(calibrated))), rtol=1e-5)
    averaging = load_atlas().averaging_matrix(GRID.coordinates_mm)
    np.testing.assert_allclose(summary.parcel_mean_z, mean @ averaging.T, atol=1e-5)
    parcel_sd = CONSTANTS["parcel_factor"] * np.sqrt(averaging @ maps.residual_sd**2)
    np.testing.assert_allclose(summary.parcel_sd_z[5], parcel_sd, rtol=1e-4)
    np.testing.assert_allclose(summary.aleatoric_sd_z, np.sqrt(np.square(sd).mean(axis=0)), rtol=1e-4)
    assert not summary.epistemic_sd_z.any() and not summary.epistemic_estimated


def test_blocks_do_not_matter(network, recording) -> None:
    whole, sd, summary = run(network, recording)
    pieces, pieces_sd, of_pieces = run(network, recording, volumes_per_block=9)
    np.testing.assert_allclose(pieces, whole, atol=1e-5)
    np.testing.assert_allclose(pieces_sd, sd, rtol=1e-5)
    np.testing.assert_allclose(of_pieces.features_z, summary.features_z, atol=1e-4)


def test_parcels_asked_for_are_the_calibrated_ones(network, recording) -> None:
    _, _, summary = run(network, recording)
    lying = overlap(load_parcellation("schaefer200"), GRID.coordinates_mm)
    maps, prepared = make_maps(network, GRID), prepare(network, recording)
    synthesis = start_synthesis(network, maps, prepared, recording.clock, volumes_per_block=16)
    forecast = synthesis.forecast_parcels(lying)
    cortical = np.array(load_atlas().networks) != "Subcortical"
    np.testing.assert_allclose(forecast.mean_z, summary.parcel_mean_z[:, cortical], atol=1e-5)
    np.testing.assert_allclose(forecast.sd_z, summary.parcel_sd_z[:, cortical], rtol=1e-4)
    assert not forecast.deviations_z.any()


def test_missing_history_is_less_certain(network, recording) -> None:
    early = replace(recording, clock=replace(recording.clock, first_volume_onset_s=0.0))
    mean, sd, summary = run(network, early)
    maps = make_maps(network, GRID)
    assert (sd[:5] > sd[5:].max(axis=0)).all()
    factor = CONSTANTS["voxel_factor"][load_atlas().labels_at(GRID.coordinates_mm)]
    # Nothing is known of the first volume: BOLD has unit variance around zero, not around the prediction.
    np.testing.assert_allclose(sd[0], factor * np.sqrt(np.maximum(1, maps.residual_sd**2) + mean[0] ** 2), rtol=1e-4)
    assert summary.aleatoric_sd_z.max() < sd[0].max()


def test_variance_grows_from_the_residual_to_that_of_knowing_nothing() -> None:
    mean = np.array([[0.5, -0.2]] * 3)
    variance = aleatoric_variance(mean, np.array([0.36, 0.81]), np.array([1.0, 0.5, 0.0]))
    np.testing.assert_allclose(variance[0], [0.36, 0.81])
    np.testing.assert_allclose(variance[2], [1.25, 1.04])
    np.testing.assert_allclose(variance[1], (variance[0] + variance[2]) / 2)


def test_any_clock_is_served(network, recording) -> None:
    same, _, _ = run(network, recording)
    other = VolumeClock(6.0, 1.0, N_VOLUMES, "markers: R128")
    mean, _, _ = run(network, recording, clock=other)
    np.testing.assert_allclose(mean[::2], same[: N_VOLUMES // 2], atol=1e-5)


@pytest.mark.parametrize(
    "options",
    [
        {"decoder_dropout": 0.3},
        {"decoder_shape": (4, 4, 4), "variational_idct": VariationalCosine((2, 2, 2)), "dct": True},
        {"decoder_shape": (4, 4, 4), "dense_variational": True},
        {"aleatoric": True},
    ],
    ids=["dropout", "cosine", "dense", "flipout"],
)
def test_draws_make_the_epistemic_part(tiny_published, recording, options) -> None:
    stochastic = tiny_published(NAMES, constants=CONSTANTS, **options)
    stochastic.novelty.quantiles[...] = np.linspace(0, 1e6, 101, dtype=np.float32)
    prepared = prepare(stochastic, recording)
    windows, _ = prepared.before(recording.clock.onsets_s[:16], 5)
    predict = VolumePredictor(stochastic, n_draws=8)
    drawn, again = predict(windows), VolumePredictor(stochastic, n_draws=8)(windows)
    np.testing.assert_array_equal(drawn.mean, again.mean)
    assert drawn.epistemic.mean() > 0
    # A draw is the same for every volume of every block, so that the series has no seams.
    np.testing.assert_allclose(predict(windows[::-1]).mean, drawn.mean[::-1], atol=1e-4)
    _, sd, summary = run(stochastic, recording)
    assert summary.epistemic_estimated and summary.epistemic_sd_z.min() > 0
    total = np.sqrt(np.square(sd).mean(axis=0))
    np.testing.assert_allclose(total, np.hypot(summary.aleatoric_sd_z, summary.epistemic_sd_z), rtol=1e-3)


def test_the_aleatoric_head_is_scaled_by_the_residual(tiny_published, recording) -> None:
    # At a lower resolution the published head comes with a variational layer.
    trained = tiny_published(NAMES, constants=CONSTANTS, aleatoric=True, decoder_shape=(4, 4, 4))
    windows, _ = prepare(trained, recording).before(recording.clock.onsets_s[:16], 5)
    drawn = VolumePredictor(trained, n_draws=3)(windows)
    assert drawn.stated_variance.shape == drawn.mean.shape and (drawn.stated_variance > 0).all()


def test_what_the_network_received_is_shown_by_channel_and_band(network, recording) -> None:
    _, _, summary = run(network, recording)
    assert summary.features_z.shape == (N_VOLUMES, 19, 4)
    assert summary.bands_hz == ((1.0, 4.0), (4.0, 8.0), (8.0, 13.0), (13.0, 20.0))
    assert summary.resolution is None and summary.cap.interpolated == {}
    assert abs(summary.features_z.mean()) < 0.2 and 0.8 < summary.features_z.std() < 1.2
    prepared = prepare(network, recording)
    spectra, _ = prepared.at(np.array([round((6.0 + 2 * 10 - 2) * SFREQ_HZ)]))
    alpha = spectra[0, :, 15:25].mean(axis=1)
    expected = (alpha - prepared.band_mean[:, 2]) / prepared.band_sd[:, 2]
    np.testing.assert_allclose(summary.features_z[10, :, 2], expected, atol=1e-4)
