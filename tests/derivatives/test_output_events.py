"""Events on the clock of the volumes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bids_eeg2fmri.bids.recording_file import RecordingFile
from bids_eeg2fmri.bold.grid import Grid
from bids_eeg2fmri.derivatives.events import write_events
from bids_eeg2fmri.derivatives.names import OutputNames, output_names, sidecar
from bids_eeg2fmri.eeg.recording import Event, Recording
from bids_eeg2fmri.errors import BadDataError

RecordingOf = Callable[..., Recording]


@pytest.fixture
def names(tmp_path: Path, recording_file: RecordingFile, grid: Grid) -> OutputNames:
    return output_names(tmp_path / "out", recording_file, grid)


def with_table(file: RecordingFile, *lines: str) -> RecordingFile:
    assert file.events_tsv is not None
    file.events_tsv.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return file


def read(names: OutputNames) -> pd.DataFrame:
    return pd.read_csv(names.events, sep="\t")


def test_onsets_count_from_the_first_volume_and_markers_go(
    names: OutputNames, recording_file: RecordingFile, recording_of: RecordingOf
):
    assert write_events(names, recording_file, recording_of(recording_file))
    table = read(names)
    assert list(table) == ["onset", "duration", "trial_type"]
    np.testing.assert_array_equal(table["onset"], range(10, 170, 20))
    assert "".join(table["trial_type"]) == "ABABABAB"
    described = json.loads(sidecar(names.events).read_text())
    assert "12.96 s into the EEG" in described["onset"]["Description"]
    assert set(described) == set(table)


def test_a_source_that_needs_no_change_is_copied_byte_for_byte(
    names: OutputNames, recording_file: RecordingFile, recording_of: RecordingOf
):
    lines = ("onset\tduration\tvalue\ttrial_type\tcomment", "1.50\tn/a\t1\tgo\tµ", "3\t0.1\t2\tstop\t")
    file = with_table(recording_file, *lines)
    file.events_tsv.with_suffix(".json").write_text('{"value": {"Description": "code"}, "absent": {}}')
    events = (Event(1.5, 0.0, "go"), Event(3.0, 0.1, "stop"))
    assert write_events(names, file, recording_of(file, events, 0.0))
    assert names.events.read_bytes() == file.events_tsv.read_bytes()
    described = json.loads(sidecar(names.events).read_text())
    assert described["value"] == {"Description": "code"}
    assert "absent" not in described
    # The same table with a later first volume: other columns stay as they are written.
    assert write_events(names, file, recording_of(file, events, 2.0))
    assert names.events.read_text(encoding="utf-8").splitlines() == [
        lines[0], "-0.5\tn/a\t1\tgo\tµ", "1\t0.1\t2\tstop\t"
    ]  # fmt: skip


def test_markers_at_the_onset_of_an_event_are_told_apart_by_name(
    names: OutputNames, recording_file: RecordingFile, recording_of: RecordingOf
):
    file = with_table(
        recording_file,
        "onset\tduration\ttrial_type\tvalue",
        "0\t0\tR128\t128",
        "2\t0\tR128\t128",
        "2\t1\tface\t4",
        "4\t0\tR128\t128",
        "4.001\t1\tface\t5",
    )
    events = (Event(2.0, 1.0, "face/4"), Event(4.001, 1.0, "face/5"))
    assert write_events(names, file, recording_of(file, events, 0.0))
    np.testing.assert_array_equal(read(names)["value"], [4, 5])


def test_events_renamed_while_reading_are_found_by_onset(
    names: OutputNames, recording_file: RecordingFile, recording_of: RecordingOf
):
    file = with_table(recording_file, "onset\tduration\tvalue", "7\t0\t33", "9\t0\t34", "n/a\t0\t35")
    assert write_events(names, file, recording_of(file, (Event(7.0, 0.0, "Stimulus"),), 1.0))
    assert read(names).to_dict("list") == {"onset": [6], "duration": [0], "value": [33]}


def test_events_of_the_file_itself_are_written_without_a_source_table(
    names: OutputNames, recording_file: RecordingFile, recording_of: RecordingOf
):
    file = replace(recording_file, events_tsv=None)
    events = (Event(5.0, 0.25, "Stimulus/S 1"), Event(17.96, 0.0, "Response/R 3"))
    assert write_events(names, file, recording_of(file, events))
    assert names.events.read_text().splitlines() == [
        "onset\tduration\ttrial_type",
        "-7.96\t0.25\tStimulus/S 1",
        "5\t0\tResponse/R 3",
    ]


def test_without_events_there_is_no_file(names: OutputNames, recording_file: RecordingFile, recording_of: RecordingOf):
    assert not write_events(names, recording_file, recording_of(recording_file, ()))
    assert not names.func_dir.exists()
    # Those of an earlier run go.
    write_events(names, recording_file, recording_of(recording_file))
    assert not write_events(names, recording_file, recording_of(recording_file, ()))
    assert not list(names.func_dir.iterdir())


def test_quotes_do_not_confuse_the_table(names: OutputNames, recording_file: RecordingFile, recording_of: RecordingOf):
    file = with_table(recording_file, "onset\tduration\ttrial_type", '7\t0\tsay "a', '9\t0\tb"c')
    events = (Event(7.0, 0.0, 'say "a'), Event(9.0, 0.0, 'b"c'))
    assert write_events(names, file, recording_of(file, events, 1.0))
    assert names.events.read_text().splitlines()[1:] == ['6\t0\tsay "a', '8\t0\tb"c']


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"", b"time\tname\n1\tx\n"])
def test_a_broken_source_table_is_refused(
    names: OutputNames, recording_file: RecordingFile, recording_of: RecordingOf, content: bytes
):
    assert recording_file.events_tsv is not None
    recording_file.events_tsv.write_bytes(content)
    with pytest.raises(BadDataError) as caught:
        write_events(names, recording_file, recording_of(recording_file))
    assert caught.value.path == recording_file.events_tsv
