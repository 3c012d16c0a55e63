"""What is built is whole: the wheel, built from the source distribution, works where the repository is not."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from bids_eeg2fmri import __version__

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "examples" / "ds-eegmat"


def _run(*command: str | Path, folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, env={"HOME": str(folder)}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``python -m build``, which makes the wheel from the source distribution, without the network."""
    pytest.importorskip("hatchling", reason="without hatchling, the build would have to fetch it")
    target = tmp_path_factory.mktemp("dist")
    _run(sys.executable, "-m", "build", "--no-isolation", "--outdir", target, ROOT, folder=target)
    assert (target / f"bids_eeg2fmri-{__version__}.tar.gz").is_file()
    return target / f"bids_eeg2fmri-{__version__}-py3-none-any.whl"


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment of its own, which takes the dependencies, and nothing else, from this one."""
    root = tmp_path_factory.mktemp("installed")
    venv.create(root, with_pip=True, symlinks=True)
    packages = next(root.glob("lib/python3*/site-packages"))
    pip = [root / "bin" / "python", "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", wheel]
    _run(*pip, folder=root)
    # A path file of a path file is not followed: the repository, installed in place, stays out of sight.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return root / "bin"


def test_the_wheel_holds_every_file_of_the_package(wheel: Path) -> None:
    package = ROOT / "bids_eeg2fmri"
    files = [path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    expected = {path.relative_to(ROOT).as_posix() for path in files}
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if name.startswith("bids_eeg2fmri/")}
        assert held == expected
        for name in ("space/MNI152NLin2009cAsym_res-2_T1w.nii.gz", "models/neuralfield-sim/model.safetensors"):
            assert archive.read(f"bids_eeg2fmri/assets/{name}") == (package / "assets" / name).read_bytes()


def test_the_wheel_holds_the_licences(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for name in ("LICENSE", "NOTICE"):
            held = archive.read(f"bids_eeg2fmri-{__version__}.dist-info/licenses/{name}")
            assert held == (ROOT / name).read_bytes()
        metadata = archive.read(f"bids_eeg2fmri-{__version__}.dist-info/METADATA").decode("utf-8")
    assert "\nLicense-Expression: Apache-2.0\n" in metadata
    assert f"\nVersion: {__version__}\n" in metadata


def test_the_installed_program_predicts_outside_of_the_repository(installed: Path, tmp_path: Path) -> None:
    where = "import bids_eeg2fmri; print(bids_eeg2fmri.__file__)"
    package = Path(_run(installed / "python", "-c", where, folder=tmp_path).strip())
    assert package.is_relative_to(installed.parent)
    assert __version__ in _run(installed / "bids-eeg2fmri", "--version", folder=tmp_path)
    assert "usage" in _run(installed / "bids-eeg2fmri-phantom", "--help", folder=tmp_path)
    options = ("participant", "--participant-label", "01", "--sloppy", "--work-dir", tmp_path / "work")
    _run(installed / "bids-eeg2fmri", EXAMPLE, tmp_path / "out", *options, folder=tmp_path)
    assert list((tmp_path / "out" / "sub-01" / "func").glob("*_desc-preproc_bold.nii.gz"))
    assert (tmp_path / "out" / "sub-01.html").stat().st_size > 10_000
