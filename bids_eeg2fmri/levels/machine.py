"""Threads, device and folders: what must be settled before NumPy and JAX are loaded."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import MutableMapping
from pathlib import Path
from uuid import uuid4

from ..errors import OutputError, UsageError, WriteError
from ..settings import Settings
from .allocator import ARENAS_VARIABLE
from .logs import usable_cpus

logger = logging.getLogger(__name__)

# XLA takes the size of its CPU thread pool from NPROC (xla/pjrt/utils.cc, DefaultThreadPoolSize).
_THREAD_VARIABLES = ("NPROC", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


def prepare_environment(settings: Settings, environ: MutableMapping[str, str] = os.environ) -> None:
    """Set what libraries read when they are loaded, here and in worker processes.

    Threads are limited when asked for with ``--omp-nthreads``, and shared out among several
    processes unless the environment already limits them.
    """
    if settings.omp_nthreads is not None:
        environ.update({name: str(settings.omp_nthreads) for name in _THREAD_VARIABLES})
    elif settings.nprocs > 1:
        share = max(1, usable_cpus() // settings.nprocs)
        for name in _THREAD_VARIABLES:
            environ.setdefault(name, str(share))
    if settings.nprocs > 1:
        environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    if settings.device == "cpu":
        environ["JAX_PLATFORMS"] = "cpu"
    defaults = {
        "MNE_LOGGING_LEVEL": "INFO" if settings.verbosity > 1 else "WARNING",
        # GPUs round the factors of a float32 product to ten bits unless told otherwise.
        "JAX_DEFAULT_MATMUL_PRECISION": "highest",
        ARENAS_VARIABLE: "1",
    }
    if not settings.dry_run:
        # A dry run writes nothing, not even what loading the model compiles.
        defaults |= {
            "JAX_COMPILATION_CACHE_DIR": str(settings.scratch_dir / "jax-cache"),
            # Matplotlib would keep its list of fonts in the home directory, which need not be there nor ours to fill.
            "MPLCONFIGDIR": str(settings.scratch_dir / "matplotlib"),
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
            "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
        }
    for name, value in defaults.items():
        environ.setdefault(name, value)


def choose_device(settings: Settings) -> str:
    """Settle on a device and name it.

    Raises
    ------
    UsageError
        A GPU is asked for and there is none.
    """
    if settings.device == "gpu" and settings.executor == "dask":
        # Workers may have what this machine, often a cluster's login node, lacks: each looks for itself.
        return "GPUs of the dask workers"
    import jax

    if settings.device == "cpu":
        jax.config.update("jax_platforms", "cpu")
    found = jax.devices()[0]
    if found.platform == "gpu":
        return f"GPU {found.device_kind}"
    if settings.device == "gpu":
        raise UsageError(
            "--device gpu: JAX finds no GPU here.",
            remedy="In a container, pass the GPU on with `docker run --gpus all` or `apptainer run --nv`; "
            "elsewhere install bids-eeg2fmri[cuda12]; or use --device cpu.",
        )
    name = f"CPU, {os.environ.get('NPROC', usable_cpus())} threads"
    if settings.device == "auto":
        logger.info("No GPU found: running on the %s.", name)
    return name


def require_writable(folder: Path) -> None:
    """Make a folder and check that files can be made in it.

    Raises
    ------
    OutputError, WriteError
        It cannot be made or written to.
    """
    from ..derivatives.atomic import writing

    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".tmp-{uuid4()}"
        try:
            probe.write_bytes(b"probe")
        finally:
            probe.unlink(missing_ok=True)


def prepare_scratch(settings: Settings) -> None:
    """Make our part of the work directory, empty when ``--clean-workdir`` asks for it.

    Raises
    ------
    OutputError, WriteError
        The work directory cannot be made or written to.
    """
    if settings.clean_workdir and settings.scratch_dir.is_dir():
        shutil.rmtree(settings.scratch_dir, ignore_errors=True)
    try:
        require_writable(settings.scratch_dir)
    except (OutputError, WriteError) as error:
        remedy = "Choose another scratch folder with --work-dir."
        raise type(error)(error.problem, path=error.path, remedy=remedy) from error
