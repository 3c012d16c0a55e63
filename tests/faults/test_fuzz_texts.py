"""Whatever stands in a JSON, TOML or table: it is read or refused in words, soon, and in little memory."""

from __future__ import annotations

import json
import os
import tracemalloc
from argparse import ArgumentTypeError
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bids_eeg2fmri import option_values
from bids_eeg2fmri.bids.bids_name import parse_name
from bids_eeg2fmri.bids.content import read_json_object
from bids_eeg2fmri.bids.filter_file import read_filter_file, same_run
from bids_eeg2fmri.bids.scans_table import start_times
from bids_eeg2fmri.bold.parcel_names import read_parcel_names
from bids_eeg2fmri.cli import parse
from bids_eeg2fmri.config_file import read_config_file
from bids_eeg2fmri.eeg.channel_types import read_channels
from bids_eeg2fmri.eeg.electrodes_file import read_electrodes
from bids_eeg2fmri.eeg.head_frame import to_head_frame
from bids_eeg2fmri.eeg.markers import table_markers
from bids_eeg2fmri.eeg.tables import read_tsv
from bids_eeg2fmri.errors import Eeg2fmriError
from bids_eeg2fmri.parser import build_parser

fuzz = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
NAMES = [parse_name(name) for name in ("sub-01_task-rest_run-02_eeg.vhdr", "sub-01_ses-a_task-rest_desc-clean_eeg.edf")]


def read_filters(path: Path) -> None:
    filters = read_filter_file(path)
    for name in NAMES:
        filters.eeg.accepts(name)
        filters.bold.accepts(name)


READERS: dict[str, Callable[[Path], object]] = {
    "filter file": read_filters,
    "settings": lambda path: read_config_file(path, build_parser()),
    "sidecar": read_json_object,
    "table": lambda path: read_tsv(path, ("onset",)),
    "channels": read_channels,
    "electrodes": lambda path: to_head_frame(read_electrodes(path, None), "electrodes.tsv"),
    "coordinate system": lambda path: read_electrodes(positions(path), path),
    "markers": table_markers,
    "parcel names": lambda path: read_parcel_names(path, np.array([1, 2])),
}


def positions(path: Path) -> Path:
    """A table of electrodes in order, beside a file that may be out of it."""
    table = path.with_name("electrodes.tsv")
    table.write_text("name\tx\ty\tz\n" + "".join(f"E{row}\t{row}\t{row % 3}\t{row % 5}\n" for row in range(1, 12)))
    return table


def read_with_all(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    for reader in READERS.values():
        try:
            reader(path)
        except Eeg2fmriError as error:
            assert error.path is not None and str(error)
    scans = path.parent / "sub-1" / "sub-1_scans.tsv"
    scans.parent.mkdir(exist_ok=True)
    scans.write_bytes(content)
    start_times(path.parent, "1", None)


pieces = st.sampled_from(
    [
        *("{", "}", "[", "]", ":", ",", '"', "=", "'", "#", "\\", "\t", "\n", "\r", "\x0b", "\x1c", "\u2028", "\0"),
        *("onset", "duration", "trial_type", "value", "name", "type", "x", "y", "z", "index", "filename", "acq_time"),
        *("eeg", "bold", "task", "run", "tr", "mem", "participant_label", "null", "true", "n/a", "\ufeff", "\\ud800"),
        *("EEGCoordinateUnits", "FiducialsCoordinates", "nasion", "LPA", "2020-01-01T00:00:00", "0001-01-01T00:00+14"),
        *("-1", "0", "1", "1e999", "1e308", "NaN", "Infinity", "9" * 30, "9" * 5000, "x" * 200_000, "[" * 20_000),
    ]
)


@fuzz
@given(st.one_of(st.binary(max_size=200), st.lists(pieces, max_size=40).map(lambda parts: "".join(parts).encode())))
@example(b"[" * 100_000)
@example(b'{"a":' * 50_000)
@example(b'{"eeg": {"run": ' + b"1" * 5000 + b"}}")
@example(b'{"eeg": {"run": "' + b"1" * 5000 + b'"}}')
@example(b"nprocs = " + b"1" * 5000)
@example(b"a = " + b"[" * 100_000)
@example(b"a = " + b"[" * 8_000)
@example(b"a." * 8_000 + b"a = 1")
@example(b"a." * 200_000)
@example(b'mem = "' + b"9" * 400 + b'G"')
@example(b"onset\tduration\n1\t" + b"x" * 200_000)
@example(b"filename\tacq_time\nsub-1_eeg.edf\t9999-12-31T23:59:59-12:00\n")
@example(b"name\tx\ty\tz\n" + b"".join(b"E%d\t%de300\t1e308\t-1e308\n" % (row, row) for row in range(20)))
@example(b"name\tx\ty\tz\n" + b"".join(b"%s\t1\t2\t3\n" % name for name in b"Fz Cz Pz Oz C3 C4 F3 F4 P3 P4".split()))
def test_any_text(tmp_path: Path, content: bytes) -> None:
    read_with_all(tmp_path / "text", content)


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=6), inner, max_size=4)),
    max_leaves=8,
)
filter_keys = st.sampled_from(["task", "run", "extension", "session", "datatype", "description", "colour"])
system_keys = st.sampled_from(
    [
        *("EEGCoordinateSystem", "EEGCoordinateUnits", "AnatomicalLandmarkCoordinates", "FiducialsCoordinates"),
        *("AnatomicalLandmarkCoordinateSystem", "AnatomicalLandmarkCoordinateUnits"),
    ]
)
landmarks = st.dictionaries(st.sampled_from(["NAS", "LPA", "RPA"]), json_values)


