from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bids_eeg2fmri.eeg.discontinuity import check_continuous, marked_bad
from bids_eeg2fmri.eeg.markers import Marker, table_markers
from bids_eeg2fmri.errors import BadDataError

VHDR = Path("sub-01_task-rest_eeg.vhdr")


def check(markers: list[Marker], **sidecar: str) -> None:
    check_continuous(VHDR, sidecar, markers, 250.0, 100.0)


@pytest.mark.parametrize("description", ["New Segment/", "boundary", "EDGE boundary", "BAD boundary", "Type/boundary"])
def test_break_inside(description: str) -> None:
    with pytest.raises(BadDataError, match=r"cut at 40\.000 s") as caught:
        check([Marker(40.0, 0.0, description)])
    assert "run" in str(caught.value.remedy)
    check([Marker(0.0, 0.0, description)])
    check([Marker(100.0, 0.0, description)])


def test_recording_type() -> None:
    check([], RecordingType="continuous")
    with pytest.raises(BadDataError, match="epoched"):
        check([], RecordingType="epoched")
    with pytest.raises(BadDataError, match="discontinuous"):
        check([], RecordingType="discontinuous")
    check([Marker(5.0, 2.0, "BAD_ACQ_SKIP")], RecordingType="discontinuous")


def test_marked_stretches() -> None:
    markers = [
        Marker(5.0, 2.0, "BAD_ACQ_SKIP"),
        Marker(99.0, 5.0, "BAD muscle"),
        Marker(30.0, 0.0, "BAD"),
        Marker(50.0, 1.0, "bad_outcome"),
        Marker(60.0, 1.0, "BADGER"),
    ]
    assert marked_bad(markers, 100.0) == ((5.0, 7.0), (99.0, 100.0))


def write_edf_plus(path: Path, kind: bytes, onsets_s: list[float]) -> None:
    """A file of one signal and one annotation channel, one second a record, field by field as the format says."""

    def field(values: list[str], width: int) -> bytes:
        return b"".join(value.ljust(width).encode("ascii") for value in values)

    head = field(["0"], 8) + field(["X X X X"], 80) + field(["Startdate X X X X"], 80)
    head += b"01.01.2000.00.00" + field(["768"], 8) + kind.ljust(44) + field([str(len(onsets_s))], 8)
    head += field(["1"], 8) + field(["2"], 4)
    head += field(["Cz", "EDF Annotations"], 16) + field(["", ""], 80) + field(["uV", ""], 8)
    head += field(["-1000", "-1"], 8) + field(["1000", "1"], 8) + field(["-32768", "-32768"], 8)
    head += field(["32767", "32767"], 8) + field(["", ""], 80) + field(["100", "20"], 8) + field(["", ""], 32)
    records = b""
    for onset_s in onsets_s:
        records += np.zeros(100, dtype="<i2").tobytes() + f"+{onset_s:g}\x14\x14".encode().ljust(40, b"\x00")
    path.write_bytes(head + records)


def test_edf_plus_with_a_gap(tmp_path: Path) -> None:
    path = tmp_path / "gap_eeg.edf"
    write_edf_plus(path, b"EDF+D", [0, 1, 2, 10, 11])
    with pytest.raises(BadDataError, match=r"cut at 3\.000 s"):
        check_continuous(path, {}, [], 100.0, 5.0)
    write_edf_plus(path, b"EDF+D", [0, 1, 2, 3, 4])
    check_continuous(path, {}, [], 100.0, 5.0)
    write_edf_plus(path, b"EDF+C", [0, 1, 2, 3, 4])
    check_continuous(path, {}, [], 100.0, 5.0)


def test_events_table(tmp_path: Path) -> None:
    table = tmp_path / "events.tsv"
    table.write_text("onset\tduration\ttrial_type\tvalue\n2.5\tn/a\tgo\t7\nn/a\t0\tlost\t1\n1\t0.5\tn/a\tR128\n")
    assert table_markers(table) == (Marker(1.0, 0.5, "R128", "R128"), Marker(2.5, 0.0, "go", "7"))
    assert table_markers(None) is None


@given(st.text(max_size=200))
def test_any_events_table_is_read_or_refused(tmp_path_factory, text: str) -> None:
    table = tmp_path_factory.mktemp("events") / "events.tsv"
    table.write_text(text, encoding="utf-8")
    try:
        table_markers(table)
    except BadDataError as error:
        assert error.path == table
