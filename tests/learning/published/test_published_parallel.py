"""Devices share a batch without changing what is computed."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys

import numpy as np
import pytest
from tiny_training import SCRIPT

from bids_eeg2fmri.learning.published.devices import join_hosts

# Nothing that is imported for a training may compute: processes can only join before their first computation.
RUN_AFTER_IMPORTS = """
import runpy, sys
import bids_eeg2fmri.learning.published.fit
sys.argv.pop(0)
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def losses(output):
    line = next(line for line in output.splitlines() if line.startswith("losses"))
    return np.array([float(number) for number in re.findall(r"[-\d.e]+", line.removeprefix("losses"))])


def test_four_devices_have_the_losses_of_one(whole_training, tmp_path):
    environment = {**os.environ, "XLA_FLAGS": "--xla_force_host_platform_device_count=4"}
    shared = subprocess.run(
        [sys.executable, SCRIPT, tmp_path], check=True, capture_output=True, text=True, env=environment
    )
    np.testing.assert_allclose(losses(shared.stdout), losses(whole_training[1]), rtol=1e-4)


def test_two_processes_have_the_losses_of_one(whole_training, tmp_path):
    with socket.socket() as free:
        free.bind(("localhost", 0))
        address = f"localhost:{free.getsockname()[1]}"
    environment = {**os.environ, "JAX_COORDINATOR_ADDRESS": address, "JAX_NUM_PROCESSES": "2"}
    running = [
        subprocess.Popen(
            [sys.executable, "-c", RUN_AFTER_IMPORTS, SCRIPT, tmp_path],
            stdout=subprocess.PIPE,
            text=True,
            env={**environment, "JAX_PROCESS_ID": str(number)},
        )
        for number in range(2)
    ]
    try:
        outputs = [process.communicate(timeout=400)[0] for process in running]
    finally:
        for process in running:
            process.kill()

    for output in outputs:
        np.testing.assert_allclose(losses(output), losses(whole_training[1]), rtol=1e-4)


@pytest.mark.parametrize("environment", [{}, {"SLURM_STEP_NUM_TASKS": "1"}, {"SLURM_NTASKS": "8"}])
def test_a_process_alone_joins_nobody(environment):
    assert not join_hosts(environment)
