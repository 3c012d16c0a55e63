"""Headers and marker files of recordings with anything in them: read or refused in words."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pybv
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bids_eeg2fmri.derivatives.completeness import signal_files
from bids_eeg2fmri.eeg.channel_types import find_electrodes
from bids_eeg2fmri.eeg.clock import find_clock
from bids_eeg2fmri.eeg.discontinuity import check_continuous
from bids_eeg2fmri.eeg.formats import open_raw
from bids_eeg2fmri.eeg.markers import Marker, native_markers
from bids_eeg2fmri.errors import Eeg2fmriError

EDF = Path(__file__).parents[2] / "examples" / "ds-eegmat" / "sub-00" / "eeg" / "sub-00_task-rest_eeg.edf"
fuzz = settings(max_examples=100, deadline=None)


@pytest.fixture(scope="module")
def header(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("headers")
    pybv.write_brainvision(
        data=1e-5 * np.random.default_rng(0).standard_normal((4, 1000)),
        sfreq=250.0,
        ch_names=["Fp1", "Fp2", "Cz", "Oz"],
        fname_base="a_eeg",
        folder_out=folder,
        events=[{"onset": 50 * i, "duration": 1, "description": 1} for i in range(12)],
    )
    return folder / "a_eeg.vhdr"


@pytest.fixture(scope="module")
def sound(header: Path) -> dict[str, str]:
    return {suffix: header.with_suffix(suffix).read_text("utf-8") for suffix in (".vhdr", ".vmrk")}


def take_in(path: Path) -> None:
    """What becomes of a file's header and markers, up to its first samples."""
    signal_files(path)
    raw = open_raw(path)
    sfreq_hz, markers = float(raw.info["sfreq"]), native_markers(raw)
    check_continuous(path, {}, markers, sfreq_hz, raw.n_times / sfreq_hz)
    find_clock(markers, None, sfreq_hz=sfreq_hz, n_samples=raw.n_times)
    find_electrodes(raw.ch_names, raw.get_channel_types(), {})
    raw.get_data(start=0, stop=min(100, raw.n_times), verbose="error")


def survives(path: Path) -> None:
    try:
        take_in(path)
    except Eeg2fmriError as error:
        assert str(error)


values = st.sampled_from(
    [
        *("", "0", "-1", "abc", "1e9", "999999999", "9" * 30, "9" * 5000, "3", "4.5", "nan", "inf", "٣", "a" * 3000),
        *("../a_eeg.eeg", "/etc/passwd", "a\0b", ".", "..", "$b.eeg", "%(x)s", "<script>", " " * 5000 + "x"),
        *("BINARY", "ASCII", "VECTORIZED", "INT_16", "IEEE_FLOAT_32", "INT_32", "UINT_16", "YES", "FREQUENCYDOMAIN"),
        *("Fp1,,0.05,µV", "Fp1", "Fp1,,,", "Fp1,,0,µV", "Fp1,,nan,µV", "Fp1,,1e400,V", ",,,", "Cz,,1,C", r"\1\1,,1,V"),
    ]
)
edits = st.lists(
    st.tuples(st.integers(0, 40), values, st.sampled_from(["set", "drop", "double", "before"])), min_size=1, max_size=3
)


def edited(text: str, changes: Sequence[tuple[int, str, str]]) -> str:
    """The text with the values of some of its entries changed, taken away or given twice, or new entries before."""
    lines = text.splitlines()
    entries = [row for row, line in enumerate(lines) if "=" in line and not line.startswith(";")]
    for number, value, how in changes:
        row = entries[number % len(entries)]
        key = lines[row].split("=")[0]
        new = {"set": f"{key}={value}", "drop": "", "double": f"{lines[row]}\n{key}={value}"}
        lines[row] = new.get(how, f"DataPoints={value}\n{lines[row]}")
    return "\n".join(lines)


@fuzz
@given(edits)
@example([(5, "0", "set")])
@example([(1, "a\0b", "set")])
@example([(1, "../a_eeg.eeg", "set")])
def test_any_entry_of_a_brainvision_header(header: Path, sound: dict[str, str], changes) -> None:
    header.with_suffix(".vmrk").write_text(sound[".vmrk"], "utf-8")
    header.write_text(edited(sound[".vhdr"], changes), "utf-8")
    survives(header)


@fuzz
@given(st.integers(0, 900), st.binary(max_size=200))
def test_any_bytes_in_a_brainvision_header(header: Path, sound: dict[str, str], place: int, content: bytes) -> None:
    whole = sound[".vhdr"].encode()
    header.write_bytes(whole[:place] + content + whole[place:])
    survives(header)


