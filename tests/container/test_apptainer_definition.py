"""The Apptainer definition, converted to a Dockerfile, built on the image and run under Apptainer's conditions."""

from __future__ import annotations

import json
import logging
import re
import subprocess
import sys
from pathlib import Path

import pytest
from container_engine import EXAMPLE, FOREIGN_USER, ROOT, Engine

from bids_eeg2fmri import __version__

DEFINITION = ROOT / "singularity" / "bids_eeg2fmri.def"
_CONVERTER = "spython==0.3.14"
# --containall: the root is read-only; /tmp and the home are small file systems in memory; nothing else is writable.
_CONTAINED = (
    "--read-only", "--network=none", f"--user={FOREIGN_USER}:{FOREIGN_USER}",
    "--tmpfs=/tmp:size=64m,mode=1777", "--tmpfs=/home/someone:size=64m,mode=1777", "--env=HOME=/home/someone",
)  # fmt: skip


@pytest.fixture(scope="module")
def sif(engine: Engine, image: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of the image that stands for the SIF file."""
    folder = tmp_path_factory.mktemp("definition")
    # A Dockerfile cannot ask for the user when the container starts.
    text = DEFINITION.read_text("utf-8").replace("$(id -u)", f"{FOREIGN_USER}")
    (folder / "converted.def").write_text(text.replace("From: bids_eeg2fmri:latest", f"From: {image}"))
    converter = [str(Path(sys.executable).with_name("uv")), "tool", "run", "--python", sys.executable]
    command = ["--from", _CONVERTER, "spython", "recipe", "--parser", "singularity", "--writer", "docker"]
    line = [*converter, *command, str(folder / "converted.def")]
    converted = subprocess.run(line, capture_output=True, text=True, check=True).stdout
    # Its quoting of %test is wrong where /bin/sh is not bash, and OCI images have no health check.
    kept = [part for part in converted.splitlines() if not re.match(r"RUN .*/?tests\.sh|HEALTHCHECK", part)]
    logging.info("%s", "\n".join(kept))
    (folder / "Dockerfile").write_text("\n".join(kept) + "\n")
    name = "localhost/bids_eeg2fmri:sif"
    engine.build(name, "--pull-never", folder)
    return name


@pytest.fixture(scope="module")
def runscript(engine: Engine, sif: str) -> tuple[str, ...]:
    """What to pass before the user's arguments: the shell, the script and its name."""
    shell, option, script = engine.inspect(sif)["Config"]["Cmd"]
    assert script == 'exec /opt/bids_eeg2fmri/bin/bids-eeg2fmri "$@"'
    return (shell, option, script, "runscript")


def section(name: str) -> str:
    (found,) = re.findall(rf"^%{name}\n(.*?)(?=^%|\Z)", DEFINITION.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    return found


def test_labels(engine: Engine, sif: str) -> None:
    labels = engine.inspect(sif)["Config"]["Labels"]
    assert (labels["Title"], labels["Version"], labels["Licenses"]) == ("bids_eeg2fmri", __version__, "Apache-2.0")


def test_its_own_test(engine: Engine, sif: str) -> None:
    options = (*_CONTAINED, "--entrypoint=/bin/sh")
    finished = engine.run(sif, "-ec", section("test"), confinement=options)
    assert (finished.returncode, finished.stdout) == (0, f"bids_eeg2fmri v{__version__}\n")


def test_the_runscript_passes_its_arguments_on(engine: Engine, sif: str, runscript: tuple[str, ...]) -> None:
    options = (*_CONTAINED, "--entrypoint=")
    finished = engine.run(sif, *runscript, "--help", confinement=options)
    assert finished.returncode == 0
    assert "usage: bids-eeg2fmri" in finished.stdout
    finished = engine.run(sif, *runscript, "/no such folder", "/out", "participant", confinement=options)
    assert finished.returncode == 2
    assert "/no such folder" in finished.stderr.splitlines()[-1]


def test_both_levels(engine: Engine, sif: str, runscript: tuple[str, ...], their_folder, validator_issues) -> None:
    out, scratch = their_folder("out"), their_folder("scratch")
    mounts = {EXAMPLE: "/bids", out: "/out:rw", scratch: "/scratch:rw"}
    for level in (("participant", "--sloppy"), ("group",)):
        arguments = (*runscript, "/bids", "/out", *level, "-w", "/scratch")
        finished = engine.run(sif, *arguments, mounts=mounts, confinement=(*_CONTAINED, "--entrypoint="))
        assert (finished.returncode, finished.stderr) == (0, "")
    assert len(list(out.rglob("*_desc-preproc_bold.nii.gz"))) == 2
    assert validator_issues(out) == []
    description = json.loads((out / "dataset_description.json").read_text("utf-8"))
    assert description["GeneratedBy"][0]["Container"]["Type"] == "singularity"
