"""The devices that share a batch: all of this machine, and of all machines of a distributed run."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from ...errors import UsageError

logger = logging.getLogger(__name__)


def join_hosts(environment: Mapping[str, str] | None = None) -> bool:
    """Join the other processes of a distributed run; whether there are any.

    A process belongs to one when ``JAX_COORDINATOR_ADDRESS`` is set (with ``JAX_NUM_PROCESSES`` and
    ``JAX_PROCESS_ID``), or when ``srun`` or ``mpirun`` started it together with others. To be called before the first
    computation.
    """
    environment = os.environ if environment is None else environment
    if jax.distributed.is_initialized():
        return True
    if "JAX_COORDINATOR_ADDRESS" in environment:
        jax.distributed.initialize(
            environment["JAX_COORDINATOR_ADDRESS"],
            num_processes=int(environment["JAX_NUM_PROCESSES"]),
            process_id=int(environment["JAX_PROCESS_ID"]),
        )
        return True
    companions = ("SLURM_STEP_NUM_TASKS", "OMPI_COMM_WORLD_SIZE")
    if any(int(environment.get(name, "1")) > 1 for name in companions):
        jax.distributed.initialize()
        return True
    return False


def make_mesh(batch_size: int) -> Mesh:
    """All devices, or as many of this machine's as divide a batch evenly.

    Raises
    ------
    UsageError
        Several machines take part and their devices do not divide the batch.
    """
    devices = jax.devices()
    count = max(n for n in range(1, len(devices) + 1) if batch_size % n == 0)
    if count < len(devices):
        if jax.process_count() > 1:
            raise UsageError(
                f"{len(devices)} devices cannot share batches of {batch_size}.",
                remedy=f"Give --batch-size a multiple of {len(devices)}.",
            )
        logger.info("batches of %d are shared by %d of %d devices", batch_size, count, len(devices))
    return Mesh(np.array(devices[:count]), ("batch",))


def replicated(mesh: Mesh) -> NamedSharding:
    """A copy on every device."""
    return NamedSharding(mesh, PartitionSpec())


def split_over(mesh: Mesh) -> NamedSharding:
    """The first axis divided among the devices."""
    return NamedSharding(mesh, PartitionSpec("batch"))
