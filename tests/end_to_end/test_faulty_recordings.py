"""A dataset of damaged recordings and three that are sound, run once."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from damaged_files import N_CHANNELS, Files, copies_of, fill

SOUND = ("sound", "someconstant", "somenan")
SPOILT = {4: "Fz", 17: "O1"}


def gradient_artefact(signals: np.ndarray) -> None:
    """A volume's artefact of 2 s, repeated exactly."""
    volume = np.zeros(500)
    volume[::7] = 800.0
    volume[3::17] = -600.0
    signals += np.resize(volume, len(signals))[:, None]


def volts(signals: np.ndarray) -> None:
    """Numbers in volts, while the header says microvolts."""
    signals *= 1e-6


def nothing_but_eog(files: Files) -> None:
    files.edit(files["channels.tsv"], r"\tEEG\t", "\tEOG\t")


def biosemi_names(files: Files) -> None:
    for table in files.folder.glob("*_electrodes.*"):
        table.unlink()
    for system in files.folder.glob("*_coordsystem.json"):
        system.unlink()
    for number in range(N_CHANNELS):
        files.edit(files.header, rf"^Ch{number + 1}=[^,]*", f"Ch{number + 1}=B{number + 1}")
    header, *rows = files["channels.tsv"].read_text().splitlines()
    renamed = [re.sub(r"^[^\t]*", f"B{number}", row) for number, row in enumerate(rows, start=1)]
    files["channels.tsv"].write_text("\n".join([header, *renamed]) + "\n")


def new_segment(files: Files) -> None:
    with files[".vmrk"].open("a", encoding="utf-8") as stream:
        stream.write("Mk9999=New Segment,,10000,1,0,20250101120000000000\n")


def dangling(files: Files) -> None:
    files.data.unlink()
    files.data.symlink_to("../../.git/annex/objects/xx/content")


@dataclass(frozen=True)
class Fault:
    """A damage, the exception that its crash file names, and what the message must hold besides the file."""

    damage: Callable[[Files], object]
    error: str
    says: tuple[str, ...]


FAULTS = {
    "missing": Fault(lambda f: f.data.unlink(), "MissingInputError", ("_eeg.eeg", "No such file", "Fetch")),
    "nosignal": Fault(
        lambda f: f.header.unlink(), "MissingInputError", ("sub-nosignal_task-blocks_eeg", ".vhdr", "missing", "Fetch")
    ),
    "annexed": Fault(dangling, "MissingInputError", ("_eeg.eeg", "datalad get")),
    "empty": Fault(lambda f: f.cut(0), "BadDataError", ("_eeg.eeg", "empty", "Copy")),
    "truncated": Fault(lambda f: f.cut(200_001), "BadDataError", ("_eeg.eeg", "truncated", "Copy")),
    "noheader": Fault(lambda f: f.header.write_bytes(b"\0junk"), "BadDataError", ("_eeg.vhdr", "header", "Copy")),
    "edfempty": Fault(lambda f: f.become_edf(0), "BadDataError", ("_eeg.edf", "empty", "Copy")),
    "edfheader": Fault(lambda f: f.become_edf(256 * 21), "BadDataError", ("_eeg.edf", "truncated", "Copy")),
    "edftruncated": Fault(lambda f: f.become_edf(99_999), "BadDataError", ("_eeg.edf", "truncated", "Copy")),
    "allnan": Fault(
        lambda f: f.change(partial(fill, value=np.nan)), "BadDataError", ("_eeg.vhdr", "no numbers", "Check")
    ),
    "allconstant": Fault(
        lambda f: f.change(partial(fill, value=7.0)), "BadDataError", ("_eeg.vhdr", "constant", "Check")
    ),
    "noelectrode": Fault(nothing_but_eog, "BadDataError", ("_eeg.vhdr", "no more EEG", "channels.tsv")),
    "twofiles": Fault(lambda f: f.export_edf(), "BadDataError", ("_eeg.vhdr", "_eeg.edf", "2 files", "Keep one")),
    "brokenjson": Fault(lambda f: f[".json"].write_text('{"a" 1}'), "BadDataError", ("_eeg.json", "line 1", "Correct")),
    "brokenchannels": Fault(
        lambda f: f.edit(f["channels.tsv"], r"^(Cz\t\w+)\t.*", r"\1"),
        "BadDataError",
        ("_channels.tsv", "Line 11", "tabs"),
    ),
    "brokenevents": Fault(
        lambda f: f.edit(f["events.tsv"], r"\Aonset\t", "when\t"), "BadDataError", ("_events.tsv", "onset", "Correct")
    ),
    "latin": Fault(
        lambda f: f["channels.tsv"].write_bytes(b"name\ttype\tunits\n\xb5\tEEG\tV\n"),
        "BadDataError",
        ("_channels.tsv", "UTF-8"),
    ),
    "biosemi": Fault(biosemi_names, "BadDataError", ("_eeg.vhdr", "B1", "electrodes.tsv")),
    "volts": Fault(lambda f: f.change(volts), "BadDataError", ("volts written as microvolts", "unit")),
    "gradient": Fault(
        lambda f: f.change(gradient_artefact), "BadDataError", ("gradient artefact", "--derivatives clean")
    ),
    "short": Fault(lambda f: f.cut(2 * N_CHANNELS * 250 * 50), "BadDataError", ("50.0 s", "60 s", "--run-id")),
    "slow": Fault(
        lambda f: f.edit(f.header, "^SamplingInterval=.*", "SamplingInterval=12500"),
        "BadDataError",
        ("80 Hz", "100 Hz"),
    ),
    "epoched": Fault(lambda f: f.describe(RecordingType="epoched"), "BadDataError", ("epoched", "continuous")),
    "pieces": Fault(new_segment, "BadDataError", ("not continuous", "39.996", "run of its own")),
}