@fuzz
@given(
    st.one_of(
        st.dictionaries(
            st.sampled_from(["eeg", "bold", "t1w"]), st.one_of(json_values, st.dictionaries(filter_keys, json_values))
        ),
        st.dictionaries(system_keys, st.one_of(json_values, landmarks)),
    )
)
def test_any_object(tmp_path: Path, content: dict[str, Any]) -> None:
    read_with_all(tmp_path / "object", json.dumps(content).encode())


option_names = st.sampled_from(sorted(action.dest for action in build_parser()._actions))
toml_values = st.one_of(
    *(st.integers().map(str), st.floats().map(str), st.booleans().map(lambda value: str(value).lower())),
    *(st.text().map(json.dumps), st.lists(st.text(max_size=5)).map(json.dumps), st.just("1979-05-27T07:32:00Z")),
)


@fuzz
@given(st.dictionaries(option_names, toml_values, max_size=4))
@example({"work_dir": '"a\\u0000b"'})
@example({"bids_dir": '"\\u0000"'})
@example({"derivatives": '{"x" = "\\u0000"}'})
@example({"bids_filter_file": '"\\u0000"'})
@example({"reference_image": '"\\u0000"'})
def test_any_settings(tmp_path: Path, capsys: pytest.CaptureFixture[str], options: dict[str, str]) -> None:
    """The whole command line, which ends with a word on what is wrong, or with settings."""
    path = tmp_path / "options.toml"
    path.write_text("".join(f"{key} = {value}\n" for key, value in options.items()))
    try:
        parse([str(tmp_path), str(tmp_path.with_name("out")), "participant", "--config-file", str(path)])
    except SystemExit as stopped:
        assert stopped.code == 2 and "error: " in capsys.readouterr().err


@fuzz
@given(st.text())
@example("9" * 400 + "G")
@example("9" * 5000)
@example("٣")
@example("²")
def test_any_value_of_an_option(text: str) -> None:
    plain = ("memory_bytes", "derivative", "output_space", "number_above_zero", "whole_number", "folds")
    for convert in (*(getattr(option_values, name) for name in plain), option_values.label("task")):
        try:
            convert(text)
        except ArgumentTypeError as error:
            assert str(error)


def test_runs_of_any_length_compare() -> None:
    assert same_run("0" * 5000 + "1", "1") and not same_run("1" * 5000, "1" * 4999)


@pytest.mark.parametrize("kind", READERS)
def test_a_file_that_does_not_end(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "endless"
    path.touch()
    os.truncate(path, 2**40)
    tracemalloc.start()
    with pytest.raises(Eeg2fmriError):
        READERS[kind](path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 256 * 2**20


@pytest.mark.parametrize("kind", sorted(set(READERS) - {"settings", "parcel names"}))
def test_a_pipe_is_not_waited_for(tmp_path: Path, kind: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(Eeg2fmriError, match="not a regular file"):
        READERS[kind](tmp_path / "pipe")
