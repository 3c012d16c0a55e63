"""How the command is run on clusters, and which tests wait to be asked for."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

# Results are byte-identical at the same number of threads.
OPTIONS = ("participant", "--sloppy", "--omp-nthreads", "1")
SCRIPTS = Path(__file__).parents[2] / "docs" / "hpc"
TIMEOUT_S = 600

takes_minutes = pytest.mark.skipif("HPC_TEST" not in os.environ, reason="takes minutes: make hpc-test runs it")

Run = Callable[..., subprocess.CompletedProcess[str]]