@pytest.fixture(scope="module")
def dataset(short_dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("faults") / "ds"
    people = copies_of(short_dataset, root, (*FAULTS, *SOUND))
    for label, fault in FAULTS.items():
        fault.damage(people[label])
    people["somenan"].change(partial(fill, value=np.nan, channels=SPOILT))
    people["someconstant"].change(partial(fill, value=7.0, channels=SPOILT))
    return root


@pytest.fixture(scope="module")
def output(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("output") / "out"


@pytest.fixture(scope="module")
def finished(dataset: Path, output: Path, here, res_4):
    return here(dataset, output, "participant", *res_4)


def label(person: str) -> str:
    return f"sub-{person}_task-blocks"


def logs(output: Path) -> Path:
    (folder,) = (path for path in (output / "logs").iterdir() if path.is_dir())
    return folder


@pytest.mark.parametrize("person", FAULTS)
def test_a_fault_is_explained(finished, output: Path, person: str) -> None:
    status, remark = finished.table[label(person)]
    assert status == "failed"
    assert all(part in remark for part in FAULTS[person].says), remark
    assert f"sub-{person}" in remark
    folder = logs(output)
    crash = (folder / f"crash-{label(person)}.txt").read_text()
    assert crash.startswith(f"{FAULTS[person].error}: ") and "Traceback" not in crash
    assert remark in (folder / f"{label(person)}.log").read_text()
    assert not [path for path in (output / f"sub-{person}").rglob("*") if path.is_file()]


def test_the_run_goes_on_and_ends_with_what_failed(finished, output: Path) -> None:
    assert finished.code == 1
    assert {person for person in SOUND if finished.table[label(person)][0] == "written"} == set(SOUND)
    assert len(finished.table) == len(FAULTS) + len(SOUND)
    assert len(finished.err.splitlines()) == 1
    assert f"{len(FAULTS) - 1} more of {len(finished.table)}" in finished.last_words
    log = Path(finished.last_words.rpartition("Log: ")[2])
    assert log.parent == logs(output) and log.is_file()
    assert "Traceback" not in finished.out + finished.err


@pytest.mark.parametrize("person", SOUND)
def test_spoilt_channels_are_marked_bad_and_the_rest_is_used(finished, output: Path, person: str) -> None:
    (path,) = (output / f"sub-{person}").rglob("*_desc-preproc_bold.json")
    bad = json.loads(path.read_text())["EEG"]["ChannelsBad"]
    reasons = {"sound": "", "someconstant": "flat", "somenan": "no numbers"}
    expected = {} if person == "sound" else dict.fromkeys(SPOILT.values(), reasons[person])
    assert set(bad) == set(expected)
    assert all(reason in bad[name] for name, reason in expected.items())
    image = nib.load(path.with_suffix("").with_suffix(".nii.gz"))
    assert np.isfinite(image.get_fdata()).all()


def test_what_was_written_is_valid(finished, output: Path, validator_issues) -> None:
    assert validator_issues(output) == []


def test_reports_show_what_failed(finished, output: Path) -> None:
    assert "volts written as microvolts" in (output / "sub-volts.html").read_text("utf-8")
    assert "No crash file concerns this person" in (output / "sub-sound.html").read_text("utf-8")


def test_no_temporary_file_is_left(finished, output: Path) -> None:
    assert not list(output.rglob(".tmp-*"))


@pytest.mark.parametrize(("person", "code"), [("missing", 66), ("truncated", 65), ("twofiles", 65)])
def test_the_exit_code_of_one_fault(dataset: Path, here, tmp_path: Path, person: str, code: int) -> None:
    finished = here(dataset, tmp_path / "out", "participant", "--participant-label", person)
    assert finished.code == code
    assert finished.last_words.startswith(f"bids-eeg2fmri: failed: {label(person)}: ")
    assert all(part in finished.last_words for part in FAULTS[person].says)


def test_one_of_two_files_can_be_chosen(dataset: Path, here, tmp_path: Path) -> None:
    (tmp_path / "filter.json").write_text('{"eeg": {"extension": ".edf"}}')
    finished = here(
        *(dataset, tmp_path / "out", "participant", "--participant-label", "twofiles", "--dry-run"),
        *("--bids-filter-file", tmp_path / "filter.json"),
    )
    assert finished.code == 0
    assert "twofiles_task-blocks_eeg.edf" in finished.out and "would fail" not in finished.out


def test_the_gradient_artefact_can_be_insisted_on(dataset: Path, here, res_4, tmp_path: Path) -> None:
    finished = here(
        *(dataset, tmp_path / "out", "participant", "--participant-label", "gradient"),
        *(*res_4, "--allow-gradient-artefact"),
    )
    assert finished.code == 0
    assert len(list((tmp_path / "out").rglob("*_desc-preproc_bold.nii.gz"))) == 1
