"""Images are built with buildah and run with podman, without a daemon and in a storage of their own."""

from __future__ import annotations

import json
import logging
import os
import shlex
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "ds-eegmat"
FOREIGN_USER = 12345
# What users of other apps have reported: an id that no passwd file knows, no network, nothing writable but /tmp.
LOCKED_DOWN = (
    "--read-only", "--tmpfs=/tmp", "--network=none", f"--user={FOREIGN_USER}:{FOREIGN_USER}",
)  # fmt: skip
_CERTIFICATES = Path("/etc/ssl/certs")
_LIMITS = '[containers]\ndefault_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]\n'
_TIMEOUT_S = 3600

Finished = subprocess.CompletedProcess[str]
Mounts = Mapping[Path, str]


@dataclass(frozen=True)
class Engine:
    """buildah and podman.

    Parameters
    ----------
    folder
        Where images, containers and the log of the last build are kept.
    driver
        Of the storage.
    """

    folder: Path
    driver: str

    def try_build(self, tag: str, *options: str | Path) -> Finished:
        """Build an image; the options end with the context."""
        general = ("bud", "--layers", "--isolation", "chroot", "--network", "host", "--tag", tag)
        finished = self._call("buildah", *general, *options)
        (self.folder / "build.log").write_text(finished.stdout + finished.stderr)
        return finished

    def build(self, tag: str, *options: str | Path) -> None:
        """Build an image, or fail."""
        finished = self.try_build(tag, *options)
        assert finished.returncode == 0, finished.stdout[-3000:] + finished.stderr[-3000:]

    def reach_registry(self) -> list[str]:
        """Options of a build that reaches the package registry as this machine does: through its certificates."""
        settings = self.folder / "registry"
        settings.mkdir(exist_ok=True)
        index = os.environ.get("PIP_INDEX_URL", "https://pypi.org/simple")
        bundle = _CERTIFICATES / "ca-certificates.crt"
        (settings / "pip.conf").write_text(f"[global]\ncert = {bundle}\nindex-url = {index}\n")
        (settings / "uv.toml").write_text(f'native-tls = true\n[[index]]\nurl = "{index}"\ndefault = true\n')
        mounts = {_CERTIFICATES: f"{_CERTIFICATES}", settings / "pip.conf": "/etc/pip.conf", settings: "/etc/uv"}
        return ["--pull-never", *_volumes(mounts)]

    def run(
        self,
        image: str,
        *arguments: str,
        mounts: Mounts | None = None,
        options: Sequence[str] = (),
        confinement: Sequence[str] = LOCKED_DOWN,
    ) -> Finished:
        """Run a container to its end and remove it."""
        return self._call("podman", *_run(image, arguments, mounts or {}, (*confinement, *options)))

    def start(self, image: str, *arguments: str, mounts: Mounts, name: str) -> subprocess.Popen[str]:
        """Start a container, locked down, and return at once."""
        line = self._line("podman", _run(image, arguments, mounts, (*LOCKED_DOWN, f"--name={name}")))
        logger.info("$ podman run --name=%s ... &", name)
        return subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self._environment)

    def has(self, image: str) -> bool:
        """Whether the storage holds an image."""
        finished = self._call("podman", "image", "exists", image)
        assert finished.returncode in (0, 1), finished.stderr
        return finished.returncode == 0

    def inspect(self, image: str) -> dict[str, Any]:
        """What podman knows of an image."""
        return json.loads(self.podman("image", "inspect", image))[0]

    def podman(self, *arguments: str) -> str:
        """What podman prints."""
        finished = self._call("podman", *arguments)
        assert finished.returncode == 0, finished.stderr
        return finished.stdout

    def remove(self) -> None:
        """Remove the storage; ``podman system reset`` would remove the machine's networks, too."""
        self._call("podman", "rmi", "--all", "--force")
        mounts = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
        for target in reversed(mounts):
            if Path(target).is_relative_to(self.folder):
                subprocess.run(["umount", target], check=True)
        shutil.rmtree(self.folder)

    def _call(self, program: str, *arguments: str | Path) -> Finished:
        logger.info("$ %s %s", program, shlex.join(map(str, arguments)))
        begun = time.monotonic()
        line = self._line(program, arguments)
        finished = subprocess.run(
            line, capture_output=True, text=True, check=False, timeout=_TIMEOUT_S, env=self._environment
        )
        logger.info("  exit %d after %.1f s", finished.returncode, time.monotonic() - begun)
        return finished

    def _line(self, program: str, arguments: Sequence[str | Path]) -> list[str]:
        storage = (
            f"--root={self.folder / 'root'}",
            f"--runroot={self.folder / 'run'}",
            f"--storage-driver={self.driver}",
        )
        without_systemd = ("--cgroup-manager=cgroupfs", "--runtime=runc") if program == "podman" else ()
        return [program, *storage, *without_systemd, *map(str, arguments)]

    @property
    def _environment(self) -> dict[str, str]:
        # Where root lacks capabilities it cannot raise its limits to podman's defaults.
        limits = self.folder / "containers.conf"
        limits.write_text(_LIMITS)
        return {**os.environ, "CONTAINERS_CONF": str(limits)}


def _run(image: str, arguments: Sequence[str], mounts: Mounts, options: Sequence[str]) -> list[str]:
    return ["run", "--rm", "--pull=never", *options, *_volumes(mounts), image, *arguments]


def _volumes(mounts: Mounts) -> list[str]:
    """Options that mount each folder, read-only unless its target ends in ``:rw``."""
    return [f"--volume={source}:{to if to.endswith(':rw') else f'{to}:ro'}" for source, to in mounts.items()]