marker_lines = st.sampled_from(
    [
        *("", "Mk1=", "Mk1=Response", "Mk=,,,,,,", "Mk1=Response,R128,-5,1,0", "Mk1=Response,R128,x,1,0", "\0"),
        *(f"Mk1=Response,R128,{'9' * 20},1,0", "Mk5=Response,R128,nan,inf,0", "Mk1=Stimulus,S  1,10,-9999999,0"),
        *("Mk1=New Segment,,1,1,0,2025", f"Mk1=New Segment,,1,1,0,{'9' * 20}", "Mk1=New Segment,,500,1,0,20250101"),
        *("[Marker Infos]", "Codepage=UTF-16", "Codepage=xxx", "DataFile=/etc/passwd", "Mk3=Comment,\t<b>\x01,5,1,0"),
    ]
)


@fuzz
@given(st.lists(st.tuples(st.integers(0, 25), marker_lines), min_size=1, max_size=4), st.binary(max_size=50))
def test_any_marker_file(header: Path, sound: dict[str, str], changes, tail: bytes) -> None:
    header.write_text(sound[".vhdr"], "utf-8")
    lines = sound[".vmrk"].splitlines()
    for row, line in changes:
        lines[row % len(lines)] = line
    header.with_suffix(".vmrk").write_bytes("\n".join(lines).encode() + tail)
    survives(header)


def edf_fields() -> Iterator[tuple[int, int]]:
    """Place and width of fields of the EDF header: of the file, and of two of its signals."""
    yield from ((0, 8), (168, 8), (176, 8), (184, 8), (192, 44), (236, 8), (244, 8), (252, 4))
    n_signals = int(EDF.read_bytes()[252:256])
    for start, width in ((0, 16), (96, 8), (104, 8), (112, 8), (120, 8), (128, 8), (216, 8)):
        yield from ((256 + start * n_signals, width), (256 + start * n_signals + 3 * width, width))


edf_values = st.sampled_from(
    [
        *("0", "-1", "1", "9999", "99999999", "abc", "", "nan", "inf", "1e300", "-1e9", "0.0001", "1_0", "5632"),
        *("EDF+C", "EDF+D", "EDF Annotations", "\xff", "uV", "\0"),
    ]
)


@fuzz
@given(st.lists(st.tuples(st.sampled_from(list(edf_fields())), edf_values), max_size=3))
def test_any_field_of_an_edf_header(tmp_path_factory: pytest.TempPathFactory, changes) -> None:
    content = bytearray(EDF.read_bytes()[:150_000])
    # The number of records is that of the file's size: so most of the changed files are not refused as cut.
    content[236:244] = b"-1      "
    for (start, width), value in changes:
        content[start : start + width] = value.encode("latin-1")[:width].ljust(width)
    path = tmp_path_factory.getbasetemp() / "b_eeg.edf"
    path.write_bytes(content)
    survives(path)


times = st.one_of(st.floats(), st.floats(-10, 100), st.integers(0, 60).map(float))
texts = st.one_of(st.sampled_from(["R128", "Response/R128", "boundary", "", "volume", "/", "New Segment/"]), st.text())
markers = st.lists(st.builds(Marker, times, st.floats(), texts, texts), max_size=60)


@fuzz
@given(markers, markers, st.floats(100, 20_000), st.one_of(st.none(), texts))
def test_any_markers(native: list[Marker], table: list[Marker], sfreq_hz: float, wanted: str | None) -> None:
    try:
        finding = find_clock(native, table, sfreq_hz=sfreq_hz, n_samples=int(80 * sfreq_hz), volume_marker=wanted)
    except Eeg2fmriError as error:
        assert str(error)
    else:
        assert 0 < finding.clock.tr_s < np.inf and 0 <= finding.clock.n_volumes <= 320


@pytest.mark.parametrize("start", ["", "x=", "DataFile=a", "[", "\n"])
def test_a_header_with_lines_of_any_length_is_understood(header: Path, sound: dict[str, str], start: str) -> None:
    """Patterns that look back would need many minutes for these."""
    header.with_suffix(".vmrk").write_text(sound[".vmrk"], "utf-8")
    for filling in (" ", "\n", "=", "["):
        line = f"{start}{filling * 200_000}x\n"
        header.write_text(sound[".vhdr"].replace("[Common Infos]", f"{line}[Common Infos]"), "utf-8")
        assert {path.name for path in signal_files(header)} >= {"a_eeg.vhdr", "a_eeg.eeg", "a_eeg.vmrk"}
        with pytest.raises(Eeg2fmriError, match="cannot be read as BrainVision"):
            open_raw(header)
        # The same at its end, in the comment.
        header.write_text(f"{sound['.vhdr']}\n{line}", "utf-8")
        assert open_raw(header).n_times == 1000


def test_a_header_that_does_not_end(tmp_path: Path) -> None:
    path = tmp_path / "endless_eeg.vhdr"
    path.touch()
    os.truncate(path, 2**40)
    tracemalloc.start()
    survives(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 256 * 2**20
