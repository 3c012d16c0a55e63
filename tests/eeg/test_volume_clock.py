from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bids_eeg2fmri.eeg.clock import find_clock
from bids_eeg2fmri.eeg.events import task_events
from bids_eeg2fmri.eeg.formats import open_raw
from bids_eeg2fmri.eeg.marker_grid import fit_grid
from bids_eeg2fmri.eeg.markers import Marker, native_markers
from bids_eeg2fmri.errors import BadDataError, UsageError

SFREQ_HZ = 250.0


def ticks(description: str, onsets_s: np.ndarray) -> list[Marker]:
    return [Marker(float(onset_s), 0.0, description) for onset_s in onsets_s]


def clock_of(native: list[Marker], table: list[Marker] | None = None, **options):
    return find_clock(native, table, sfreq_hz=SFREQ_HZ, n_samples=100_000, **options)


@pytest.mark.parametrize(("subject", "position"), [("32", 37), ("35", 32393), ("36", 17859)])
def test_noddi_scan_start(noddi, subject: str, position: int) -> None:
    n_samples = {"32": 162023, "35": 197235, "36": 181950}[subject]
    raw = open_raw(noddi(subject, derivative=True, n_samples=n_samples))
    native = native_markers(raw)
    finding = find_clock(native, None, sfreq_hz=250.0, n_samples=raw.n_times)
    clock = finding.clock
    assert clock.n_volumes == 300
    assert clock.tr_s == 2.16
    assert clock.first_volume_onset_s == pytest.approx((position - 1) / 250, abs=1e-6)
    assert clock.source == "markers: Scan Start"
    assert clock.missing == ()
    assert clock.onsets_s[-1] < raw.n_times / 250
    assert task_events(native, None, finding.volume_key, raw.n_times / 250) == ()


@pytest.mark.parametrize("subject", ["32", "35", "36"])
def test_noddi_raw_synchronisation_is_no_volume(noddi, subject: str) -> None:
    raw = open_raw(noddi(subject, derivative=False, n_samples=4_200_000))
    finding = find_clock(native_markers(raw), None, sfreq_hz=5000.0, n_samples=raw.n_times)
    assert finding.clock.source == "assumed: no volume markers"
    assert finding.clock.first_volume_onset_s == 0.0
    assert finding.clock.n_volumes == 420
    assert "Sync On" in finding.warnings[0]
    assert "2 s" in finding.warnings[0]


def test_assumed_clock_takes_the_users_tr() -> None:
    clock = clock_of([], tr_s=1.5).clock
    assert (clock.first_volume_onset_s, clock.tr_s, clock.n_volumes) == (0.0, 1.5, 266)


