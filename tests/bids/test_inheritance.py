from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bids_eeg2fmri.bids.inheritance import Companions
from bids_eeg2fmri.errors import BadDataError, MissingInputError

Add = Callable[..., Path]


def test_the_nearest_value_wins(dataset: Path, add: Add) -> None:
    recording = dataset / "sub-01/ses-a/eeg/sub-01_ses-a_task-rest_run-01_eeg.vhdr"
    add("ds/task-rest_eeg.json", content={"A": "root", "B": "root", "C": "root", "D": "root"})
    add("ds/task-music_eeg.json", content={"A": "other task"})
    add("ds/sub-01/sub-01_task-rest_eeg.json", content={"B": "person"})
    add("ds/sub-01/ses-a/eeg/sub-01_ses-a_task-rest_eeg.json", content={"C": "both runs", "D": "both runs"})
    add("ds/sub-01/ses-a/eeg/sub-01_ses-a_task-rest_run-01_eeg.json", content={"D": "run"})
    add("ds/sub-01/ses-a/eeg/sub-01_ses-a_task-rest_run-02_eeg.json", content={"D": "other run"})
    assert Companions(dataset).metadata(recording, dataset) == {
        "A": "root",
        "B": "person",
        "C": "both runs",
        "D": "run",
    }


def test_the_nearest_table(dataset: Path, add: Add) -> None:
    recording = dataset / "sub-02/eeg/sub-02_task-rest_eeg.bdf"
    companions = Companions(dataset)
    assert companions.table(recording, dataset, "events") is None
    root = add("ds/task-rest_events.tsv")
    assert Companions(dataset).table(recording, dataset, "events") == root
    add("ds/sub-02/eeg/sub-02_events.tsv", "ds/sub-02/eeg/sub-02_task-music_events.tsv")
    near = add("ds/sub-02/eeg/sub-02_task-rest_events.tsv")
    assert Companions(dataset).table(recording, dataset, "events") == near


def test_electrodes_go_with_the_coordinates_of_their_space(dataset: Path, add: Add) -> None:
    recording = dataset / "sub-01/ses-a/eeg/sub-01_ses-a_task-rest_run-01_eeg.vhdr"
    folder = "ds/sub-01/ses-a/eeg/sub-01_ses-a"
    for space in ("CapTrak", "MNI152Lin"):
        add(f"{folder}_space-{space}_electrodes.tsv", f"{folder}_space-{space}_coordsystem.json")
    table, system = Companions(dataset).electrodes(recording, dataset)
    assert table == dataset / "sub-01/ses-a/eeg/sub-01_ses-a_space-CapTrak_electrodes.tsv"
    assert system == dataset / "sub-01/ses-a/eeg/sub-01_ses-a_space-CapTrak_coordsystem.json"


def test_electrodes_without_space_and_without_coordsystem(dataset: Path, add: Add) -> None:
    recording = dataset / "sub-02/eeg/sub-02_task-rest_eeg.bdf"
    assert Companions(dataset).electrodes(recording, dataset) == (None, None)
    table = add("ds/sub-02/eeg/sub-02_electrodes.tsv")
    assert Companions(dataset).electrodes(recording, dataset) == (table, None)
    system = add("ds/sub-02/eeg/sub-02_coordsystem.json")
    assert Companions(dataset).electrodes(recording, dataset) == (table, system)


def test_a_derivative_falls_back_to_raw_companions(dataset: Path, add: Add) -> None:
    raw = "ds/sub-02/eeg/sub-02"
    add(f"{raw}_task-rest_eeg.json", content={"EEGReference": "Cz", "SamplingFrequency": 5000, "Manufacturer": "M"})
    channels, events = add(f"{raw}_task-rest_channels.tsv"), add(f"{raw}_task-rest_events.tsv")
    electrodes = add(f"{raw}_space-CapTrak_electrodes.tsv")
    recording = add("clean/sub-02/eeg/sub-02_task-rest_desc-clean_eeg.set")
    root = recording.parents[2]
    add("clean/sub-02/eeg/sub-02_task-rest_desc-clean_eeg.json", content={"EEGReference": "average"})
    companions = Companions(dataset)
    assert companions.metadata(recording, root) == {"EEGReference": "average", "Manufacturer": "M"}
    assert companions.table(recording, root, "channels") == channels
    assert companions.electrodes(recording, root)[0] == electrodes
    own = add("clean/sub-02/eeg/sub-02_task-rest_desc-clean_events.tsv")
    assert Companions(dataset).table(recording, root, "events") == own != events


def test_a_broken_sidecar_names_file_and_place(dataset: Path, add: Add) -> None:
    recording = dataset / "sub-02/eeg/sub-02_task-rest_eeg.bdf"
    broken = add("ds/sub-02/eeg/sub-02_task-rest_eeg.json", content='{"A": 1,\n "B" 2}')
    with pytest.raises(BadDataError, match="line 2, column 6") as caught:
        Companions(dataset).metadata(recording, dataset)
    assert caught.value.path == broken


def test_a_table_that_is_not_fetched(dataset: Path) -> None:
    recording = dataset / "sub-02/eeg/sub-02_task-rest_eeg.bdf"
    (recording.parent / "sub-02_task-rest_channels.tsv").symlink_to("nowhere")
    with pytest.raises(MissingInputError, match="datalad get"):
        Companions(dataset).table(recording, dataset, "channels")
