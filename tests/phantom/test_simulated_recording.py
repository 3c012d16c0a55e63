"""What simulation hands to training is what the reader makes of the same signals in a file."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from bids_eeg2fmri.bids.selection import select_recordings
from bids_eeg2fmri.eeg.leadfield import template_directions
from bids_eeg2fmri.eeg.read import read_recording
from bids_eeg2fmri.eeg.recording import VolumeClock
from bids_eeg2fmri.errors import BadDataError
from bids_eeg2fmri.phantom.caps import cap_names
from bids_eeg2fmri.phantom.dataset import people, write_dataset
from bids_eeg2fmri.phantom.draw_cap import draw_cap
from bids_eeg2fmri.phantom.recording import simulated_recording
from bids_eeg2fmri.phantom.request import Request
from bids_eeg2fmri.phantom.scalp import ScannerTiming, project_eeg
from bids_eeg2fmri.phantom.sources import simulate_sources
from bids_eeg2fmri.settings import Settings

CLOCK = VolumeClock(0.0, 2.0, 90, "simulated")


def test_is_what_the_reader_makes_of_a_file(tmp_path):
    request = Request(tmp_path / "data", cap="32", duration_s=70, lead_in_s=2, sfreq_hz=128, resolution="4")
    write_dataset(request)
    settings = Settings(request.output_dir, tmp_path / "out", "participant", skip_bids_validation=True)
    (file,) = select_recordings(settings).recordings
    read = read_recording(file, settings)
    ((label, spec),) = people(request)
    rng = np.random.default_rng([request.seed, int(label), 0])
    activity = simulate_sources(spec, 72.0, 128.0, rng)
    simulated = simulated_recording(
        activity,
        spec,
        cap_names(32),
        rng,
        reference=request.reference,
        timing=ScannerTiming(2.0, request.tr_s),
        clock=read.clock,
        label="simulated",
    )
    assert simulated.channel_names == read.channel_names
    assert simulated.cleaning.bad_channels == read.cleaning.bad_channels
    assert simulated.cleaning.bad_segments_s == read.cleaning.bad_segments_s
    np.testing.assert_array_equal(simulated.good, read.good)
    np.testing.assert_allclose(simulated.positions_m, read.positions_m, atol=1e-4)
    # The file holds steps of 0.05 microvolts.
    np.testing.assert_allclose(simulated.signals_v, read.signals_v, atol=0.1e-6)


def test_few_electrodes_are_refused(person, activity):
    with pytest.raises(BadDataError, match="electrodes"):
        simulated_recording(
            activity, person, cap_names(19)[:7], np.random.default_rng(0), clock=CLOCK, label="seven electrodes"
        )


@pytest.mark.parametrize(
    ("reference", "electrodes"),
    [("mastoids", ("M1", "M2")), ("ears", ("A1", "A2")), ("TP9-TP10", ("TP9", "TP10")), ("A1", ("A1",))],
)
def test_references_are_the_mean_of_their_electrodes(person, activity, reference, electrodes):
    noise = dataclasses.replace(person.scalp_noise, electrode_jitter_deg=0.0, cap_turn_deg=0.0)
    quiet = dataclasses.replace(person, scalp_noise=noise)
    names = cap_names(32)
    average, channels, _ = project_eeg(
        activity, quiet, (*names, "M1", "M2", "A1", "A2"), np.random.default_rng(0), artefacts=False
    )
    referenced, recorded, _ = project_eeg(
        activity, quiet, names, np.random.default_rng(0), reference=reference, artefacts=False
    )
    assert recorded == tuple(name for name in names if name not in electrodes)
    at = dict(zip(channels, average, strict=True))
    expected = np.stack([at[name] for name in recorded]) - np.mean([at[name] for name in electrodes], axis=0)
    np.testing.assert_allclose(referenced, expected, atol=1e-9)


def test_caps_are_drawn_from_sixteen_electrodes_to_a_hundred_and_some_are_lopsided():
    rng = np.random.default_rng(0)
    caps = [draw_cap(rng) for _ in range(200)]
    sizes = np.array([len(cap) for cap in caps])
    assert sizes.min() >= 16
    assert sizes.max() > 110
    assert (sizes < 32).mean() > 0.25
    assert all(len(set(cap)) == len(cap) and set(cap) <= set(cap_names(128)) for cap in caps)
    left = np.array([(template_directions(cap)[:, 0] < 0).mean() for cap in caps])
    assert left.min() < 0.25
    assert left.max() > 0.6


def test_a_low_pass_takes_the_high_frequencies_alone(person, activity):
    noise = dataclasses.replace(person.scalp_noise, low_pass_hz=None)
    open_person = dataclasses.replace(person, scalp_noise=noise)
    filtered_person = dataclasses.replace(person, scalp_noise=dataclasses.replace(noise, low_pass_hz=40.0))
    full, filtered = (
        project_eeg(activity, spec, cap_names(19), np.random.default_rng(0))[0]
        for spec in (open_person, filtered_person)
    )
    freqs = np.fft.rfftfreq(full.shape[1], 1 / activity.sfreq_hz)
    ratio = (np.abs(np.fft.rfft(filtered)) ** 2).mean(axis=0) / (np.abs(np.fft.rfft(full)) ** 2).mean(axis=0)
    np.testing.assert_allclose(ratio[(freqs > 1) & (freqs < 15)], 1, atol=0.01)
    assert ratio[np.abs(freqs - 40).argmin()] == pytest.approx(0.5, abs=0.05)
    assert ratio[freqs > 60].max() < 0.1
