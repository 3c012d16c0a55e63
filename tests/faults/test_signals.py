"""Signal files and markers with faults of their own, met while reading."""

from __future__ import annotations

from pathlib import Path

import mne
import numpy as np
import pybv
import pytest

from bids_eeg2fmri.bids.recording_file import RecordingFile
from bids_eeg2fmri.derivatives.nifti import MAX_DIMENSION, require_room
from bids_eeg2fmri.eeg.channel_types import find_electrodes
from bids_eeg2fmri.eeg.declared import check_declared
from bids_eeg2fmri.eeg.events import stray_events, task_events
from bids_eeg2fmri.eeg.formats import open_raw
from bids_eeg2fmri.eeg.markers import Marker, native_markers
from bids_eeg2fmri.errors import BadDataError, Eeg2fmriError

NAMES = ["Fp1", "Fp2", "Cz", "Oz"]
N_SAMPLES = 2500
SFREQ_HZ = 250.0


def raw_of(names: list[str], events: list[str]) -> mne.io.RawArray:
    rng = np.random.default_rng(0)
    signals_v = 1e-5 * rng.standard_normal((len(names), N_SAMPLES))
    raw = mne.io.RawArray(signals_v, mne.create_info(names, SFREQ_HZ, "eeg"), verbose="error")
    raw.set_annotations(mne.Annotations(np.arange(1.0, 1 + len(events)), 0.0, events))
    return raw


def file_of(path: Path, **sidecar: object) -> RecordingFile:
    return RecordingFile(path, path.parent, "raw", "01", "rest", sidecar=dict(sidecar))


@pytest.fixture
def edf(tmp_path: Path) -> Path:
    path = tmp_path / "sub-01_task-rest_eeg.edf"
    raw_of(NAMES, ["a\tb", "c"]).export(path, physical_range=(-1e3, 1e3), verbose="error")
    return path


@pytest.fixture
def header(tmp_path: Path) -> Path:
    data = raw_of(NAMES, []).get_data()
    pybv.write_brainvision(data=data, sfreq=SFREQ_HZ, ch_names=NAMES, fname_base="a_eeg", folder_out=tmp_path)
    return tmp_path / "a_eeg.vhdr"


def test_events_hold_no_tabs(edf: Path) -> None:
    """Their names become cells of tables."""
    markers = native_markers(open_raw(edf))
    assert [marker.description for marker in markers] == ["a b", "c"]


def test_channel_names_hold_no_tabs_and_line_ends() -> None:
    names = ["E\t1", "E\n2", "\u2028E3 ", "Cz\t"]
    found = find_electrodes(names, ["eeg"] * 4, {})
    assert [channel.name for channel in found.names] == ["E 1", "E 2", "E3", "Cz"]
    assert [channel.original for channel in found.names] == names


@pytest.mark.parametrize("suffix", [".edf", ".bdf"])
def test_a_file_of_one_format_named_as_another(edf: Path, suffix: str) -> None:
    content = bytearray(edf.read_bytes())
    if suffix == ".edf":
        content[:8] = b"\xffBIOSEMI"
    path = edf.with_suffix(suffix)
    path.write_bytes(content)
    with pytest.raises(BadDataError):
        open_raw(path)


def test_an_edf_header_that_counts_its_signals_wrongly(edf: Path) -> None:
    content = bytearray(edf.read_bytes())
    for count in (b"3   ", b"1   ", b"9   ", b"0   ", b"-1  "):
        content[252:256] = count
        edf.write_bytes(content)
        with pytest.raises(BadDataError):
            open_raw(edf)


def smooth_data(header: Path, n_channels: int, value: str) -> None:
    """Slow signals instead of noise in the data file, of whatever layout."""
    n_bytes = header.with_suffix(".eeg").stat().st_size
    n_samples = n_bytes // (n_channels * np.dtype(value).itemsize)
    steps = np.random.default_rng(0).standard_normal((n_samples, n_channels))
    (20 * np.cumsum(steps, axis=0)).astype(value).tofile(header.with_suffix(".eeg"))


def test_a_header_is_wrong_only_where_another_fits_the_bytes(header: Path) -> None:
    raw, duration_s = open_raw(header), N_SAMPLES / SFREQ_HZ
    assert check_declared(file_of(header, RecordingDuration=duration_s, SamplingFrequency=250), raw, 4) == ()
    # Nothing else has this size: the sidecar is wrong.
    (warning,) = check_declared(file_of(header, RecordingDuration=1.7 * duration_s), raw, 4)
    assert "RecordingDuration 17 s, the file has 10 s" in warning
    for other_s, rows, value in ((2 * duration_s, 4, "<i2"), (4 / 5 * duration_s, 5, "<f4")):
        file = file_of(header, RecordingDuration=other_s)
        smooth_data(header, rows, value)
        with pytest.raises(BadDataError, match=f"{rows} channels of {8 * int(value[-1])} bits in the"):
            check_declared(file, raw, rows)
        # The sidecar is that of a longer or shorter recording, and the file is what its header says.
        smooth_data(header, 4, "<f4")
        assert len(check_declared(file, raw, rows)) == 1
    # At another rate, the duration is another without the header being wrong.
    assert len(check_declared(file_of(header, RecordingDuration=20.0, SamplingFrequency=125), raw, 4)) == 2


@pytest.mark.parametrize("stated", [None, "n/a", True, [10], 10**400, float("nan"), float("inf"), "10"])
def test_what_a_sidecar_states_may_be_anything(header: Path, stated: object) -> None:
    file = file_of(header, RecordingDuration=stated, SamplingFrequency=stated)
    assert check_declared(file, open_raw(header), 4) == ()


def test_events_outside_the_recording_are_left_out() -> None:
    onsets = {"before": -5.0, "over": -2.0, "underway": -1.0, "first": 0.0, "last": 9.999, "after": 10.0, "far": 1e9}
    durations = {"over": 1.5, "underway": 2.0}
    markers = [Marker(onset_s, durations.get(name, 0.0), name) for name, onset_s in onsets.items()]
    kept = task_events((), markers, None, 10.0)
    assert [event.trial_type for event in kept] == ["underway", "first", "last"]
    (warning,) = stray_events((), markers, None, 10.0)
    assert warning.startswith("4 of 7 events lie outside the recording (0 to 10.0 s)") and "`before`" in warning
    assert stray_events((), markers[2:5], None, 10.0) == ()


def test_more_volumes_than_an_image_holds_are_refused_before_they_are_made() -> None:
    half_a_day_s = 12 * 3600
    require_room(half_a_day_s // 2, Path("x"))
    require_room(MAX_DIMENSION, Path("x"))
    with pytest.raises(Eeg2fmriError, match=r"43200 volumes.*32767.*--parcels-only"):
        require_room(half_a_day_s, Path("x"))


def test_a_header_in_the_comment_of_a_header_is_a_comment(header: Path) -> None:
    """Analyzer keeps the header of the file that a recording was cleaned from, of other channels and format."""
    text = header.read_text("utf-8").partition("[Comment]")[0]
    other = text.replace("IEEE_FLOAT_32", "INT_16").replace("NumberOfChannels=4", "NumberOfChannels=64")
    header.write_text(f"{text}[Comment]\n{other.replace('Ch4=Oz', 'Ch5=Fp1')}", "utf-8")
    assert open_raw(header).n_times == N_SAMPLES
