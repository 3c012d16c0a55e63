"""What must be settled in a worker process of dask before its first recording."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from uuid import uuid4

from distributed import Client, Worker, WorkerPlugin
from threadpoolctl import threadpool_limits

from .. import __version__
from ..errors import UsageError
from ..settings import Settings
from .logs import start_console
from .machine import prepare_environment


@contextmanager
def prepared(client: Client, settings: Settings) -> Iterator[None]:
    """Prepare every worker for the time of the block, also those to come.

    What keeps a worker from being prepared is raised only for those that are there already.

    Raises
    ------
    UsageError
        A worker has another version of this package or lacks one, or has loaded JAX with another number of threads.
    """
    name = f"bids-eeg2fmri-{uuid4()}"
    try:
        try:
            client.register_plugin(_Preparation(settings), name=name)
        except ImportError as error:
            raise UsageError(
                f"--dask-cluster {settings.dask_cluster}: its workers lack a package ({error}).",
                remedy="Start them in the environment that this command runs in.",
            ) from error
        yield
    finally:
        # Workers that are gone, or were never prepared, have nothing to withdraw.
        with suppress(Exception):
            client.unregister_worker_plugin(name)


class _Preparation(WorkerPlugin):
    """Threads, environment and console of a worker."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._version = __version__

    def setup(self, worker: Worker) -> None:
        """Limit the threads, set the variables, open the console."""
        if self._version != __version__:
            raise UsageError(
                f"the dask worker {worker.address} has bids-eeg2fmri {__version__}, not {self._version}.",
                remedy="Start it in the environment that this command runs in.",
            )
        # Dask counts as a worker's threads the CPUs that it may use.
        n_threads = self._settings.omp_nthreads or worker.state.nthreads
        if self._settings.omp_nthreads is not None:
            _refuse_other_threads(worker.address, n_threads)
        prepare_environment(replace(self._settings, omp_nthreads=n_threads))
        # Dask itself has loaded NumPy by now, with the threads that the worker was started with.
        self._limits = threadpool_limits(n_threads)
        start_console(self._settings.verbosity)

    def teardown(self, worker: Worker) -> None:
        """Give the worker its threads back, for others that use it."""
        self._limits.restore_original_limits()


def _refuse_other_threads(address: str, n_threads: int) -> None:
    """JAX keeps the threads that it was loaded with."""
    loaded_with = os.environ.get("NPROC")
    if "jax" in sys.modules and loaded_with != str(n_threads):
        raise UsageError(
            f"--omp-nthreads {n_threads}: the dask worker {address} has loaded JAX with {loaded_with} threads before.",
            remedy="Restart the workers, or ask for as many threads as before.",
        )
