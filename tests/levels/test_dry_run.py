"""A dry run says what a run would do, and loads and opens no more than that takes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from unittest import mock

import pytest

from bids_eeg2fmri.bids.recording_file import RecordingFile
from bids_eeg2fmri.bids.selection import select_recordings
from bids_eeg2fmri.cli import main, parse
from bids_eeg2fmri.derivatives.completeness import input_hash
from bids_eeg2fmri.derivatives.names import output_names, sidecar
from bids_eeg2fmri.derivatives.one_model import MODEL_FILE
from bids_eeg2fmri.levels.recording_state import hashes_of, recording_state
from bids_eeg2fmri.levels.scanner_file import Found
from bids_eeg2fmri.network.bundle_files import checked_bundle
from bids_eeg2fmri.settings import OutputSpace, Settings

SIGNALS = Path(__file__).parents[2] / "examples/ds-eegmat/sub-00/eeg/sub-00_task-rest_eeg.edf"
PEOPLE = ("01", "02", "03")
# Prints what was opened below the dataset, and which of the heavy libraries were loaded.
SPY = """
import atexit, os, sys
root, opened = sys.argv.pop(1), set()
def note(event, arguments):
    if event == "open" and isinstance(arguments[0], str) and arguments[0].startswith(root):
        opened.add(os.path.basename(arguments[0]))
sys.addaudithook(note)
heavy = ("jax", "flax", "pandas", "matplotlib", "nilearn", "sklearn")
atexit.register(lambda: print(*sorted(opened), "loaded:", *[name for name in heavy if name in sys.modules]))
from bids_eeg2fmri.cli import main
sys.exit(main())
"""

Run = Callable[..., str]


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Three people, whose signal files are links to one file."""
    root = tmp_path / "in"
    for label in PEOPLE:
        folder = root / f"sub-{label}/eeg"
        folder.mkdir(parents=True)
        (folder / f"sub-{label}_task-rest_eeg.edf").symlink_to(SIGNALS)
        (folder / f"sub-{label}_task-rest_eeg.json").write_text('{"TaskName": "rest"}')
    (root / "dataset_description.json").write_text('{"Name": "x", "BIDSVersion": "1.10.0"}')
    return root


