"""From recordings with BOLD to a trained network whose intervals cover what they say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import butter, filtfilt

from bids_eeg2fmri.bold.real_bold import Targets
from bids_eeg2fmri.bold.volume_box import volume_box
from bids_eeg2fmri.eeg.leadfield import template_positions_m
from bids_eeg2fmri.eeg.recording import Cleaning, Recording, VolumeClock
from bids_eeg2fmri.errors import BadDataError
from bids_eeg2fmri.learning.options import TrainingOptions
from bids_eeg2fmri.learning.published.cap import RecordedCap, training_facts
from bids_eeg2fmri.learning.published.fit import fit_calhas2022, for_cap
from bids_eeg2fmri.learning.published.prepare import cache_recording
from bids_eeg2fmri.network.calhas2022 import Blocks, Calhas2022Config
from bids_eeg2fmri.network.novelty import as_description
from bids_eeg2fmri.synthesis.cap_spectra import compute_cap_spectra
from bids_eeg2fmri.synthesis.published import VolumePredictor

NAMES = (
    "Fp1",
    "Fp2",
    "F3",
    "F4",
    "C3",
    "C4",
    "P3",
    "P4",
    "O1",
    "O2",
    "F7",
    "F8",
    "T7",
    "T8",
    "P7",
    "P8",
    "Fz",
    "Cz",
    "Pz",
)
SFREQ_HZ, TR_S, N_VOLUMES, N_PEOPLE = 50.0, 2.0, 120, 6
CONFIG = Calhas2022Config(
    eeg_shape=(19, 20, 4),
    fmri_shape=(6, 7, 6),
    latent_shape=(2, 2, 2),
    n_filters=2,
    eeg_blocks=Blocks(kernels=((5, 5, 2),), strides=((3, 3, 1),)),
    fmri_blocks=Blocks(kernels=((3, 3, 3),), strides=((1, 1, 1),), pool=None),
)
OPTIONS = TrainingOptions(epochs=9, batch_size=16, learning_rate=0.006, ema_decay=0.95, precision="float32")


def make_recording(seed: int) -> tuple[Recording, Targets]:
    """A rhythm of 3 to 8 Hz at the back that waxes and wanes, and BOLD that follows the volume before."""
    rng = np.random.default_rng(seed)
    n_samples = round(SFREQ_HZ * TR_S * (N_VOLUMES + 1))
    strength = np.exp(rng.standard_normal(N_VOLUMES + 1))
    band = filtfilt(*butter(3, (3, 8), "bandpass", fs=SFREQ_HZ), rng.standard_normal(n_samples))
    rhythm = band / band.std() * np.repeat(strength, n_samples // len(strength))
    signals = rng.standard_normal((len(NAMES), n_samples))
    signals[[8, 9, 14, 15]] += 2 * rhythm
    box = volume_box(CONFIG.fmri_shape)
    course = np.roll(np.log(strength), 1)[:N_VOLUMES, None] + rng.standard_normal((N_VOLUMES, int(box.mask.sum())))
    z = ((course - course.mean(axis=0)) / course.std(axis=0)).astype(np.float32)
    valid = np.ones(z.shape[1], bool)
    valid[:3], z[:, :3] = False, 0
    nothing = np.zeros((len(NAMES), 1))
    recording = Recording(
        signals_v=(1e-5 * (signals - signals.mean(axis=0))).astype(np.float32),
        sfreq_hz=SFREQ_HZ,
        source_sfreq_hz=SFREQ_HZ,
        channel_names=NAMES,
        positions_m=template_positions_m(NAMES),
        positions_source="file",
        good=np.ones(len(NAMES), bool),
        left_out={},
        events=(),
        clock=VolumeClock(0.0, TR_S, N_VOLUMES, "markers: R128"),
        cleaning=Cleaning((), {}, ((50.2, 50.6),), None, np.zeros(1), nothing, nothing),
        reference="average",
        source=Path(f"sub-{seed}_task-rest_eeg.edf"),
    )
    return recording, Targets(z, valid.astype(np.float32), valid.astype(np.float32), valid)


def cap_of(recording: Recording) -> RecordedCap:
    return RecordedCap(recording.channel_names, recording.positions_m, recording.clock.tr_s, recording.sfreq_hz)


@pytest.fixture(scope="module")
def people():
    return [make_recording(seed) for seed in range(N_PEOPLE)]


@pytest.fixture(scope="module")
def facts(people):
    return training_facts([cap_of(recording) for recording, _ in people], CONFIG.fmri_shape, CONFIG.eeg_shape[1])


@pytest.fixture(scope="module")
def cached(people, facts, tmp_path_factory):
    folder = tmp_path_factory.mktemp("cache")
    return [
        cache_recording(folder, f"p{number}", recording, recording.clock, targets, facts, CONFIG)
        for number, (recording, targets) in enumerate(people)
    ]


@pytest.fixture(scope="module")
def fitted(cached, facts, tmp_path_factory):
    folder = tmp_path_factory.mktemp("fit")
    return folder, *fit_calhas2022(cached[:4], cached[4:], CONFIG, facts, OPTIONS, folder)


def test_cached_volumes_are_those_of_synthesis_and_of_the_image(people, facts, cached):
    recording, targets = people[0]
    usable = cached[0].usable
    # The bad segment lies in window 25: volumes 26 to 29 look at it.
    assert list(usable) == [v for v in range(4, N_VOLUMES) if not 26 <= v <= 29]
    windows, recorded = compute_cap_spectra(recording, facts, 20).before(recording.clock.onsets_s, 4)
    assert recorded[usable].all()
    np.testing.assert_allclose(
        np.moveaxis([cached[0].spectra[v - 4 : v] for v in usable], 1, -1), windows[usable], atol=1e-5
    )
    box = volume_box(CONFIG.fmri_shape)
    np.testing.assert_allclose(cached[0].targets[:, box.mask], targets.z, atol=2e-3)
    assert not cached[0].targets[:, ~box.mask].any()


def test_the_cache_is_used_until_something_changes(people, facts, cached):
    recording, targets = people[0]
    again = cache_recording(cached[0].folder.parent, "p0", recording, recording.clock, targets, facts, CONFIG)
    assert again == cached[0]
    shifted = replace(recording.clock, first_volume_onset_s=0.5)
    assert cache_recording(cached[0].folder.parent, "p0", recording, shifted, targets, facts, CONFIG) != again


def test_another_repetition_time_is_refused(people, facts, tmp_path):
    recording, targets = people[0]
    clock = replace(recording.clock, tr_s=2.2)
    with pytest.raises(BadDataError, match=r"2\.2 s, that of the other recordings 2 s"):
        cache_recording(tmp_path, "p0", recording, clock, targets, facts, CONFIG)


def test_the_cap_is_what_all_recordings_share(people):
    whole = cap_of(people[0][0])
    fewer = RecordedCap(whole.channel_names[:0:-1], whole.positions_m[:0:-1] + 0.002, TR_S, 30.0)
    facts = training_facts([whole, fewer], CONFIG.fmri_shape, 20)
    assert facts.channel_names == NAMES[1:]
    np.testing.assert_allclose(facts.positions_m, whole.positions_m[1:] + 0.001, atol=1e-7)
    assert facts.highest_hz == 10.0
    assert for_cap(CONFIG, facts).eeg_shape == (18, 20, 4)
    with pytest.raises(BadDataError, match="share only 2 channels"):
        training_facts([whole, RecordedCap(NAMES[:2], whole.positions_m[:2], TR_S, 50.0)], CONFIG.fmri_shape, 20)


def test_unseen_people_are_predicted_with_honest_intervals(people, facts, fitted):
    _, trained, description = fitted
    predict = VolumePredictor(trained)
    mask = volume_box(CONFIG.fmri_shape).mask
    errors, agreement = [], []
    for seed in range(100, 104):
        recording, targets = make_recording(seed)
        windows, recorded = compute_cap_spectra(recording, facts, 20).before(recording.clock.onsets_s, 4)
        seen = recorded.all(axis=1)
        drawn = predict(windows)
        mean = drawn.mean[seen].reshape(-1, *CONFIG.fmri_shape)[:, mask][:, targets.valid]
        observed = targets.z[seen][:, targets.valid]
        agreement.append(np.corrcoef(mean.mean(axis=1), observed.mean(axis=1))[0, 1])
        errors.append((observed - mean) / np.asarray(trained.residual_sd)[mask][targets.valid])
    assert np.mean(agreement) > 0.3
    pooled = np.abs(np.concatenate(errors))
    assert pooled.std() == pytest.approx(0.6, abs=0.1), "absolute normal errors of unit variance"
    assert (pooled < 1.645).mean() == pytest.approx(0.9, abs=0.04)
    assert 0 < description["gain"] < 2
    assert description["calibration"]["voxels"]["0.9"] == pytest.approx(1.645, abs=0.2)
    assert np.asarray(trained.voxel_factor).min() > 0.7


def test_the_novelty_score_knows_the_training_people(people, facts, fitted):
    _, trained, _ = fitted
    recording, _ = make_recording(7)
    strange = replace(recording, signals_v=np.cumsum(recording.signals_v[::-1], axis=1))
    percentiles = []
    for each in (recording, strange):
        spectra = compute_cap_spectra(each, facts, 20)
        windows, recorded = spectra.before(each.clock.onsets_s, 4)
        from bids_eeg2fmri.synthesis.published import describe

        described = describe(spectra, windows, recorded)
        score = trained.novelty.score(described.features, as_description(spectra.profile), described.evidence)
        percentiles.append(np.median(trained.novelty.percentile(score)))
    assert percentiles[0] < 95
    assert percentiles[1] > percentiles[0]


def test_a_finished_training_is_read_not_repeated(cached, facts, fitted, monkeypatch):
    folder, trained, description = fitted
    assert {path.name for path in folder.iterdir()} == {"checkpoints", "training_log.tsv", "learning_curves.svg"}
    again, same = fit_calhas2022(cached[:4], cached[4:], CONFIG, facts, OPTIONS, folder)
    assert same == description
    np.testing.assert_array_equal(again.residual_sd, trained.residual_sd)