@given(
    first=st.integers(0, 2000),
    tr_samples=st.floats(100, 1000),
    n_volumes=st.integers(20, 60),
    data=st.data(),
)
def test_markers_rounded_to_samples_with_gaps(first: int, tr_samples: float, n_volumes: int, data) -> None:
    positions = np.round(first + tr_samples * np.arange(n_volumes))
    lost = data.draw(st.sets(st.integers(1, n_volumes - 2), max_size=n_volumes // 4))
    kept = np.delete(positions, sorted(lost))
    grid = fit_grid(kept / SFREQ_HZ, 2 / SFREQ_HZ)
    assert grid is not None
    assert grid.n_ticks == n_volumes
    assert grid.missing == tuple(sorted(lost))
    onsets_s = grid.first_s + grid.interval_s * np.arange(n_volumes)
    np.testing.assert_allclose(onsets_s, (first + tr_samples * np.arange(n_volumes)) / SFREQ_HZ, atol=1.5 / SFREQ_HZ)


def test_last_volume_may_end_outside() -> None:
    clock = clock_of(ticks("Response/R128", np.arange(4.0, 399.9, 2.0))).clock
    assert clock.n_volumes == 198
    assert clock.onsets_s[-1] == pytest.approx(398.0)


def test_native_and_table_markers_are_one_series() -> None:
    onsets_s = 1.0 + 2.0 * np.arange(100)
    native = ticks("Response/R128", onsets_s[:60])
    table = [Marker(float(np.round(onset_s + 0.0006, 3)), 0.0, "R128") for onset_s in onsets_s[40:]]
    clock = clock_of(native, table).clock
    assert (clock.n_volumes, clock.tr_s, clock.missing) == (100, 2.0, ())


def test_missing_and_extra_markers_are_reported() -> None:
    onsets_s = np.delete(1.0 + 2.0 * np.arange(100), [50, 51])
    finding = clock_of(ticks("R128", np.sort(np.append(onsets_s, 33.3))))
    assert finding.clock.missing == (50, 51)
    assert finding.clock.n_volumes == 100
    assert "volumes 50, 51" in finding.warnings[0]
    assert "between the volumes" in finding.warnings[1]


def test_slices_heart_beats_and_buttons_are_no_volumes() -> None:
    rng = np.random.default_rng(0)
    native = (
        ticks("Scanner/s ", np.arange(0, 300, 0.072))
        + ticks("Pulse Artifact/R", np.cumsum(rng.uniform(0.7, 1.1, 300)))
        + ticks("Scanner/Scanner Start", np.array([5.0]))
        + ticks("Response/R  1", np.cumsum(rng.uniform(1.0, 6.0, 60)))
    )
    finding = clock_of(native)
    assert finding.clock.source == "assumed: no volume markers"
    assert finding.volume_key is None


@pytest.mark.parametrize("description", ["Response/R  1", "R1", "Stimulus/T  1", "T 1_on", "Volume", "TR"])
def test_ambiguous_markers_count_when_regular(description: str) -> None:
    finding = clock_of(ticks(description, np.arange(2.0, 200.0, 2.5)))
    assert finding.clock.tr_s == 2.5
    assert finding.clock.source.startswith("markers: ")
    irregular = clock_of(ticks(description, np.cumsum(np.random.default_rng(1).uniform(1, 4, 60))))
    assert irregular.volume_key is None
    assert "do not tick" in irregular.warnings[0]


def test_irregular_volume_markers_are_refused() -> None:
    onsets_s = np.concatenate([np.arange(0, 100, 2.0), 101.1 + np.arange(0, 100, 2.0)])
    with pytest.raises(BadDataError, match="make no volume clock"):
        clock_of(ticks("R128", onsets_s))
    assert clock_of(ticks("R128", onsets_s), volume_marker="none").clock.source == "assumed: volume markers ignored"


def test_slice_triggers_under_a_volume_name_are_refused() -> None:
    with pytest.raises(BadDataError, match="no repetition time"):
        clock_of(ticks("R128", np.arange(0, 300, 0.08)))


def test_few_markers_are_no_clock() -> None:
    finding = clock_of(ticks("R128", np.arange(0.0, 18.0, 2.0)))
    assert finding.volume_key is None
    assert "Only 9" in finding.warnings[0]
    twice = clock_of(
        ticks("Response/R128", np.arange(0.0, 18.0, 2.0)), [Marker(2.0 * i, 0.0, "R128", "R128") for i in range(9)]
    )
    assert "Only 9" in twice.warnings[0]


def test_users_marker() -> None:
    native = ticks("Stimulus/S  7", np.arange(3.0, 200.0, 1.8)) + ticks("SyncStatus/Sync On", np.arange(0, 300, 2.0))
    assert clock_of(native, volume_marker="S  7").clock.tr_s == 1.8
    assert clock_of(native, volume_marker="s7").clock.first_volume_onset_s == 3.0
    assert clock_of(native, volume_marker="Sync On").clock.source == "markers: Sync On"
    with pytest.raises(UsageError, match=r"Stimulus/S  7.*\(110\)"):
        clock_of(native, volume_marker="S 9")


def test_value_column_names_the_marker() -> None:
    table = [Marker(2.0 * i, 0.0, "scanner", "255") for i in range(50)]
    assert clock_of([], table, volume_marker="255").clock.tr_s == 2.0


def test_users_tr_must_agree_with_the_markers() -> None:
    native = ticks("R128", np.arange(0, 300, 2.16))
    assert clock_of(native, tr_s=2.16).clock.tr_s == 2.16
    with pytest.raises(UsageError, match=r"2 s.*2\.16 s"):
        clock_of(native, tr_s=2.0)
    with pytest.raises(UsageError):
        clock_of([], tr_s=-1.0)


def test_one_file_with_all_kinds_of_markers() -> None:
    volumes = ticks("Response/R128", np.arange(1.0, 200.0, 2.0))
    native = [
        *volumes,
        Marker(0.0, 0.0, "New Segment/"),
        Marker(3.3, 0.0, "Comment/subject moves"),
        Marker(9.0, 0.5, "Stimulus/S  5"),
        Marker(11.0, 2.0, "BAD_movement"),
        Marker(12.0, 0.0, "bad_outcome"),
        Marker(0.0, 0.0, "[Total time]+182.000"),
        Marker(0.0, 400.0, "session"),
    ]
    events = task_events(native, None, "r128", 400.0)
    assert [(event.onset_s, event.trial_type) for event in events] == [(9.0, "Stimulus/S  5"), (12.0, "bad_outcome")]
    assert task_events(native, [], "r128", 400.0) == ()
    kept = task_events(native, [Marker(5.0, 1.0, "face"), Marker(6.0, 0.0, "R128")], "r128", 400.0)
    assert [event.trial_type for event in kept] == ["face"]
