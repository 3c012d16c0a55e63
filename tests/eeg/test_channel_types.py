from __future__ import annotations

from pathlib import Path

import pytest

from bids_eeg2fmri.eeg.channel_types import ChannelRow, find_electrodes, read_channels
from bids_eeg2fmri.errors import BadDataError


@pytest.mark.parametrize(
    "name",
    [
        *("EOG", "HEOG", "VEOG", "EOG1", "VEO", "ECG", "EKG", "EMG1", "A1", "A2", "M1", "M2", "REF"),
        *("Status", "TRIG", "STI014", "EXG1", "Resp", "GSR1", "A2-A1"),
        *("ECG ECG", "EEG A2-A1", "STI 014", "chin EMG", "EDF Annotations"),
    ],
)
def test_left_out_by_name_although_the_file_says_eeg(name: str) -> None:
    found = find_electrodes(["Cz", name], ["eeg", "eeg"], {})
    assert [channel.name for channel in found.names] == ["Cz"]
    assert set(found.left_out) == {name}


def test_every_10_05_electrode_stays(cap: list[str]) -> None:
    found = find_electrodes([*cap, "FT9", "PO10", "I1", "T3", "TP9"], ["eeg"] * (len(cap) + 5), {})
    assert len(found.names) == len(cap) + 5
    assert not found.left_out


def test_types_of_table_and_file() -> None:
    rows = {
        "Cz": ChannelRow("Cz", "MISC", "uV", "good", "n/a"),
        "Pz": ChannelRow("Pz", "EEG", "uV", "good", "n/a"),
        "gone": ChannelRow("gone", "EEG", "uV", "good", "n/a"),
    }
    found = find_electrodes(["Cz", "Pz", "X1", "Fz"], ["eeg", "misc", "stim", "misc"], rows)
    assert [channel.name for channel in found.names] == ["Pz", "Fz"]
    assert found.left_out == {"Cz": "type MISC in channels.tsv", "X1": "type stim in the file"}
    assert "gone" in found.warnings[0]


def test_bipolar_and_duplicates_warn() -> None:
    found = find_electrodes(["F3-C3", "Cz", "EEG CZ-REF"], ["eeg"] * 3, {})
    assert [channel.name for channel in found.names] == ["Cz"]
    assert "bipolar" in found.left_out["F3-C3"]
    assert "after Cz" in found.left_out["EEG CZ-REF"]
    assert len(found.warnings) == 2


def test_channels_table(tmp_path: Path) -> None:
    table = tmp_path / "channels.tsv"
    table.write_text("name\ttype\tunits\tstatus\tstatus_description\nCz\teeg\tµV\tBad\tloose\n", encoding="utf-8")
    assert read_channels(table)["Cz"] == ChannelRow("Cz", "EEG", "µV", "bad", "loose")
    assert read_channels(None) == {}


@pytest.mark.parametrize(
    "text", ["", "name\tunits\nCz\tuV\n", "name\ttype\nCz\n", "name\ttype\nCz\tEEG\nCz\tEEG\n", "\x00\xff"]
)
def test_broken_channels_table_names_the_file(tmp_path: Path, text: str) -> None:
    table = tmp_path / "channels.tsv"
    table.write_text(text, encoding="latin-1")
    with pytest.raises(BadDataError) as caught:
        read_channels(table)
    assert caught.value.path == table
    assert caught.value.remedy
