"""Labels, filters and file names that point elsewhere: refused, or without effect, and nothing is written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from bids_eeg2fmri.bids.bids_name import is_label, parse_name
from bids_eeg2fmri.bids.dataset import subjects_in
from bids_eeg2fmri.bids.recording_file import RecordingFile
from bids_eeg2fmri.bids.selection import select_recordings
from bids_eeg2fmri.bold.grid import Grid
from bids_eeg2fmri.bold.parcellation import _label as parcellation_label
from bids_eeg2fmri.cli import main, parse
from bids_eeg2fmri.derivatives.classification import map_labels
from bids_eeg2fmri.derivatives.contrast import ContrastNames
from bids_eeg2fmri.derivatives.dataset import write_dataset_files
from bids_eeg2fmri.derivatives.names import output_names
from bids_eeg2fmri.derivatives.provenance import ModelProvenance
from bids_eeg2fmri.eeg.read import read_recording
from bids_eeg2fmri.errors import BadDataError
from bids_eeg2fmri.settings import Settings

OUTWARDS = ["../../x", "..", "/etc/passwd", "a/../../b", "x\n", "sub-../x", "*", "a b", "~", "$HOME", "`id`", "a;b", ""]
LABEL_OPTIONS = ["participant-label", "exclude-participant-label", "session-label", "task-id", "run-id"]


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Four people whose labels mean something to a shell, with a recording each; files without content."""
    root = tmp_path / "ds"
    for label in ("01", "[01]", "*", "x y"):
        folder = root / f"sub-{label}" / "eeg"
        folder.mkdir(parents=True)
        (folder / f"sub-{label}_task-rest_eeg.edf").write_bytes(b"0")
    (root / "dataset_description.json").write_text(json.dumps({"Name": "made up", "BIDSVersion": "1.10.0"}))
    return root


def selection_settings(root: Path, **options: Any) -> Settings:
    return Settings(root, root.with_name("out"), "participant", **options)


@pytest.mark.parametrize("option", LABEL_OPTIONS)
def test_labels_are_letters_and_digits(dataset: Path, tmp_path: Path, option: str, capsys) -> None:
    out = tmp_path / "out"
    for text in OUTWARDS:
        (tmp_path / "options.toml").write_text(f"{option} = [{json.dumps(text)}]\n")
        for given_by in ([f"--{option}", text], ["--config-file", str(tmp_path / "options.toml")]):
            with pytest.raises(SystemExit) as stopped:
                parse([str(dataset), str(out), "participant", *given_by])
            assert stopped.value.code == 2
            assert "is not a BIDS label" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize("key", ["subject", "task", "run", "session", "description", "extension", "suffix"])
def test_values_of_a_filter_are_compared_and_nothing_else(dataset: Path, tmp_path: Path, key: str, capsys) -> None:
    path = tmp_path / "filter.json"
    for text in [text for text in OUTWARDS if text != "*"]:
        path.write_text(json.dumps({"eeg": {key: text}}))
        code = main([str(dataset), str(tmp_path / "out"), "participant", "--bids-filter-file", str(path)])
        assert code == 18 and "no recording passes the filters" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_names_of_people_are_no_patterns(dataset: Path) -> None:
    """``sub-[01]`` is not ``sub-0`` or ``sub-1``, and ``sub-*`` not everybody."""
    selected = select_recordings(selection_settings(dataset))
    assert [file.subject for file in selected.recordings] == ["01"]
    assert sorted(failure.subject for failure in selected.failures) == ["*", "[01]", "x y"]
    assert all("not a label of letters and digits" in failure.error.problem for failure in selected.failures)


def test_names_that_are_no_text_are_passed_over(dataset: Path) -> None:
    (dataset / "sub-\udcff" / "eeg").mkdir(parents=True)
    (dataset / "sub-01" / "eeg" / "sub-01_task-\udcff_eeg.edf").write_bytes(b"0")
    assert "\udcff" not in subjects_in(dataset)
    selected = select_recordings(selection_settings(dataset, participant_label=("01",)))
    assert [file.task for file in selected.recordings] == ["rest"]


def test_paths_that_are_no_text_are_refused(dataset: Path, tmp_path: Path, capsys) -> None:
    odd = tmp_path / "out-\udcff"
    with pytest.raises(SystemExit):
        parse([str(dataset), str(odd), "participant"])
    assert r"out-\udcff" in capsys.readouterr().err and not odd.exists()


letters = st.one_of(st.characters(categories=["L", "N", "M"]), st.sampled_from("+"), st.sampled_from("+.-_ *~/\\\0"))
values = st.text(letters, min_size=1, max_size=12)


@settings(suppress_health_check=[HealthCheck.filter_too_much])
@given(values, values, values)
@example("..", "..", "..")
def test_every_name_that_passes_leads_into_the_output(subject: str, task: str, run: str) -> None:
    name = parse_name(f"sub-{subject}_task-{task}_run-{run}_eeg.edf")
    assume(name is not None and all(is_label(value) for value in name.entities.values()))
    assert name is not None
    entities = name.entities
    file = RecordingFile(Path("x"), Path(), "raw", entities["sub"], entities["task"], run=entities["run"])
    out = Path("/data/out")
    names = output_names(out, file, Grid(np.eye(4), (1, 1, 1), np.ones((1, 1, 1), np.uint8), "4"))
    for path in (*names.required, names.events, names.figure("carpet"), names.subject_html):
        assert path.is_relative_to(out) and ".." not in path.parts


@given(values, values)
@example("../..", "../x")
def test_names_from_tables_and_images_become_labels(text: str, other: str) -> None:
    seg = parcellation_label(Path("/p") / f"tpl-x_seg-{text}_dseg.nii.gz")
    column = ContrastNames(Path("/out"), text, other, "space-x").image("z")
    assert all(is_label(label) for label in (seg, *map_labels([text, other])))
    assert column.parent == Path("/out/group_contrast")


def test_a_licence_that_links_out_of_the_dataset_is_not_given_away(dataset: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("mine")
    (dataset / "LICENSE").symlink_to(secret)
    model = ModelProvenance("m", "1", "0" * 64, "neuralfield", ("d",), None, "none")
    write_dataset_files(tmp_path / "out", dataset, {}, model)
    assert not (tmp_path / "out" / "LICENSE").exists()
    (dataset / "LICENSE").unlink()
    annexed = dataset / ".git" / "annex" / "key"
    annexed.parent.mkdir(parents=True)
    annexed.write_text("CC0")
    (dataset / "LICENSE").symlink_to(annexed)
    write_dataset_files(tmp_path / "out", dataset, {}, model)
    assert (tmp_path / "out" / "LICENSE").read_text() == "CC0"


def test_a_cleaned_header_cannot_name_signals_elsewhere(dataset: Path) -> None:
    folder = dataset / "sub-01" / "eeg"
    (folder / "sub-01_task-rest_eeg.edf").unlink()
    header = folder / "sub-01_task-rest_eeg.vhdr"
    header.write_text("[Common Infos]\nNumberOfChannels=1\nDataFile=/etc/passwd\n[Channel Infos]\nCh1=Cz,,1,V\n")
    (file,) = select_recordings(selection_settings(dataset, participant_label=("01",))).recordings
    with pytest.raises(BadDataError, match="names no data file beside it"):
        read_recording(file, selection_settings(dataset))
