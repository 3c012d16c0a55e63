"""One output directory holds the outputs of one model."""

from __future__ import annotations

import errno
import json
import os
from contextlib import suppress
from pathlib import Path

from ..errors import BadDataError, UsageError
from .atomic import json_text, temporary_file, writing
from .provenance import ModelProvenance

MODEL_FILE = Path("logs") / "model.json"
# File systems that know no hard links.
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}


def claim_for_one_model(output_dir: Path, model: ModelProvenance) -> None:
    """Note the model in the output directory, or check that it is the one noted there.

    Among jobs that start at once exactly one makes the note; the others compare.

    Raises
    ------
    UsageError
        The directory holds the outputs of another model.
    BadDataError
        The note cannot be read.
    WriteError, OutputError
        The note cannot be written.
    """
    path = output_dir / MODEL_FILE
    if not path.exists():
        _create(path, json_text({"Name": model.name, "Version": model.version, "SHA256": model.sha256}))
    _compare(output_dir, model.name, model.version, model.sha256)


def check_one_model(output_dir: Path, name: str, version: str, sha256: str) -> None:
    """Check that no other model is noted in the output directory, and note nothing.

    Raises
    ------
    UsageError
        The directory holds the outputs of another model.
    BadDataError
        The note cannot be read.
    """
    if (output_dir / MODEL_FILE).exists():
        _compare(output_dir, name, version, sha256)


def _compare(output_dir: Path, name: str, version: str, sha256: str) -> None:
    first = _read(output_dir / MODEL_FILE)
    if first["SHA256"] != sha256:
        raise UsageError(
            f"this directory holds the outputs of the model {first['Name']} {first['Version']} "
            f"(sha256 {first['SHA256'][:12]}), not of {name} {version} (sha256 {sha256[:12]}).",
            path=output_dir,
            remedy="Choose another output directory for this model.",
        )


def _create(path: Path, text: str) -> None:
    """Write the note unless another job is first; never half of it where the file system has hard links."""
    with temporary_file(path) as temporary, writing(path):
        temporary.write_text(text, encoding="utf-8")
        with suppress(FileExistsError):
            _publish(temporary, path, text)


def _publish(temporary: Path, path: Path, text: str) -> None:
    try:
        os.link(temporary, path)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        with path.open("x", encoding="utf-8") as stream:
            stream.write(text)


def _read(path: Path) -> dict[str, str]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {key: str(content[key]) for key in ("Name", "Version", "SHA256")}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadDataError(
            "the note of the model that made these outputs cannot be read.",
            path=path,
            remedy="Delete it if you know the model, or choose another output directory.",
        ) from error
