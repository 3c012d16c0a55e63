"""People made of noise, and a whole training that several tests compare with."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from tiny_training import SCRIPT, make_people


@pytest.fixture
def people(tmp_path):
    """Volumes of three training and two validation people."""
    return make_people(tmp_path / "cache")


@pytest.fixture(scope="session")
def environment(tmp_path_factory):
    """For processes that train the same network: what one compiles, the others load."""
    cache = {"JAX_COMPILATION_CACHE_DIR": str(tmp_path_factory.mktemp("compiled"))}
    return {**os.environ, **cache, "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"}


@pytest.fixture(scope="session")
def whole_training(tmp_path_factory, environment):
    """Folder and output of a training that nothing disturbed."""
    folder = tmp_path_factory.mktemp("whole")
    command = [sys.executable, SCRIPT, folder]
    finished = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return folder, finished.stdout
