"""The files that were written, with sizes and hashes."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from ..run import RunReport


def collect_outputs(run: RunReport, output_dir: Path) -> dict[str, Any]:
    """Size and hash of every output; of a file written after this, see :func:`with_late_files`."""
    return {"files": [_describe(path, output_dir) for path in run.outputs]}


def with_late_files(data: dict[str, Any], output_dir: Path) -> dict[str, Any]:
    """The same list with size and hash of the files that came into being since."""
    described = [
        _describe(Path(entry["path"]), output_dir) if entry["sha256"] is None else entry for entry in data["files"]
    ]
    return {"files": described}


def _describe(path: Path, output_dir: Path) -> dict[str, Any]:
    absolute = output_dir / path
    name = (absolute.relative_to(output_dir) if absolute.is_relative_to(output_dir) else path).as_posix()
    if not absolute.is_file():
        return {"path": name, "bytes": None, "sha256": None}
    with absolute.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return {"path": name, "bytes": absolute.stat().st_size, "sha256": digest}
