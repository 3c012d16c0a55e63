"""Where dask's workers come from: this machine, the jobs of a batch system, or a scheduler that runs already."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from distributed import Client, LocalCluster
from distributed.deploy import Cluster

from ..errors import TemporaryError, UsageError
from ..settings import Settings
from .dask_jobs import WITHOUT_DASHBOARD, batch_systems, submit_jobs
from .logs import usable_cpus


@contextmanager
def dask_client(settings: Settings, n_workers: int, log_dir: Path) -> Iterator[Client]:
    """A client of the cluster that ``--dask-cluster`` names; workers that are started here end with the block.

    Parameters
    ----------
    settings
        What to connect to.
    n_workers
        Workers, or jobs, to start; a running scheduler has its own.
    log_dir
        Where jobs write their logs, unless dask's configuration says otherwise.

    Raises
    ------
    UsageError
        There is no such cluster, or the batch system refuses its jobs.
    TemporaryError
        The running scheduler does not answer.
    """
    name = settings.dask_cluster
    scratch = settings.scratch_dir / "dask"
    if ":" in name or Path(name).is_file():
        with _running_scheduler(name) as client:
            yield client
        return
    start = partial(_start_jobs, name, log_dir) if name != "local" else partial(_start_here, settings)
    with start(n_workers, scratch) as cluster, Client(cluster, set_as_default=False) as client:
        yield client


def _start_here(settings: Settings, n_workers: int, scratch: Path) -> LocalCluster:
    return LocalCluster(
        n_workers=n_workers,
        threads_per_worker=settings.omp_nthreads or max(1, usable_cpus() // n_workers),
        # A worker above dask's limits would be paused, for ever: what fills it is not dask's to spill.
        memory_limit=None,
        local_directory=str(scratch),
        scheduler_kwargs=WITHOUT_DASHBOARD,
        silence_logs=logging.CRITICAL,
    )


@contextmanager
def _running_scheduler(name: str) -> Iterator[Client]:
    where = {"address": name} if ":" in name else {"scheduler_file": name}
    client = _connected(**where)
    if client is None:
        raise TemporaryError(
            f"--dask-cluster {name}: no dask scheduler answers there.",
            remedy="Start it with `dask scheduler`, or check the address.",
        )
    with client:
        yield client


def _connected(**where: str) -> Client | None:
    """A client of the scheduler, or none."""
    try:
        return Client(**where, set_as_default=False)
    # What is no address, and a file that is no scheduler's, is a ValueError.
    except (OSError, ValueError):
        pass
    # The error has let go of the client that was half made. Ended while another one starts, it would lock dask up.
    gc.collect()
    return None


def _start_jobs(name: str, log_dir: Path, n_jobs: int, scratch: Path) -> Cluster:
    known = batch_systems()
    if name.lower() not in known:
        raise UsageError(
            f"--dask-cluster {name}: no such batch system, and no file of a scheduler.",
            remedy=f"Give local, {', '.join(sorted(known))}, an address (tcp://HOST:PORT) or a scheduler file.",
        )
    return submit_jobs(known[name.lower()], n_jobs, log_dir, scratch)
