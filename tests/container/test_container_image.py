"""What the image holds."""

from __future__ import annotations

import hashlib
import json
import logging
import re
import tomllib

import pytest
from container_engine import ROOT, Engine
from packaging.markers import Marker

from bids_eeg2fmri import __version__

HOME = "/opt/bids_eeg2fmri"
PYTHON = f"{HOME}/bin/python3"
PROGRAM = f"{HOME}/bin/bids-eeg2fmri"

_DISTRIBUTIONS = """\
import json, platform
from importlib.metadata import distributions
found = {each.name.lower().replace("_", "-"): each.version for each in distributions()}
print(json.dumps({"python": platform.python_version(), "found": found}))
"""
_ASSETS = """\
import hashlib, json
from pathlib import Path
import bids_eeg2fmri
root = Path(bids_eeg2fmri.__file__).parent
files = [path for path in root.rglob("*") if path.is_file() and path.suffix != ".pyc"]
print(json.dumps({str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}))
"""


def run_python(engine: Engine, image: str, script: str) -> str:
    finished = engine.run(image, "-c", script, options=(f"--entrypoint={PYTHON}",))
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def test_labels(engine: Engine, image: str, base_image: str) -> None:
    labels = engine.inspect(image)["Config"]["Labels"]
    license_name = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["license"]
    prefix = "org.opencontainers.image."
    assert labels[f"{prefix}title"] == "bids_eeg2fmri"
    assert labels[f"{prefix}version"] == __version__
    assert labels[f"{prefix}licenses"] == license_name
    assert labels[f"{prefix}base.name"] == base_image
    assert "not for clinical decisions" in labels[f"{prefix}description"]


def test_an_ordinary_user_starts_the_program(engine: Engine, image: str) -> None:
    config = engine.inspect(image)["Config"]
    assert config["User"] == "1000:1000"
    assert config["Entrypoint"] == [PROGRAM]
    assert not config.get("ExposedPorts")


def test_size_and_layers(engine: Engine, image: str, base_image: str) -> None:
    ours, base = engine.inspect(image), engine.inspect(base_image)
    history = json.loads(engine.podman("history", "--format=json", "--no-trunc", image))
    for layer in history:
        logging.info("%8.1f MB  %s", layer["size"] / 1e6, re.sub(r"\s+", " ", layer["CreatedBy"])[:100])
    logging.info("%8.1f MB  in all, of which the base %.1f MB", ours["Size"] / 1e6, base["Size"] / 1e6)
    layers = ours["RootFS"]["Layers"]
    assert layers[: len(base["RootFS"]["Layers"])] == base["RootFS"]["Layers"]
    own = [layer["size"] for layer in history if layer["size"] > 1e6][: -len(base["RootFS"]["Layers"]) or None]
    assert len(own) == 1
    assert ours["Size"] < 1.6e9


def test_what_is_installed_is_what_is_locked(engine: Engine, image: str) -> None:
    inside = json.loads(run_python(engine, image, _DISTRIBUTIONS))
    environment = {"python_full_version": inside["python"], "sys_platform": "linux", "platform_machine": "x86_64"}
    lock = re.findall(r"^(\S+)==(\S+)(?: ; (.+?))? \\$", (ROOT / "requirements" / "run.lock").read_text(), re.MULTILINE)
    locked = {
        name.lower(): version for name, version, marker in lock if not marker or Marker(marker).evaluate(environment)
    }
    assert inside["found"] == locked | {"bids-eeg2fmri": __version__}


def test_the_package_is_whole(engine: Engine, image: str) -> None:
    """Code, weights, templates, atlas and report parts, byte for byte."""
    package = ROOT / "bids_eeg2fmri"
    files = [path for path in package.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    expected = {str(path.relative_to(package)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    assert any(name.endswith(".safetensors") for name in expected)
    assert json.loads(run_python(engine, image, _ASSETS)) == expected


def test_licences_are_inside(engine: Engine, image: str) -> None:
    for name in ("LICENSE", "NOTICE"):
        finished = engine.run(image, f"{HOME}/{name}", options=("--entrypoint=/bin/cat",))
        assert finished.stdout == (ROOT / name).read_text("utf-8")


def test_a_foreign_user_can_read_everything_and_write_nothing(engine: Engine, image: str) -> None:
    arguments = (HOME, "(", "!", "-readable", "-o", "!", "-type", "l", "-writable", ")", "-print")
    # With a writable root, so that only the permissions protect.
    finished = engine.run(image, *arguments, options=("--entrypoint=/usr/bin/find", "--read-only=false"))
    assert (finished.returncode, finished.stdout) == (0, "")


@pytest.mark.parametrize("program", ["uv", "hatchling", "gcc"])
def test_what_built_it_is_not_inside(engine: Engine, image: str, program: str) -> None:
    finished = engine.run(image, "-c", f"command -v {program}", options=("--entrypoint=/bin/sh",))
    assert finished.returncode != 0
    assert finished.stdout == ""


def test_help_and_version(engine: Engine, image: str) -> None:
    told = engine.run(image, "--version")
    assert (told.returncode, told.stdout) == (0, f"bids_eeg2fmri v{__version__}\n")
    told = engine.run(image, "--help")
    assert told.returncode == 0
    assert "--participant-label" in told.stdout
    assert told.stderr == ""


def test_the_phantom_generator_is_inside(engine: Engine, image: str) -> None:
    told = engine.run(image, "--help", options=("--entrypoint=bids-eeg2fmri-phantom",))
    assert told.returncode == 0
    assert told.stderr == ""
