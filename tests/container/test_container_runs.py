"""The image at work: a read-only root, no network, a user without a passwd entry or a home, and a read-only input."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from container_engine import EXAMPLE, FOREIGN_USER, Engine, Finished

from bids_eeg2fmri import __version__

WITHOUT_HOME = ("--entrypoint=/usr/bin/env",)
PEOPLE = ("sub-00", "sub-01")


@dataclass(frozen=True)
class Place:
    """Folders of a run, as its container sees them."""

    out: Path
    scratch: Path

    @property
    def mounts(self) -> dict[Path, str]:
        return {EXAMPLE: "/bids", self.out: "/out:rw", self.scratch: "/scratch:rw"}


@pytest.fixture(scope="module")
def place(their_folder: Callable[[str], Path]) -> Place:
    return Place(their_folder("out"), their_folder("scratch"))


@pytest.fixture(scope="module")
def start(engine: Engine, image: str) -> Callable[..., Finished]:
    """Run the program as it is meant to be run, in the folders of a place."""

    def run(place: Place, *arguments: str, **options: object) -> Finished:
        return engine.run(image, "/bids", "/out", *arguments, "-w", "/scratch", mounts=place.mounts, **options)

    return run


@pytest.fixture(scope="module")
def levels(engine: Engine, image: str, place: Place, start) -> tuple[Finished, Finished]:
    """Both levels on the example dataset at the default resolution; the first even without the variable HOME."""
    program = ("-u", "HOME", "bids-eeg2fmri", "/bids", "/out", "participant", "-w", "/scratch")
    first = engine.run(image, *program, mounts=place.mounts, options=WITHOUT_HOME)
    return first, start(place, "group")


def images(place: Place) -> set[str]:
    return {path.name for path in place.out.rglob("*_desc-preproc_bold.nii.gz")}


def test_both_levels_succeed(levels: tuple[Finished, Finished], place: Place) -> None:
    for finished in levels:
        assert (finished.returncode, finished.stderr) == (0, "")
    assert {name.partition("_")[0] for name in images(place)} == set(PEOPLE)
    for page in ("group.html", *(f"{person}.html" for person in PEOPLE)):
        assert "SYNTHETIC" in (place.out / page).read_text("utf-8")


def test_the_validator_finds_no_error(levels: tuple[Finished, Finished], place: Place, validator_issues) -> None:
    assert validator_issues(place.out) == []


def test_outputs_belong_to_the_user(levels: tuple[Finished, Finished], place: Place) -> None:
    files = [*place.out.rglob("*"), *place.scratch.rglob("*")]
    assert len(files) > 50
    assert {(path.lstat().st_uid, path.lstat().st_gid) for path in files} == {(FOREIGN_USER, FOREIGN_USER)}


def test_outputs_tell_the_container(levels: tuple[Finished, Finished], place: Place) -> None:
    description = json.loads((place.out / "dataset_description.json").read_text("utf-8"))
    assert description["GeneratedBy"][0]["Container"] == {"Type": "docker", "Tag": f"bids_eeg2fmri:{__version__}-cpu"}


def test_a_second_run_finds_everything_done(levels: tuple[Finished, Finished], place: Place, start) -> None:
    before = {path: path.stat().st_mtime_ns for path in place.out.rglob("*.nii.gz")}
    finished = start(place, "participant")
    assert finished.returncode == 0
    assert {path: path.stat().st_mtime_ns for path in place.out.rglob("*.nii.gz")} == before


@pytest.mark.parametrize("how", [("--nprocs", "2"), ("--nprocs", "2", "--executor", "dask")], ids=" ".join)
def test_two_at_a_time_with_a_home_that_does_not_exist(start, their_folder, how: tuple[str, ...]) -> None:
    place = Place(their_folder("out"), their_folder("scratch"))
    finished = start(place, "participant", "--sloppy", *how, options=("--env=HOME=/nonexistent",))
    assert (finished.returncode, finished.stderr) == (0, "")
    assert len(images(place)) == 2


def test_a_stopped_container_ends_by_itself_and_is_resumed(
    engine: Engine, image: str, start, their_folder, validator_issues
) -> None:
    place, name = Place(their_folder("out"), their_folder("scratch")), "eeg2fmri-stopped"
    arguments = ("/bids", "/out", "participant", "--sloppy", "-w", "/scratch")
    process = engine.start(image, *arguments, mounts=place.mounts, name=name)
    wait_for_a_log(place, process)
    engine.podman("stop", "--time=60", name)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 143
    assert "run again" in errors.splitlines()[-1]
    assert not list(place.out.rglob(".tmp-*"))
    assert start(place, "participant", "--sloppy").returncode == 0
    assert len(images(place)) == 2
    assert validator_issues(place.out) == []


def wait_for_a_log(place: Place, process: subprocess.Popen[str]) -> None:
    """Wait until work on the first recording has begun."""
    deadline = time.monotonic() + 120
    while not list(place.out.glob("logs/*/sub-00*.log")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ((), 2, "required"),
        (("/nowhere", "/out", "participant"), 2, "/nowhere"),
        (("/opt", "/out", "participant"), 16, "dataset_description.json"),
        (("/bids", "/out", "session"), 17, "'session'"),
        (("/bids", "/out", "participant", "--participant-label", "77"), 18, "77"),
        (("/bids", "/out", "participant", "--model", "/bids"), 66, "model"),
        (("/bids", "/unwritable", "participant"), 73, "/unwritable"),
    ],
)
def test_exit_codes(engine: Engine, image: str, their_folder, arguments: tuple[str, ...], code: int, says: str) -> None:
    place = Place(their_folder("out"), their_folder("scratch"))
    finished = engine.run(image, *arguments, *(("-w", "/scratch") if arguments else ()), mounts=place.mounts)
    assert finished.returncode == code
    assert says in finished.stderr.splitlines()[-1]
    assert "Traceback" not in finished.stdout + finished.stderr
    assert not list(place.out.rglob("*.nii.gz"))


def test_advice_where_there_is_no_gpu(start, their_folder) -> None:
    place = Place(their_folder("out"), their_folder("scratch"))
    finished = start(place, "participant", "--device", "gpu")
    assert finished.returncode == 64
    assert "--gpus all" in finished.stderr.splitlines()[-1]
    assert "--nv" in finished.stderr.splitlines()[-1]
    assert not list(place.out.iterdir())
