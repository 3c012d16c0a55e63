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


@pytest.fixture(scope="session")
def tiny_published() -> Callable[..., Any]:
    """Makes the published network at a small size, with random weights, for a cap of 16 to 25 standard channels."""
    from flax import nnx

    from bids_eeg2fmri.bold.volume_box import volume_box
    from bids_eeg2fmri.eeg.leadfield import template_positions_m
    from bids_eeg2fmri.network.calhas2022 import Blocks, Calhas2022, Calhas2022Config
    from bids_eeg2fmri.network.calhas2022.trained import Calhas2022Facts, TrainedCalhas2022

    def make(names: tuple[str, ...], tr_s: float = 2.0, constants: dict[str, Any] | None = None, **changes: Any) -> Any:
        shape = (9, 10, 8)
        blocks = Blocks(kernels=((5, 7, 2), (3, 3, 1)), strides=((2, 2, 1), (1, 1, 1)))
        options = {"latent_shape": (3, 3, 3), "n_filters": 2, "eeg_blocks": blocks, "fmri_blocks": None} | changes
        config = Calhas2022Config(eeg_shape=(len(names), 40, 5), fmri_shape=shape, **options)
        positions, affine = template_positions_m(names), volume_box(shape).affine
        facts = Calhas2022Facts(names, tuple(map(tuple, positions.tolist())), tr_s, tuple(map(tuple, affine.tolist())))
        # Compiled as one function, because an initialiser at a time takes many times longer.
        network = nnx.jit(lambda: Calhas2022(config, rngs=nnx.Rngs(3)))()
        trained = TrainedCalhas2022(network, facts, **(constants or {}))
        trained.eval()
        return trained

    return make
