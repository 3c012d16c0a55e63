"""The level with a stand-in for the work on one recording."""

from __future__ import annotations

import errno
import json
import logging
import os
import sys
import tomllib
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from unittest import mock

import pytest

from bids_eeg2fmri.bids.recording_file import RecordingFile
from bids_eeg2fmri.cli import main
from bids_eeg2fmri.errors import BadDataError, MissingInputError, UsageError
from bids_eeg2fmri.levels import memory, participant
from bids_eeg2fmri.levels.logs import RunLogs
from bids_eeg2fmri.levels.summary import Outcome
from bids_eeg2fmri.settings import Settings


@dataclass(frozen=True)
class Result:
    label: str
    outputs: tuple[Path, ...]
    warnings: tuple[str, ...] = ()
    seconds: float = 0.1


def output(file: RecordingFile, settings: Settings) -> Path:
    return settings.output_dir / f"{file.label}_bold.json"


@dataclass
class Work:
    """A stand-in for the rooms that do the work: what it is told to raise, and what it was asked."""

    errors: dict[str, Exception] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    report_error: Exception | None = None
    model_error: Exception | None = None
    ran: list[str] = field(default_factory=list)
    reports: list[str] = field(default_factory=list)
    citations: int = 0
    inputs_read: set[str] = field(default_factory=set)

    def load_model(self, settings: Settings) -> types.SimpleNamespace:
        if self.model_error is not None:
            raise self.model_error
        return types.SimpleNamespace(bundle=types.SimpleNamespace(sha256="digest"))

    def recording_state(self, file: RecordingFile, settings: Settings, model_sha256: str, *, read_input: bool) -> str:
        self.inputs_read |= {file.label} if read_input else set()
        return output(file, settings).read_text() if output(file, settings).exists() else "new"

    def run_recording(
        self, file: RecordingFile, settings: Settings, model: str, logger: logging.Logger, command: str
    ) -> Result:
        self.ran.append(file.label)
        logger.info("working on %s", file.label)
        if file.label in self.errors:
            raise self.errors[file.label]
        output(file, settings).write_text("done")
        return Result(file.label, (output(file, settings),), self.warnings)

    def check_output_model(self, settings: Settings, model: str) -> None:
        pass

    def write_dataset_files(self, settings: Settings, model: str) -> None:
        description = {"GeneratedBy": [{"Name": "bids_eeg2fmri"}]}
        (settings.output_dir / "dataset_description.json").write_text(json.dumps(description))

    def planned_outputs(self, file: RecordingFile, settings: Settings) -> tuple[Path, ...]:
        return (output(file, settings),)

    def write_person_report(self, subject: str, settings: Settings, run_id: str) -> Path:
        self.reports.append(subject)
        if self.report_error is not None:
            raise self.report_error
        path = settings.output_dir / f"sub-{subject}.html"
        path.write_text("report")
        return path

    def write_citation(self, settings: Settings) -> None:
        self.citations += 1


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Iterator[Work]:
    stand_in = Work()
    module = types.ModuleType("recording_run")
    for name in dir(stand_in):
        if not name.startswith("_"):
            setattr(module, name, getattr(stand_in, name))
    for name in ("recording_run", "recording_state", "planned_outputs", "output_dataset", "model"):
        monkeypatch.setitem(sys.modules, f"bids_eeg2fmri.levels.{name}", module)
    participant.loaded_model.cache_clear()
    with mock.patch.dict(os.environ):
        yield stand_in
    participant.loaded_model.cache_clear()


