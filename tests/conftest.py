"""What tests of every room share."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# The same cases in every run, and no clock: a busy machine fails no test.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.load_profile("steady")

# Shells start jobs in the background deaf to interruptions, and what a test starts would be so, too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


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


@pytest.fixture(scope="session")
def make_fmriprep() -> Callable[..., Path]:
    """Makes the folder of one person's anatomy as fMRIPrep leaves it, with small images."""
    import nibabel as nib
    import numpy as np

    image = nib.Nifti1Image(np.ones((4, 4, 4), np.uint8), np.eye(4))
    template = "MNI152NLin2009cAsym"

    def make(root: Path, subject: str = "01", session: str | None = None, resolution: str | None = None) -> Path:
        parts = [f"sub-{subject}"] + ([] if session is None else [f"ses-{session}"])
        folder, stem = root.joinpath(*parts, "anat"), "_".join(parts)
        folder.mkdir(parents=True)
        name = {"Name": "fMRIPrep", "BIDSVersion": "1.4.0", "DatasetType": "derivative"}
        (root / "dataset_description.json").write_text(json.dumps(name))
        res = "" if resolution is None else f"_res-{resolution}"
        for ending, content in {
            "desc-preproc_T1w": {"SkullStripped": False},
            "desc-brain_mask": {"RawSources": [f"{stem}_T1w.nii.gz"], "Type": "Brain"},
            f"space-{template}{res}_desc-preproc_T1w": {"SkullStripped": True},
            f"space-{template}{res}_desc-brain_mask": {"Type": "Brain"},
        }.items():
            nib.save(image, folder / f"{stem}_{ending}.nii.gz")
            (folder / f"{stem}_{ending}.json").write_text(json.dumps(content))
        nib.save(image, folder / f"{stem}_dseg.nii.gz")
        for source, target in (("T1w", template), (template, "T1w"), ("T1w", "fsnative")):
            transform = folder / f"{stem}_from-{source}_to-{target}_mode-image_xfm.h5"
            transform.write_bytes(f"{source} to {target}".encode())
            transform.with_suffix(".json").write_text("{}")
        return folder

    return make