@pytest.fixture
def dry(dataset: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """What a dry run over the dataset prints."""

    def start(*options: str) -> str:
        with mock.patch.dict(os.environ):
            assert main(arguments(dataset, *options)) == 0
        return capsys.readouterr().out

    return start


def arguments(dataset: Path, *options: str) -> list[str]:
    folders = (dataset, dataset.with_name("out"), "participant", "--work-dir", dataset.with_name("work"))
    return [*map(str, folders), "--sloppy", "--dry-run", *options]


def states(text: str) -> dict[str, str]:
    headings = [line.split("  [") for line in text.splitlines() if line.endswith("]") and line.startswith("sub-")]
    return {label: state.rstrip("]") for label, state in headings}


def recordings(dataset: Path) -> tuple[Settings, Sequence[RecordingFile]]:
    settings, _ = parse(arguments(dataset))
    return settings, select_recordings(settings).recordings


def pretend_done(dataset: Path) -> None:
    """Outputs of everybody: files with something in them, and sidecars that vouch for them."""
    settings, files = recordings(dataset)
    _, model = checked_bundle(settings.model)
    (space,) = settings.output_spaces
    for file in files:
        names = output_names(settings.output_dir, file, space)
        names.func_dir.mkdir(parents=True)
        for path in names.required:
            path.write_text("something")
        hashes = hashes_of(input_hash(file), settings, space, model["sha256"], Found())
        sidecar(names.bold).write_text(json.dumps(hashes.as_metadata))


def spied(dataset: Path, *options: str) -> tuple[set[str], set[str]]:
    """Files of the dataset that a dry run opens, and the heavy libraries it loads."""
    done = subprocess.run(
        [sys.executable, "-c", SPY, str(dataset), *arguments(dataset, *options)],
        capture_output=True,
        text=True,
        check=True,
    )
    opened, _, loaded = done.stdout.splitlines()[-1].partition("loaded:")
    return set(opened.split()), set(loaded.split())


def test_no_signal_file_of_many_people_is_opened(dataset: Path) -> None:
    pretend_done(dataset)
    opened, loaded = spied(dataset)
    assert {f"sub-{label}_task-rest_eeg.json" for label in PEOPLE} <= opened
    assert not [name for name in opened if name.endswith(".edf")]
    assert not loaded


def test_only_the_one_person_asked_for_is_looked_at(dataset: Path) -> None:
    opened, loaded = spied(dataset, "--participant-label", "02")
    assert {"sub-02_task-rest_eeg.json", "sub-02_task-rest_eeg.edf"} <= opened
    assert not [name for name in opened if name.startswith(("sub-01", "sub-03"))]
    assert not loaded


def test_the_size_of_one_persons_recording(dry: Run) -> None:
    size = "182 s of 21 channels at 500 Hz"
    assert size in dry("--participant-label", "02")
    assert size not in dry()


def test_a_changed_input_is_seen_where_one_person_is_asked_for(dataset: Path, dry: Run) -> None:
    pretend_done(dataset)
    assert set(states(dry()).values()) == {"done"}
    signals = dataset / "sub-02/eeg/sub-02_task-rest_eeg.edf"
    content = bytearray(signals.read_bytes())
    content[-1] ^= 1
    signals.unlink()
    signals.write_bytes(content)
    text = dry()
    assert set(states(text).values()) == {"done"}
    assert "No signal file was opened" in text
    text = dry("--participant-label", "02")
    assert states(text) == {"sub-02_task-rest": "stale"}
    assert "No signal file was opened" not in text
    assert states(dry("--participant-label", "01")) == {"sub-01_task-rest": "done"}


def test_other_settings_models_and_grids_are_seen_without_the_input(dataset: Path) -> None:
    pretend_done(dataset)
    settings, (file, *_) = recordings(dataset)
    _, model = checked_bundle(settings.model)

    def state(model_sha256: str = model["sha256"], **changes: object) -> str:
        changed = Settings(**{**vars(settings), **changes})
        return recording_state(file, changed, model_sha256, read_input=False)

    assert state() == "done"
    assert state(model_sha256="another") == "stale"
    assert state(tr_s=1.0) == "stale"
    assert state(output_spaces=(OutputSpace(resolution="3"),)) == "new"
    assert state(parcellation="schaefer200") == "stale"


def test_links_to_nowhere_fail_and_pointers_show_where_one_person_is_asked_for(dataset: Path, dry: Run) -> None:
    lost, pointer = (dataset / f"sub-{label}/eeg/sub-{label}_task-rest_eeg.edf" for label in ("01", "02"))
    lost.unlink()
    lost.symlink_to("nowhere")
    pointer.unlink()
    pointer.write_text("/annex/objects/MD5E-s3--x.edf\n")
    everybody = {"sub-01_task-rest": "would fail", "sub-02_task-rest": "new", "sub-03_task-rest": "new"}
    assert states(dry()) == everybody
    assert states(dry("--participant-label", "02")) == {"sub-02_task-rest": "would fail"}


def test_a_header_that_a_run_would_refuse(dataset: Path, dry: Run) -> None:
    signals = dataset / "sub-03/eeg/sub-03_task-rest_eeg.edf"
    signals.unlink()
    signals.write_bytes(SIGNALS.read_bytes()[:10_000])
    assert states(dry())["sub-03_task-rest"] == "new"
    text = dry("--participant-label", "03")
    assert states(text) == {"sub-03_task-rest": "would fail"}
    assert str(signals) in text and "  to  " not in text


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (("--explain", "Nowhere"), 64, "no region of this name"),
        (("--model", "nothing-like-it"), 66, "no model"),
        (("--reference-image", str(SIGNALS)), 65, "not a readable image"),
    ],
)
def test_what_a_run_refuses_at_once_is_refused(
    dataset: Path, options: tuple[str, ...], code: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with mock.patch.dict(os.environ):
        assert main(arguments(dataset, *options)) == code
    assert says in capsys.readouterr().err


def test_weights_that_are_not_the_described_ones(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, _ = checked_bundle("neuralfield-sim")
    copy = Path(shutil.copytree(folder, tmp_path / "model"))
    with (copy / "model.safetensors").open("ab") as stream:
        stream.write(b"more")
    with mock.patch.dict(os.environ):
        assert main(arguments(dataset, "--model", str(copy))) == 65
    assert "sha256 differs" in capsys.readouterr().err
    assert not dataset.with_name("out").exists()


def test_memory_that_is_too_little_is_seen_where_one_person_is_asked_for(dataset: Path, dry: Run) -> None:
    one = ("--participant-label", "01", "--mem")
    assert "GB of memory (0." in dry(*one, "4G")
    assert "with small blocks" in dry(*one, "0.567G")
    text = dry(*one, "0.5G")
    assert states(text) == {"sub-01_task-rest": "would fail"}
    assert "0.56 GB of memory are needed; --mem leaves 0.5 GB" in text
    assert set(states(dry("--mem", "0.5G")).values()) == {"new"}
    pretend_done(dataset)
    assert states(dry(*one, "0.5G")) == {"sub-01_task-rest": "done"}


def test_only_processes_with_something_to_do_share_the_memory(dataset: Path, dry: Run) -> None:
    shutil.copy(SIGNALS, dataset / "sub-01/eeg/sub-01_task-other_eeg.edf")
    one = ("--participant-label", "01", "--nprocs", "8", "--mem", "1.634G")
    assert "small blocks" in dry(*one)
    (dataset / "sub-01/eeg/sub-01_task-other_eeg.edf").unlink()
    assert "small blocks" not in dry(*one)


def test_another_dataset_as_output_is_refused(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = dataset.with_name("out")
    out.mkdir()
    (out / "dataset_description.json").write_text('{"Name": "raw"}')
    with mock.patch.dict(os.environ):
        assert main(arguments(dataset)) == 73
    assert "another dataset" in capsys.readouterr().err


def test_an_output_of_another_model_is_refused(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    note = dataset.with_name("out") / MODEL_FILE
    note.parent.mkdir(parents=True)
    note.write_text('{"Name": "other", "Version": "1", "SHA256": "ab"}')
    with mock.patch.dict(os.environ):
        assert main(arguments(dataset)) == 64
    assert "outputs of the model other 1" in capsys.readouterr().err
    assert list(note.parent.iterdir()) == [note]


def test_dask_that_is_not_installed_is_refused_where_it_is_needed(
    dataset: Path, dry: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with mock.patch.dict(os.environ):
        assert main(arguments(dataset, "--executor", "dask")) == 64
    assert "distributed is not installed" in capsys.readouterr().err
    pretend_done(dataset)
    assert set(states(dry("--executor", "dask")).values()) == {"done"}


def test_anatomy_is_listed_where_there_will_be_some(dataset: Path, dry: Run) -> None:
    assert "sub-01_anat" not in dry()
    anat = dataset.with_name("out") / "sub-01/anat"
    anat.mkdir(parents=True)
    (anat / "sub-01_desc-preproc_T1w.nii.gz").touch()
    text = dry("--template-anat")
    assert "sub-01_anat" not in text
    assert f"sub-02_anat\n  from  the template\n  to    {anat.parents[1] / 'sub-02/anat'}\n" in text


def test_many_people_are_not_listed_one_by_one(dataset: Path, dry: Run) -> None:
    for number in range(10, 40):
        shutil.copytree(dataset / "sub-01", dataset / f"sub-{number}", symlinks=True)
        for path in (dataset / f"sub-{number}/eeg").iterdir():
            path.rename(path.with_name(path.name.replace("sub-01", f"sub-{number}")))
    text = dry()
    assert "... (33 in all)" in text.splitlines()[0]
    assert len(states(text)) == 33