@pytest.fixture
def run(tmp_path: Path, work: Work) -> Callable[..., int]:
    """The command over a dataset of two people with three recordings."""
    root = tmp_path / "in"
    root.mkdir()
    (root / "dataset_description.json").write_text('{"Name": "x", "BIDSVersion": "1.10.0"}')
    for name in (
        "sub-01/eeg/sub-01_task-a_eeg.edf",
        "sub-01/eeg/sub-01_task-b_eeg.edf",
        "sub-02/eeg/sub-02_task-a_eeg.edf",
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()

    def start(*options: str) -> int:
        scratch = ("--work-dir", str(tmp_path / "work"), "--device", "cpu")
        return main([str(root), str(tmp_path / "out"), "participant", *scratch, *options])

    return start


Run = Callable[..., int]
Capture = pytest.CaptureFixture[str]


def log_folder(tmp_path: Path) -> Path:
    (folder,) = (tmp_path / "out/logs").iterdir()
    return folder


def table(text: str) -> dict[str, str]:
    """Status by recording, from the table at the end of the output."""
    lines = text[text.index("\nrecording ") + 1 :].splitlines()[1:]
    return {line.split()[0]: line.split("  ")[1].strip() for line in lines}


def test_everything_goes_well(run: Run, work: Work, tmp_path: Path, capsys: Capture) -> None:
    assert run() == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert work.ran == ["sub-01_task-a", "sub-01_task-b", "sub-02_task-a"]
    assert "Selected 3 recordings" in captured.out and "participants 01, 02; tasks a, b" in captured.out
    assert "0 done, 0 stale, 3 to do" in captured.out
    assert set(table(captured.out).values()) == {"written"}
    assert work.reports == ["01", "02"]


def test_logs(run: Run, tmp_path: Path) -> None:
    assert run("--tr", "2.5") == 0
    folder = log_folder(tmp_path)
    assert len(folder.name) == len("20250101-120000_12345678")
    assert sorted(path.name for path in folder.iterdir()) == [
        "config.toml",
        "sub-01_task-a.log",
        "sub-01_task-b.log",
        "sub-02_task-a.log",
    ]
    assert "working on sub-01_task-b" in (folder / "sub-01_task-b.log").read_text()
    assert "sub-01_task-b" not in (folder / "sub-01_task-a.log").read_text()
    config = tomllib.loads((folder / "config.toml").read_text())
    assert (config["tr"], config["device"]) == (2.5, "cpu")


def test_resume_overwrite_and_stale(run: Run, work: Work, tmp_path: Path, capsys: Capture) -> None:
    assert run() == 0
    (tmp_path / "out/sub-01_task-b_bold.json").write_text("stale")
    work.ran.clear()
    capsys.readouterr()
    assert run() == 0
    text = capsys.readouterr().out
    assert "2 done, 1 stale, 0 to do" in text
    assert work.ran == ["sub-01_task-b"]
    assert table(text) == {"sub-01_task-a": "done", "sub-01_task-b": "written", "sub-02_task-a": "done"}
    work.ran.clear()
    assert run("--overwrite") == 0
    assert len(work.ran) == 3


def test_reports_are_renewed_only_when_outputs_are_newer(run: Run, work: Work, tmp_path: Path) -> None:
    assert run() == 0
    work.reports.clear()
    assert run() == 0
    assert work.reports == []
    report = tmp_path / "out/sub-02.html"
    os.utime(report, (1, 1))
    (tmp_path / "out/sub-01.html").unlink()
    assert run() == 0
    assert work.reports == ["01", "02"]


def test_a_failure_stops_nothing_and_is_the_last_word(run: Run, work: Work, tmp_path: Path, capsys: Capture) -> None:
    work.errors["sub-01_task-a"] = BadDataError("NaN.", path=tmp_path / "x.edf", remedy="Look at it.")
    assert run() == 65
    captured = capsys.readouterr()
    assert table(captured.out) == {"sub-01_task-a": "failed", "sub-01_task-b": "written", "sub-02_task-a": "written"}
    folder = log_folder(tmp_path)
    (last,) = captured.err.splitlines()
    assert "failed: sub-01_task-a:" in last and "NaN. Look at it." in last
    assert last.endswith(f"Log: {folder / 'sub-01_task-a.log'}")
    assert "NaN" in (folder / "sub-01_task-a.log").read_text()
    crash = (folder / "crash-sub-01_task-a.txt").read_text()
    assert "BadDataError" in crash and "sub-01_task-a_eeg.edf" in crash and "Traceback" not in crash
    assert work.reports == ["01", "02"]


def test_an_unexpected_failure_leaves_a_crash_file(run: Run, work: Work, tmp_path: Path, capsys: Capture) -> None:
    work.errors["sub-02_task-a"] = ZeroDivisionError("oh\nno")
    assert run() == 1
    captured = capsys.readouterr()
    assert "Traceback" not in captured.out + captured.err
    crash = log_folder(tmp_path) / "crash-sub-02_task-a.txt"
    text = crash.read_text()
    for part in (
        "Traceback",
        "ZeroDivisionError: oh",
        "sub-02_task-a_eeg.edf",
        "bids-eeg2fmri ",
        "jax ",
        "device: cpu",
    ):
        assert part in text
    assert "oh no" in captured.err and str(crash) in captured.err
    assert work.reports == ["01", "02"]


def test_exit_code_of_different_failures(run: Run, work: Work, capsys: Capture) -> None:
    work.errors["sub-01_task-a"] = BadDataError("a.")
    work.errors["sub-02_task-a"] = MissingInputError("b.")
    assert run() == 1
    assert "and 1 more of 3" in capsys.readouterr().err
    work.errors["sub-02_task-a"] = BadDataError("b.")
    assert run() == 65


def test_stop_on_first_crash(run: Run, work: Work, capsys: Capture) -> None:
    work.errors["sub-01_task-b"] = BadDataError("a.")
    assert run("--stop-on-first-crash") == 65
    assert work.ran == ["sub-01_task-a", "sub-01_task-b"]
    assert table(capsys.readouterr().out)["sub-02_task-a"] == "not run"


def test_stop_on_a_recording_that_cannot_be_selected(run: Run, work: Work, tmp_path: Path) -> None:
    (tmp_path / "in/sub-01/eeg/sub-01_task-a_eeg.bdf").touch()
    assert run("--stop-on-first-crash") == 65
    assert work.ran == []


def test_a_recording_that_cannot_be_selected_fails_alone(run: Run, work: Work, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "in/sub-01/eeg/sub-01_task-a_eeg.bdf").touch()
    assert run() == 65
    assert table(capsys.readouterr().out) == {
        "sub-01_task-a": "failed",
        "sub-01_task-b": "written",
        "sub-02_task-a": "written",
    }
    assert (log_folder(tmp_path) / "crash-sub-01_task-a.txt").exists()


def test_a_recording_whose_state_is_unknown_fails_alone(
    run: Run, work: Work, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    def state(file: RecordingFile, settings: Settings, model_sha256: str, *, read_input: bool) -> str:
        if file.label == "sub-01_task-a":
            raise MissingInputError("cannot be read.")
        return "done"

    monkeypatch.setattr(sys.modules["bids_eeg2fmri.levels.recording_state"], "recording_state", state)
    work.errors["sub-01_task-a"] = MissingInputError("cannot be read.")
    assert run() == 66
    assert list(table(capsys.readouterr().out).values()) == ["failed", "done", "done"]


def test_full_disk(run: Run, work: Work, capsys: Capture) -> None:
    work.errors["sub-01_task-a"] = OSError(errno.ENOSPC, "No space left on device")
    assert run() == 74
    assert "Free some space" in capsys.readouterr().err


def test_a_report_that_fails(run: Run, work: Work, tmp_path: Path, capsys: Capture) -> None:
    work.report_error = ValueError("no figure")
    assert run("--participant-label", "02") == 1
    captured = capsys.readouterr()
    assert table(captured.out) == {"sub-02_task-a": "written", "sub-02_report": "failed"}
    assert "failed: sub-02_report" in captured.err
    assert (log_folder(tmp_path) / "crash-sub-02_report.txt").exists()


def test_warnings_are_counted(run: Run, work: Work, capsys: Capture) -> None:
    work.warnings = ("O9 has no position.", "another")
    assert run("--participant-label", "02") == 0
    assert "2 warnings: O9 has no position." in capsys.readouterr().out


def test_dry_run_writes_nothing(run: Run, work: Work, tmp_path: Path, capsys: Capture) -> None:
    before = sorted(tmp_path.rglob("*"))
    (tmp_path / "in/sub-02/eeg/sub-02_task-a_eeg.edf").unlink()
    (tmp_path / "in/sub-02/eeg/sub-02_task-a_eeg.edf").symlink_to("nowhere")
    assert run("--dry-run", "--mem", "16G", "--nprocs", "2") == 0
    assert work.ran == []
    assert sorted(tmp_path.rglob("*")) == before
    text = capsys.readouterr().out
    assert "sub-01_task-a  [new]" in text
    assert str(tmp_path / "out/sub-01_task-a_bold.json") in text
    assert "sub-02_task-a  [would fail]" in text and "datalad get" in text
    assert "processes: 2" in text and "16 GB" in text


def test_reports_only(run: Run, work: Work, capsys: Capture) -> None:
    assert run("--reports-only") == 0
    assert (work.ran, work.reports, work.citations) == ([], ["01", "02"], 0)
    work.report_error = MissingInputError("nothing is done yet.")
    capsys.readouterr()
    assert run("--reports-only") == 66
    assert "nothing is done yet" in capsys.readouterr().err.splitlines()[-1]


def test_boilerplate_only(run: Run, work: Work, tmp_path: Path) -> None:
    assert run("--boilerplate-only") == 0
    assert (work.ran, work.reports, work.citations) == ([], [], 1)


def test_a_model_that_cannot_be_used_stops_before_writing(
    run: Run, work: Work, tmp_path: Path, capsys: Capture
) -> None:
    work.model_error = BadDataError("not a bundle.")
    assert run() == 65
    assert "not a bundle" in capsys.readouterr().err.splitlines()[-1]
    assert not (tmp_path / "out").exists()


def test_an_output_that_cannot_be_made(run: Run, work: Work, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "out").write_text("a file in the way")
    assert run() == 73
    assert work.ran == []
    assert str(tmp_path / "out") in capsys.readouterr().err


def test_a_work_directory_that_cannot_be_made(run: Run, work: Work, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "work").write_text("a file in the way")
    assert run() == 73
    assert work.ran == []
    assert str(tmp_path / "work") in capsys.readouterr().err


@pytest.mark.parametrize("description", ['{"Name": "raw"}', '{"GeneratedBy": [{"Name": "fMRIPrep"}]}', "[]", "{"])
def test_another_dataset_is_not_written_into(
    run: Run, work: Work, tmp_path: Path, capsys: Capture, description: str
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/dataset_description.json").write_text(description)
    assert run() == 73
    assert "another dataset" in capsys.readouterr().err
    assert (tmp_path / "out/dataset_description.json").read_text() == description


def test_no_gpu(run: Run, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    def no_gpu(settings: Settings) -> str:
        raise UsageError("--device gpu: JAX finds no GPU here.")

    monkeypatch.setattr(participant, "choose_device", no_gpu)
    assert run() == 64
    assert "no GPU" in capsys.readouterr().err


def test_dry_run_of_reports_writes_nothing(run: Run, work: Work, tmp_path: Path) -> None:
    assert run("--reports-only", "--boilerplate-only", "--dry-run") == 0
    assert not (tmp_path / "out").exists() and not work.reports


def test_memory_is_shared_by_the_processes_that_there_are_recordings_for(
    run: Run, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    given, loaded = [], []

    def within_memory(file: RecordingFile, settings: Settings, mem_bytes: int | None) -> Settings:
        given.append(mem_bytes)
        return replace(settings, low_mem=True)

    def load_model(settings: Settings) -> types.SimpleNamespace:
        loaded.append(settings)
        return Work.load_model(work, settings)

    monkeypatch.setattr(memory, "within_memory", within_memory)
    monkeypatch.setattr(sys.modules["bids_eeg2fmri.levels.model"], "load_model", load_model)
    assert run("--participant-label", "02", "--nprocs", "8", "--mem", "4G") == 0
    assert given == [4 * 10**9] and len(loaded) == 1


def fake_attempt(file: RecordingFile, settings: Settings, logs: RunLogs, mem_bytes: int | None) -> Outcome:
    if file.label == "sub-01_task-b":
        os._exit(9)
    return Outcome(file.label, file.subject, "written", 0.1)


def test_processes(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Capture) -> None:
    monkeypatch.setattr(participant, "attempt", fake_attempt)
    assert run("--nprocs", "2") == 75
    captured = capsys.readouterr()
    assert table(captured.out) == {"sub-01_task-a": "written", "sub-01_task-b": "failed", "sub-02_task-a": "written"}
    assert "the worker process died" in captured.err.splitlines()[-1]
    assert (log_folder(tmp_path) / "crash-sub-01_task-b.txt").exists()
