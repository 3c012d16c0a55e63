"""Hashes of inputs and settings, and the state of a recording's outputs."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from bids_eeg2fmri.bids.bold_file import BoldFile
from bids_eeg2fmri.bids.recording_file import RecordingFile
from bids_eeg2fmri.bold.grid import Grid
from bids_eeg2fmri.derivatives.atomic import temporary_file, write_json
from bids_eeg2fmri.derivatives.completeness import (
    RunHashes,
    clear_leftovers,
    config_hash,
    input_hash,
    signal_files,
    state,
)
from bids_eeg2fmri.derivatives.names import OutputNames, output_names, sidecar
from bids_eeg2fmri.errors import MissingInputError
from bids_eeg2fmri.settings import OutputSpace, Settings

HASHES = RunHashes("input", "model", "config")
SETTINGS = Settings(Path("/in"), Path("/out"), "participant")


@pytest.fixture
def names(tmp_path: Path, recording_file: RecordingFile, grid: Grid) -> OutputNames:
    names = output_names(tmp_path / "out", recording_file, grid)
    names.func_dir.mkdir(parents=True)
    for path in names.required:
        path.write_text("content")
    write_json(sidecar(names.bold), HASHES.as_metadata)
    return names


def test_a_recording_is_done_when_everything_is_there_and_matches(names: OutputNames):
    assert state(names, HASHES) == "done"
    for change in ({"input": "x"}, {"model": "x"}, {"config": "x"}):
        assert state(names, replace(HASHES, **change)) == "stale"


def test_without_its_last_file_a_recording_is_new(names: OutputNames):
    sidecar(names.bold).unlink()
    assert state(names, HASHES) == "new"


def test_a_missing_empty_or_broken_file_makes_it_stale(names: OutputNames):
    names.mask.unlink()
    assert state(names, HASHES) == "stale"
    names.mask.touch()
    assert state(names, HASHES) == "stale"
    names.mask.write_text("content")
    for broken in ("{", "[]", '"text"'):
        sidecar(names.bold).write_text(broken)
        assert state(names, HASHES) == "stale"


def test_reliability_maps_are_needed_where_the_model_has_them(names: OutputNames):
    write_json(sidecar(names.bold), HASHES.as_metadata | {"Reliability": {"Electrodes": 64}})
    assert state(names, HASHES) == "stale"
    for path in names.with_reliability:
        path.write_text("content")
    assert state(names, HASHES) == "done"
    names.interpretable.unlink()
    assert state(names, HASHES) == "stale"


def test_leftovers_of_a_killed_run_go_and_nothing_else(names: OutputNames):
    figure = names.figure("carpet")
    figure.parent.mkdir(parents=True)
    figure.touch()
    for path in (names.bold, figure):
        with temporary_file(path) as temporary:
            pass
        temporary.touch()
    clear_leftovers(names)
    assert not list(names.output_dir.rglob(".tmp-*"))
    assert figure.exists()
    assert all(path.exists() for path in names.required)


@pytest.mark.parametrize("suffix", [".vhdr", ".eeg", ".vmrk"])
def test_the_input_hash_follows_every_signal_file(recording_file: RecordingFile, suffix: str):
    before = input_hash(recording_file)
    assert input_hash(recording_file) == before
    path = recording_file.path.with_suffix(suffix)
    path.write_bytes(path.read_bytes() + b"\n")
    assert input_hash(recording_file) != before


def test_the_input_hash_follows_companions_and_metadata(recording_file: RecordingFile, tmp_path: Path):
    before = input_hash(recording_file)
    assert input_hash(replace(recording_file, sidecar={"EEGReference": "Cz"})) != before
    channels = tmp_path / "channels.tsv"
    channels.write_text("name\ttype\n")
    assert input_hash(replace(recording_file, channels_tsv=channels)) != before
    assert recording_file.events_tsv is not None
    recording_file.events_tsv.write_text("onset\tduration\n")
    assert input_hash(recording_file) != before


def test_the_input_hash_does_not_depend_on_where_the_dataset_lies(recording_file: RecordingFile, tmp_path: Path):
    before = input_hash(recording_file)
    moved = tmp_path / "moved"
    recording_file.root.rename(moved)

    def relocated(path: Path | None) -> Path:
        assert path is not None
        return moved / path.relative_to(recording_file.root)

    there = replace(
        recording_file, root=moved, path=relocated(recording_file.path), events_tsv=relocated(recording_file.events_tsv)
    )
    assert input_hash(there) == before


def test_signal_files_of_each_format(tmp_path: Path):
    for name in ("a.vhdr", "a.eeg", "b.set", "b.fdt", "c.edf", "c.fdt"):
        (tmp_path / name).touch()
    (tmp_path / "a.vhdr").write_bytes("; µV\nDataFile \t= $b.eeg \r\nMarkerFile = gone.vmrk\n".encode("latin-1"))
    found = {name: [path.name for path in signal_files(tmp_path / name)] for name in ("a.vhdr", "b.set", "c.edf")}
    assert found == {"a.vhdr": ["a.vhdr", "a.eeg"], "b.set": ["b.set", "b.fdt"], "c.edf": ["c.edf"]}
    # The reader takes these markers where the header names some that are gone.
    (tmp_path / "a.vmrk").touch()
    assert [path.name for path in signal_files(tmp_path / "a.vhdr")] == ["a.vhdr", "a.eeg", "a.vmrk"]


def test_a_missing_signal_file_is_named(recording_file: RecordingFile):
    recording_file.path.unlink()
    with pytest.raises(MissingInputError) as caught:
        input_hash(recording_file)
    assert caught.value.path == recording_file.path


def test_the_config_hash_follows_only_what_changes_results(tmp_path: Path):
    space = OutputSpace()
    before = config_hash(SETTINGS, space)
    for same in ({"nprocs": 8}, {"device": "gpu"}, {"verbosity": 2}, {"participant_label": ("01",)}, {"low_mem": True}):
        assert config_hash(replace(SETTINGS, **same), space) == before
    for other in (
        {"tr_s": 1.0},
        {"volume_marker": "R1"},
        {"montage": "biosemi64"},
        {"float32": True},
    ):
        assert config_hash(replace(SETTINGS, **other), space) != before
    assert config_hash(SETTINGS, OutputSpace(resolution="4")) != before
    reference = tmp_path / "reference.nii"
    hashes = set()
    for content in (b"one", b"two"):
        reference.write_bytes(content)
        hashes.add(config_hash(SETTINGS, OutputSpace(resolution=None, reference_image=reference)))
    assert len(hashes | {before}) == 3


def test_the_config_hash_follows_the_scanners_bold_without_reading_it(tmp_path: Path):
    space = OutputSpace()
    image = tmp_path / "sub-01_task-rest_bold.nii.gz"
    image.write_bytes(b"volumes")
    os.utime(image, (5, 5))
    bold = BoldFile(image, "raw", sidecar={"RepetitionTime": 2.0}, confounds=tmp_path / "confounds.tsv")
    before = config_hash(SETTINGS, space, bold)
    assert before not in (config_hash(SETTINGS, space), config_hash(SETTINGS, space, replace(bold, sidecar={})))
    assert config_hash(replace(SETTINGS, confounds=("trans_x",)), space, bold) != before
    (tmp_path / "moved").mkdir()
    moved = image.rename(tmp_path / "moved" / image.name)
    assert config_hash(SETTINGS, space, replace(bold, path=moved)) == before
    os.utime(moved, (6, 6))
    assert config_hash(SETTINGS, space, replace(bold, path=moved)) != before
    moved.write_bytes(b"more volumes")
    os.utime(moved, (5, 5))
    assert config_hash(SETTINGS, space, replace(bold, path=moved)) != before
