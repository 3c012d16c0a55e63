"""A real Slurm of one node on the loopback interface, below one folder, for root on a machine without one."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAMS = ("slurmctld", "slurmd", "munged", "sbatch", "squeue", "sinfo", "scancel")
_SYSTEM = "/usr/sbin"
_DEADLINE_S = 300


def why_not() -> str | None:
    """Why Slurm cannot be started here."""
    path = f"{os.environ['PATH']}{os.pathsep}{_SYSTEM}"
    missing = [name for name in PROGRAMS if shutil.which(name, path=path) is None]
    if missing:
        return f"not installed: {', '.join(missing)} (Debian: slurmctld slurmd slurm-client munge)"
    return None if os.geteuid() == 0 else "Slurm's node daemon runs as root"


@contextmanager
def slurm_node(folder: Path, cpus: int, environment: dict[str, str]) -> Iterator[dict[str, str]]:
    """Start Slurm with a partition ``main``; yields the environment with what its commands need."""
    for name in ("state", "spool", "log"):
        (folder / name).mkdir(parents=True)
    path = f"{environment['PATH']}{os.pathsep}{_SYSTEM}"
    environment = {**environment, "PATH": path, "SLURM_CONF": str(folder / "slurm.conf")}
    (folder / "slurm.conf").write_text(_configuration(folder, cpus))
    key = folder / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    munge = [f"--{name}={folder / f'munge.{name}'}" for name in ("socket", "pid-file", "log-file", "seed-file")]
    daemons: list[subprocess.Popen[bytes]] = []
    try:
        # Root may run it, and the test's folder is nobody else's: what --force lets pass.
        for line in (
            ["munged", "--foreground", "--force", f"--key-file={key}", *munge],
            ["slurmctld", "-D", "-c"],
            ["slurmd", "-D", "-c"],
        ):
            log = (folder / "log" / f"{line[0]}.out").open("wb")
            daemons.append(subprocess.Popen(line, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL))
            log.close()
        _wait_until_idle(environment, folder, daemons)
        yield environment
        subprocess.run(["scancel", "--user", "root"], env=environment, check=False)
        _wait_until_empty(environment)
    finally:
        for daemon in reversed(daemons):
            daemon.terminate()
        for daemon in daemons:
            daemon.wait(_DEADLINE_S)


def jobs(environment: dict[str, str]) -> list[str]:
    """Jobs and array tasks that wait or run."""
    line = ["squeue", "--noheader", "--array", "--format=%A %a %T"]
    return subprocess.run(line, env=environment, capture_output=True, text=True, check=True).stdout.splitlines()


def _configuration(folder: Path, cpus: int) -> str:
    host = socket.gethostname().split(".")[0]
    controller, node = _free_ports(2)
    options = {
        "ClusterName": "test",
        "SlurmctldHost": f"{host}(127.0.0.1)",
        "SlurmctldPort": controller,
        "SlurmdPort": node,
        "SlurmUser": "root",
        "AuthType": "auth/munge",
        "AuthInfo": f"socket={folder / 'munge.socket'}",
        "CredType": "cred/munge",
        "SlurmctldPidFile": folder / "slurmctld.pid",
        "SlurmdPidFile": folder / "slurmd.pid",
        "SlurmdSpoolDir": folder / "spool",
        "StateSaveLocation": folder / "state",
        # Neither control groups nor a database: a container has none.
        "ProctrackType": "proctrack/linuxproc",
        "TaskPlugin": "task/none",
        "JobAcctGatherType": "jobacct_gather/none",
        "AccountingStorageType": "accounting_storage/none",
        "SelectType": "select/cons_tres",
        "SelectTypeParameters": "CR_CPU",
        "SchedulerParameters": "sched_interval=1",
        "MpiDefault": "none",
        "SwitchType": "switch/none",
        "ReturnToService": 2,
        "KillWait": 5,
    }
    lines = [f"{name}={value}" for name, value in options.items()]
    # The node may say that it has more CPUs than there are, so that so many tasks run at once.
    lines += [
        "SlurmdParameters=config_overrides",
        f"NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=64000 State=UNKNOWN",
        f"PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP",
    ]
    return "\n".join(lines) + "\n"


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _wait_until_idle(environment: dict[str, str], folder: Path, daemons: list[subprocess.Popen[bytes]]) -> None:
    deadline = time.monotonic() + _DEADLINE_S
    while time.monotonic() < deadline and all(daemon.poll() is None for daemon in daemons):
        line = ["sinfo", "--noheader", "--format=%T"]
        if subprocess.run(line, env=environment, capture_output=True, text=True, check=False).stdout.strip() == "idle":
            return
        time.sleep(0.3)
    logs = "\n".join(f"{path.name}: {path.read_text()[-1000:]}" for path in (folder / "log").iterdir())
    raise RuntimeError(f"Slurm does not start.\n{logs}")


def _wait_until_empty(environment: dict[str, str]) -> None:
    deadline = time.monotonic() + _DEADLINE_S
    while jobs(environment) and time.monotonic() < deadline:
        time.sleep(0.3)
