"""The image as its Dockerfile makes it: `make container-test` builds it; elsewhere these tests are skipped."""

from __future__ import annotations

import logging
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from base_image import build_base
from container_engine import FOREIGN_USER, ROOT, Engine

_TOOLS = ("buildah", "podman", "runc", "mmdebstrap")


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """An engine with an empty storage, or with the one that ``CONTAINER_STORAGE`` names, which is kept."""
    if not os.environ.get("CONTAINER_TEST"):
        pytest.skip("images are built by `make container-test`")
    missing = [tool for tool in _TOOLS if shutil.which(tool) is None]
    if missing:
        pytest.fail(f"not installed: {', '.join(missing)}")
    kept = os.environ.get("CONTAINER_STORAGE")
    # podman refuses folders with long names.
    folder = Path(kept or tempfile.mkdtemp(prefix="eeg2fmri-"))
    folder.mkdir(parents=True, exist_ok=True)
    engine = Engine(folder, os.environ.get("STORAGE_DRIVER", "overlay"))
    yield engine
    if not kept:
        engine.remove()


@pytest.fixture(scope="session")
def base_image(engine: Engine) -> str:
    """The name of the Dockerfile's base image, which is here."""
    (name,) = re.findall(r"^ARG PYTHON_IMAGE=(\S+)$", (ROOT / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    if engine.has(name):
        logging.info("%s is in the storage", name)
    elif os.environ.get("BASE_IMAGE") == "pull":
        engine.podman("pull", name)
    else:
        logging.info("%s is built here: Debian from its packages, CPython as this machine has it", name)
        build_base(engine, name)
    return name


@pytest.fixture(scope="session")
def image(engine: Engine, base_image: str) -> str:
    """The name of our image, built from this checkout."""
    name = "localhost/bids_eeg2fmri:latest"
    engine.build(name, *engine.reach_registry(), ROOT)
    return name


@pytest.fixture(scope="session")
def their_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Makes an empty folder that belongs to the user of the containers."""

    def make(name: str) -> Path:
        folder = tmp_path_factory.mktemp(name)
        os.chown(folder, FOREIGN_USER, FOREIGN_USER)
        return folder

    return make
