"""Maps of one recording: amplitudes and responses that were put in come out."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from bids_eeg2fmri.evaluation import person_maps
from bids_eeg2fmri.evaluation.person_maps import band_amplitude, recording_maps

TR_S, N = 2.0, 150


@pytest.fixture
def events() -> pd.DataFrame:
    rows = [(onset, 12.0, name) for onset, name in zip(range(10, 290, 30), "ABABABABAB", strict=True)]
    return pd.DataFrame(rows, columns=["onset", "duration", "trial_type"]).astype({"onset": float})


@pytest.fixture
def bold(tmp_path, events):
    """A voxel with a slow sine, one with a fast one, one that follows A."""
    from nilearn.glm.first_level import compute_regressor

    times_s = np.arange(N) * TR_S
    blocks = events[events["trial_type"] == "A"]
    condition = np.stack([blocks["onset"], blocks["duration"], np.ones(len(blocks))])
    response = compute_regressor(condition, "glover", times_s)[0][:, 0]
    data = np.full((2, 2, 2, N), 1000.0, np.float32)
    data[0, 0, 0] += 3 * np.sin(2 * np.pi * 0.05 * times_s)
    data[0, 1, 0] += 3 * np.sin(2 * np.pi * 0.2 * times_s)
    data[1, 1, 1] += 4 * response
    path = tmp_path / "bold.nii.gz"
    nib.save(nib.Nifti1Image(data, np.eye(4)), path)
    return path


def test_what_was_put_in(bold, events):
    maps = recording_maps(bold, np.ones((2, 2, 2), bool), TR_S, events)
    assert set(maps) == {"amplitude", "tstd", "event A", "event B"}
    volumes = {name: values.reshape(2, 2, 2) for name, values in maps.items()}
    assert volumes["tstd"][0, 0, 0] == pytest.approx(3 / np.sqrt(2), rel=0.01)
    assert volumes["tstd"][0, 1, 0] == pytest.approx(3 / np.sqrt(2), rel=0.01)
    assert volumes["amplitude"][0, 0, 0] > 0.1
    assert volumes["amplitude"][0, 1, 0] < 1e-3
    assert volumes["event A"][1, 1, 1] == pytest.approx(4, rel=0.01)
    assert volumes["event A"][1, 0, 0] == pytest.approx(0, abs=1e-3)
    assert volumes["event B"][1, 1, 1] < 1


def test_planes_at_a_time_are_the_whole(bold, events, monkeypatch):
    inside = np.ones((2, 2, 2), bool)
    inside[1, 0, 0] = False
    whole = recording_maps(bold, inside, TR_S, events)
    monkeypatch.setattr(person_maps, "_SLAB_BYTES", 100)
    for name, values in recording_maps(bold, inside, TR_S, events).items():
        np.testing.assert_allclose(values, whole[name], atol=1e-5)


def test_the_amplitude_is_the_sd_in_the_band():
    """Two sines of the band, of 2 and 4 units."""
    times_s = np.arange(N) * TR_S
    freqs_hz = np.fft.rfftfreq(N, TR_S)
    chosen = freqs_hz[(freqs_hz >= 0.0099) & (freqs_hz <= 0.1001)]
    series = 2 * np.sin(2 * np.pi * chosen[3] * times_s) + 4 * np.cos(2 * np.pi * chosen[9] * times_s)
    assert band_amplitude(series[:, None].astype(np.float32), TR_S)[0] == pytest.approx(np.sqrt((4 + 16) / 2), rel=1e-3)
    assert band_amplitude(np.ones((4, 1), np.float32), TR_S)[0] == 0


def test_the_amplitude_does_not_depend_on_the_length():
    noise = np.random.default_rng(0).standard_normal((1200, 50)).astype(np.float32)
    long, short = (band_amplitude(noise[:n], TR_S).mean() for n in (1200, 100))
    assert short == pytest.approx(long, rel=0.1)


def test_volumes_stand_for_an_instant_and_the_first_ones_may_be_left_out(bold, events):
    inside = np.ones((2, 2, 2), bool)
    late = events.assign(onset=events["onset"] + 1.0)
    shifted = recording_maps(bold, inside, TR_S, late, start_time_s=1.0)
    here = recording_maps(bold, inside, TR_S, events)
    np.testing.assert_allclose(shifted["event A"], here["event A"], atol=1e-2)
    image = nib.load(bold)
    data = image.get_fdata()
    data[..., :10] = 0
    nib.save(nib.Nifti1Image(data.astype(np.float32), np.eye(4)), bold)
    without = recording_maps(bold, inside, TR_S, events, n_incomplete=10)
    np.testing.assert_allclose(without["tstd"], image.get_fdata()[..., 10:].std(axis=3).ravel(), atol=1e-3)
    assert without["event A"].reshape(2, 2, 2)[1, 1, 1] == pytest.approx(4, rel=0.02)


def test_a_condition_that_never_pauses_has_no_response(bold):
    always = pd.DataFrame({"onset": [-100.0], "duration": [1000.0], "trial_type": ["rest"]})
    assert "event rest" not in recording_maps(bold, np.ones((2, 2, 2), bool), TR_S, always)
    assert set(recording_maps(bold, np.ones((2, 2, 2), bool), TR_S, None)) == {"amplitude", "tstd"}
