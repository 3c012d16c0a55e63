"""The benchmarks are scripts beside the package: tests import them from the root of the repository."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parent)]
