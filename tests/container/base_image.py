"""A stand-in for the Dockerfile's base image where no image registry is within reach.

Debian comes from its packages; CPython is this machine's own, copied to where the official image has it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from container_engine import Engine

# The libraries that CPython links to, and what the official slim image has besides.
_PACKAGES = (
    "ca-certificates", "netbase", "tzdata", "libbz2-1.0", "libexpat1", "libffi8", "libgdbm6", "liblzma5",
    "libncursesw6", "libreadline8", "libsqlite3-0", "libssl3", "libuuid1", "zlib1g",
)  # fmt: skip
_DOCKERFILE = """\
FROM scratch
ADD debian.tar /
COPY cpython /usr/local
RUN ldconfig && python3 -m ensurepip && ln -s pip3 /usr/local/bin/pip && ln -sf python3 /usr/local/bin/python
ENV LANG=C.UTF-8 PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin
CMD ["python3"]
"""


def build_base(engine: Engine, name: str) -> None:
    """Build the stand-in under the official image's name, for example ``.../python:3.12-slim-bookworm``."""
    version, _, suite = name.rpartition(":")[2].split("-")
    context = engine.folder / "base"
    context.mkdir(exist_ok=True)
    cpython = _cpython(version)
    archive = context / "debian.tar"
    packages = f"--include={','.join(_PACKAGES)}"
    subprocess.run(
        ["mmdebstrap", "--quiet", "--variant=minbase", packages, suite, str(archive), *_apt_sources()], check=True
    )
    ignored = shutil.ignore_patterns("__pycache__", "config-3*", "idlelib", "test", "tkinter", "site-packages")
    for part in ("bin", "lib"):
        shutil.copytree(cpython / part, context / "cpython" / part, symlinks=True, ignore=ignored, dirs_exist_ok=True)
    for script in (context / "cpython" / "bin").glob("pip*"):
        script.unlink()
    (context / "Dockerfile").write_text(_DOCKERFILE)
    engine.build(name, context)
    shutil.rmtree(context)


def _cpython(version: str) -> Path:
    """The prefix of a CPython of that version that stands by itself: of pyenv, unless ``CPYTHON_PREFIX`` names one."""
    if "CPYTHON_PREFIX" in os.environ:
        return Path(os.environ["CPYTHON_PREFIX"])
    if shutil.which("pyenv"):
        found = subprocess.run(["pyenv", "prefix", version], capture_output=True, text=True, check=False)
        if found.returncode == 0:
            return Path(found.stdout.strip())
    pytest.fail(f"CPYTHON_PREFIX must name a CPython {version} outside /usr, or BASE_IMAGE=pull fetch the image")


def _apt_sources() -> list[str]:
    """This machine's package sources, where it has them in one file."""
    candidates = (Path("/etc/apt/sources.list.d/debian.sources"), Path("/etc/apt/sources.list"))
    return [str(path) for path in candidates if path.is_file()][:1]
