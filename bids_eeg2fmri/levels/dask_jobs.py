"""Workers of dask that are jobs of a batch system.

What a job looks like is said by dask's own configuration, ``jobqueue.yaml`` and ``DASK_`` variables, see
https://jobqueue.dask.org/en/latest/clusters-configuration.html.
"""

from __future__ import annotations

import shlex
import shutil
import signal
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import dask
from distributed import Client, LocalCluster

from ..errors import UsageError

if TYPE_CHECKING:
    from dask_jobqueue.core import JobQueueCluster

# Any port that is free, or the next user of this machine is warned.
WITHOUT_DASHBOARD = {"dashboard": False, "dashboard_address": ":0"}


def batch_systems() -> dict[str, type[JobQueueCluster]]:
    """The batch systems that dask-jobqueue knows, by the name of their section in ``jobqueue.yaml``."""
    jobqueue = _import_jobqueue()
    kinds = [kind for name, kind in vars(jobqueue).items() if name.endswith("Cluster")]
    return {kind.job_cls.config_name: kind for kind in kinds if kind is not jobqueue.JobQueueCluster}


def submit_jobs(kind: type[JobQueueCluster], n_jobs: int, log_dir: Path, scratch: Path) -> JobQueueCluster:
    """Submit jobs as dask's configuration describes them; what it leaves open is written to our folders.

    Raises
    ------
    UsageError
        There is no such batch system here, its configuration lacks something, or it refuses the jobs.
    """
    name = kind.job_cls.config_name
    command = shlex.split(kind.job_cls.submit_command)[0]
    if shutil.which(command) is None:
        raise UsageError(f"--dask-cluster {name}: the command {command} is not found here.")

    def configured(key: str) -> Any:
        return dask.config.get(f"jobqueue.{name}.{key}", None)

    try:
        cluster = kind(
            log_directory=configured("log-directory") or str(log_dir),
            # It becomes a part of the job's shell script.
            local_directory=configured("local-directory") or shlex.quote(str(scratch)),
            scheduler_options=WITHOUT_DASHBOARD | (configured("scheduler-options") or {}),
        )
        try:
            cluster.sync(_submit, cluster, n_jobs)
        except BaseException:
            # A job that was refused trips an assertion of its cluster's.
            with suppress(AssertionError):
                cluster.close()
            raise
    # What dask-jobqueue raises for settings that are missing, and for jobs that are refused.
    except (ValueError, RuntimeError, OSError) as error:
        raise UsageError(
            f"--dask-cluster {name}: {' '.join(str(error).split())}",
            remedy=f"Mend the section jobqueue.{name} of dask's configuration.",
        ) from error
    return cluster


def replace_lost_jobs(client: Client, n_jobs: int) -> None:
    """Submit again the jobs whose workers were lost; dask leaves that to the cluster's user."""
    if client.cluster is not None and not isinstance(client.cluster, LocalCluster):
        client.cluster.scale(jobs=n_jobs)


async def _submit(cluster: JobQueueCluster, n_jobs: int) -> None:
    """Submit jobs and wait for the batch system's word; ``cluster.scale`` would log a refusal and go on."""
    for _ in range(n_jobs):
        cluster.worker_spec.update(cluster.new_worker_spec())
    await cluster


def _import_jobqueue() -> ModuleType:
    """Import dask-jobqueue, which takes over Ctrl-C on import, and give Ctrl-C back."""
    before = signal.getsignal(signal.SIGINT)
    try:
        import dask_jobqueue
    finally:
        signal.signal(signal.SIGINT, before)
    return dask_jobqueue
