"""What tests of every room share."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def validator_issues(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], list[Any]]:
    """What the official validator calls an error in a dataset."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    validator = shutil.which("bids-validator-deno", path=path)
    assert validator is not None

    def check(dataset: Path) -> list[Any]:
        report = tmp_path_factory.mktemp("validator") / "report.json"
        done = subprocess.run(
            [validator, str(dataset), "--format", "json", "-o", str(report), "--ignoreWarnings"],
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
            env={**os.environ, "NO_COLOR": "1", "PATH": path},
        )
        issues = json.loads(report.read_text())["issues"]["issues"] if report.exists() else [done.stderr]
        assert (done.returncode == 0) == (not issues), done.stderr
        return issues

    return check
