from __future__ import annotations

import os
from pathlib import Path

import jax
import pytest

from bids_eeg2fmri.errors import Eeg2fmriError, OutputError, UsageError
from bids_eeg2fmri.levels.machine import choose_device, prepare_environment, prepare_scratch, require_writable
from bids_eeg2fmri.settings import Settings


def settings(tmp_path: Path, **options: object) -> Settings:
    return Settings(tmp_path / "in", tmp_path / "out", "participant", work_dir=tmp_path / "work", **options)  # type: ignore[arg-type]


def test_threads_are_limited_when_asked_for(tmp_path: Path) -> None:
    environ = {"OMP_NUM_THREADS": "9"}
    prepare_environment(settings(tmp_path, omp_nthreads=3), environ)
    assert environ["NPROC"] == environ["OMP_NUM_THREADS"] == environ["OPENBLAS_NUM_THREADS"] == "3"


def test_threads_are_shared_among_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    environ = {"MKL_NUM_THREADS": "5"}
    prepare_environment(settings(tmp_path, nprocs=3), environ)
    assert environ["NPROC"] == "2"
    assert environ["MKL_NUM_THREADS"] == "5"
    assert environ["XLA_PYTHON_CLIENT_PREALLOCATE"] == "false"


def test_one_process_keeps_its_threads(tmp_path: Path) -> None:
    environ: dict[str, str] = {}
    prepare_environment(settings(tmp_path), environ)
    assert "NPROC" not in environ and "OMP_NUM_THREADS" not in environ and "JAX_PLATFORMS" not in environ


def test_compiled_programs_and_lists_of_fonts_are_kept_in_the_scratch_folder(tmp_path: Path) -> None:
    environ: dict[str, str] = {}
    prepare_environment(settings(tmp_path, device="cpu"), environ)
    assert environ["JAX_COMPILATION_CACHE_DIR"] == str(tmp_path / "work/bids_eeg2fmri/jax-cache")
    assert environ["MPLCONFIGDIR"] == str(tmp_path / "work/bids_eeg2fmri/matplotlib")
    assert environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] == "0"
    assert environ["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] == "-1"
    assert environ["JAX_PLATFORMS"] == "cpu"


def test_device_names(tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    class Gpu:
        platform, device_kind = "gpu", "NVIDIA H100"

    class Cpu:
        platform, device_kind = "cpu", "cpu"

    monkeypatch.setattr(jax, "devices", lambda: [Gpu()])
    assert choose_device(settings(tmp_path)) == "GPU NVIDIA H100"
    monkeypatch.setattr(jax, "devices", lambda: [Cpu()])
    with caplog.at_level("INFO", "bids_eeg2fmri"):
        assert choose_device(settings(tmp_path, device="auto")).startswith("CPU")
    assert caplog.text.count("No GPU found") == 1
    with pytest.raises(UsageError, match="docker run --gpus all") as caught:
        choose_device(settings(tmp_path, device="gpu"))
    assert "apptainer run --nv" in str(caught.value)
    assert caught.value.exit_code == 64


def test_require_writable(tmp_path: Path) -> None:
    require_writable(tmp_path / "a/b")
    assert list((tmp_path / "a/b").iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(OutputError) as caught:
        require_writable(tmp_path / "file/below")
    assert caught.value.exit_code == 73
    with pytest.raises(Eeg2fmriError):
        require_writable(Path("/proc/nowhere"))


def test_only_our_part_of_the_work_directory_is_cleaned(tmp_path: Path) -> None:
    options = settings(tmp_path, clean_workdir=True)
    options.scratch_dir.mkdir(parents=True)
    (options.scratch_dir / "old").touch()
    (options.work_dir / "precious").touch()
    prepare_scratch(settings(tmp_path))
    assert (options.scratch_dir / "old").exists()
    prepare_scratch(options)
    assert set(options.work_dir.rglob("*")) == {options.scratch_dir, options.work_dir / "precious"}
