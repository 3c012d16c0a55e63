"""The CUDA variant, as far as it can be checked without a GPU and without fetching gigabytes of libraries."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from container_engine import ROOT, Engine
from packaging.markers import Marker

LOCK = ROOT / "requirements" / "cuda12.lock"


@pytest.mark.skipif(not os.environ.get("CONTAINER_TEST"), reason="asks the package registry")
def test_the_lock_can_be_installed_on_the_base_image(tmp_path: Path) -> None:
    """All pins have a wheel for glibc 2.36 and CPython 3.12 with a hash of the lock; docopt has only its source."""
    line = [str(Path(sys.executable).with_name("uv")), "pip", "install", "--dry-run", "--require-hashes", "--no-deps"]
    line += ["--only-binary", ":all:", "--no-binary", "docopt", "--target", str(tmp_path), "-r", str(LOCK)]
    line += ["--python-version", "3.12", "--python-platform", "x86_64-manylinux_2_36"]
    finished = subprocess.run(line, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    environment = {"python_full_version": "3.12.0", "sys_platform": "linux", "platform_machine": "x86_64"}
    pins = re.findall(r"^(\S+==\S+)(?: ; (.+?))? \\$", LOCK.read_text("utf-8"), re.MULTILINE)
    expected = {pin for pin, marker in pins if not marker or Marker(marker).evaluate(environment)}
    assert set(re.findall(r"^ \+ (\S+)$", finished.stderr, re.MULTILINE)) == expected
    assert any(pin.startswith("jax-cuda12-plugin==") for pin in expected)


def test_an_unknown_variant_is_refused(engine: Engine, image: str) -> None:
    options = (*engine.reach_registry(), "--build-arg=VARIANT=cuda99")
    finished = engine.try_build("localhost/bids_eeg2fmri:cuda99", *options, ROOT)
    assert finished.returncode != 0
    assert "VARIANT must be cpu or cuda12, not cuda99" in finished.stdout + finished.stderr
