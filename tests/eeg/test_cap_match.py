"""A cap's channels from a recording: by name, a few by splines, more never."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import mne
import numpy as np
import pytest

from bids_eeg2fmri.eeg.cap_match import match_cap
from bids_eeg2fmri.eeg.leadfield import template_positions_m
from bids_eeg2fmri.eeg.recording import Cleaning, Recording, VolumeClock
from bids_eeg2fmri.errors import BadDataError

CAP = (
    *("Fp1", "Fp2", "F7", "F3", "Fz", "F4", "F8", "T7", "C3", "Cz"),
    *("C4", "T8", "P7", "P3", "Pz", "P4", "P8", "O1", "O2"),
)
DENSE = (*CAP, "FC1", "FC2", "CP1", "CP2", "PO3", "PO4")


def recording_on(names: tuple[str, ...], bad: tuple[str, ...] = (), signals_v: np.ndarray | None = None) -> Recording:
    nothing = np.zeros((len(names), 1))
    return Recording(
        signals_v=np.zeros((len(names), 100), np.float32) if signals_v is None else signals_v,
        sfreq_hz=100.0,
        source_sfreq_hz=100.0,
        channel_names=names,
        positions_m=template_positions_m([{"T3": "T7", "T4": "T8"}.get(name, name) for name in names]),
        positions_source="file",
        good=np.array([name not in bad for name in names]),
        left_out={},
        events=(),
        clock=VolumeClock(0.0, 2.0, 10, "assumed: no volume markers"),
        cleaning=Cleaning((), dict.fromkeys(bad, "flat"), (), None, np.zeros(1), nothing, nothing),
        reference="average",
        source=Path("sub-01_task-rest_eeg.edf"),
    )


def test_the_own_cap_is_taken_as_it_is_whatever_the_order() -> None:
    shuffled = recording_on(CAP[::-1])
    match = match_cap(shuffled, CAP, template_positions_m(CAP))
    signals = np.random.default_rng(0).standard_normal((19, 50))
    np.testing.assert_allclose(match.operator @ signals[::-1], signals - signals.mean(axis=0), atol=1e-6)
    assert match.interpolated == {} and match.unused == ()


def test_old_names_and_case_are_the_same_electrodes() -> None:
    old = tuple({"T7": "T3", "T8": "T4"}.get(name, name) for name in CAP)
    assert match_cap(recording_on(old), tuple(name.upper() for name in CAP), template_positions_m(CAP)).unused == ()


def test_interpolation_is_that_of_mne() -> None:
    signals = np.random.default_rng(1).standard_normal((len(DENSE), 40)) * 1e-5
    match = match_cap(recording_on(DENSE, bad=("Cz",)), CAP, template_positions_m(CAP))
    ours = match.operator @ signals
    info = mne.create_info(list(DENSE), 100.0, "eeg")
    montage = mne.channels.make_dig_montage(
        dict(zip(DENSE, template_positions_m(DENSE), strict=True)), coord_frame="head"
    )
    raw = mne.io.RawArray(signals, info, verbose="error").set_montage(montage, verbose="error")
    raw.info["bads"] = ["Cz"]
    # The template's electrodes lie near a sphere around its centre, which is not the head frame's origin.
    raw.interpolate_bads(origin="auto", verbose="error")
    theirs = raw.get_data(picks=list(CAP))
    theirs -= theirs.mean(axis=0)
    assert np.corrcoef(ours[9], theirs[9])[0, 1] > 0.99
    assert match.interpolated == {"Cz": "bad"}
    assert match.unused == DENSE[19:]


def test_a_smooth_field_is_recovered_at_an_electrode_that_is_not_there() -> None:
    names = tuple(name for name in DENSE if name != "P3")
    direction = np.array([0.3, 0.5, 0.8])
    potential = dict(zip(DENSE, template_positions_m(DENSE) @ direction, strict=True))
    match = match_cap(recording_on(names), CAP, template_positions_m(CAP))
    made = match.operator @ np.array([potential[name] for name in names])
    true = np.array([potential[name] for name in CAP])
    np.testing.assert_allclose(made, true - true.mean(), atol=0.05 * np.ptp(true))
    assert match.interpolated == {"P3": "not recorded"}


@pytest.mark.parametrize("names", [CAP[2:], ("Fp1", *DENSE[19:])])
def test_another_cap_is_refused_with_the_names_and_a_way_out(names: tuple[str, ...]) -> None:
    with pytest.raises(BadDataError) as raised:
        match_cap(recording_on(names), CAP, template_positions_m(CAP))
    missing = [name for name in CAP if name not in names]
    assert f"{len(missing)} of the 19 channels" in str(raised.value)
    assert f"{missing[0]} (not recorded)" in str(raised.value)
    assert "neuralfield-sim" in str(raised.value)


def test_bad_channels_count_as_missing_ones() -> None:
    one = recording_on(CAP, bad=("Cz",))
    assert match_cap(one, CAP, template_positions_m(CAP)).interpolated == {"Cz": "bad"}
    with pytest.raises(BadDataError, match=r"2 of the 19 .* C3 \(bad\), Cz \(bad\)"):
        match_cap(replace(one, good=one.good & (np.array(CAP) != "C3")), CAP, template_positions_m(CAP))
