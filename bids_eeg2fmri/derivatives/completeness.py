"""Whether a recording's outputs are there and belong to the present input, model and settings."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from .. import __version__
from ..bids.bold_file import BoldFile
from ..bids.brainvision import file_beside, header_fields
from ..bids.recording_file import RecordingFile
from ..errors import MissingInputError
from ..settings import OutputSpace, Settings
from .atomic import sweep, writing
from .names import OutputNames, sidecar

State = Literal["done", "stale", "new"]

# Keys of the BOLD sidecar: only recordings with reliability maps, and only explained ones, have them.
RELIABILITY = "Reliability"
EXPLAINED = "Explained"
_BRAINVISION_FILES = ("datafile", "markerfile")
_HEADER_BYTES = 4 * 2**20


@dataclass(frozen=True)
class RunHashes:
    """What a recording's outputs depend on, as hexadecimal SHA-256 digests.

    Without one of the input, sidecars are compared by the others alone.
    """

    input: str | None
    model: str
    config: str

    @property
    def as_metadata(self) -> dict[str, str]:
        """The keys of the BOLD sidecar."""
        kept = {"ModelSHA256": self.model, "ConfigHash": self.config}
        return kept if self.input is None else {"InputHash": self.input, **kept}


def input_hash(file: RecordingFile) -> str:
    """Digest of the content of a recording's signal files, companions and merged sidecar.

    Raises
    ------
    MissingInputError
        A file is not there or cannot be read.
    """
    digest = hashlib.sha256()
    for path in (*signal_files(file.path), *companion_files(file)):
        try:
            with path.open("rb") as stream:
                content = hashlib.file_digest(stream, "sha256").digest()
        except OSError as error:
            raise MissingInputError(
                f"cannot be read ({error.strerror}).", path=path, remedy="Check the file, or fetch its content."
            ) from error
        digest.update(content)
    return _with(digest.hexdigest(), file.sidecar)


def config_hash(settings: Settings, space: OutputSpace, scanner_bold: BoldFile | None = None) -> str:
    """Digest of what changes a recording's outputs beside its input, and of this program's version.

    Parameters
    ----------
    settings, space
        The settings and the output grid.
    scanner_bold
        BOLD of the same run that the output is compared with. Of its files, name, size and time of change are
        digested, not the content: it is many times larger than the EEG.
    """
    reference = space.reference_image
    compared = {} if scanner_bold is None else {"scanner_bold": _identity(scanner_bold, settings.confounds)}
    return _with(
        __version__,
        compared
        | {
            "tr_s": settings.tr_s,
            "volume_marker": settings.volume_marker,
            "montage": settings.montage,
            "allow_gradient_artefact": settings.allow_gradient_artefact,
            "float32": settings.float32,
            "space": space.space,
            "resolution": space.resolution,
            "reference_image": None if reference is None else hashlib.sha256(reference.read_bytes()).hexdigest(),
        },
    )


def _identity(bold: BoldFile, confounds: tuple[str, ...]) -> dict[str, Any]:
    files = [path for path in (bold.path, bold.mask, bold.confounds if confounds else None) if path is not None]
    return {
        "dataset": bold.dataset,
        "sidecar": bold.sidecar,
        "confounds": confounds,
        "files": [(path.name, status.st_size, status.st_mtime_ns) for path in files if (status := _status(path))],
    }


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None


def state(names: OutputNames, hashes: RunHashes, explain: Sequence[str] | None = None) -> State:
    """``"new"`` without a BOLD sidecar, ``"done"`` when it matches and every file is there, else ``"stale"``.

    ``explain`` are the regions that must be explained; ``None``: none need be.
    """
    if not sidecar(names.bold).exists():
        return "new"
    written = matching(sidecar(names.bold), hashes)
    if written is None:
        return "stale"
    # Which files there should be follows from the model, and the sidecar is of this model or stale anyway.
    needed = (*names.required, *(names.with_reliability if RELIABILITY in written else ()))
    return "done" if are_whole(needed) and is_explained(written, names, explain) else "stale"


def is_explained(written: Mapping[str, Any], names: OutputNames, explain: Sequence[str] | None) -> bool:
    """Whether a recording with this sidecar was explained for the regions asked for, if any were."""
    if explain is None:
        return True
    explained = written.get(EXPLAINED)
    if not isinstance(explained, dict) or explained.get("Regions") != list(explain):
        return False
    return are_whole(names.output_dir / path for path in explained.get("Files", ()))


def matching(path: Path, hashes: RunHashes) -> dict[str, Any] | None:
    """Content of a sidecar whose output was made from the present input, model and settings; else ``None``."""
    try:
        written = json.loads(path.read_text(encoding="utf-8"))
        matches = all(written.get(key) == value for key, value in hashes.as_metadata.items())
    except (OSError, ValueError, AttributeError):
        return None
    return written if matches else None


def are_whole(paths: Iterable[Path]) -> bool:
    """Whether all these files are there, none of them empty."""
    found = (_status(path) for path in paths)
    return all(status is not None and stat.S_ISREG(status.st_mode) and status.st_size > 0 for status in found)


def clear_leftovers(names: OutputNames) -> None:
    """Remove the temporary files that killed runs left behind among the outputs of the same person."""
    sweep(names.func_dir, names.subject_dir / "figures")


def withdraw_completeness(names: OutputNames) -> None:
    """Remove the BOLD sidecar: should the run end between two images, an old one would vouch for both."""
    path = sidecar(names.bold)
    with writing(path):
        path.unlink(missing_ok=True)


def remove_images(names: OutputNames) -> None:
    """Remove images of another input, model or settings; the sidecar that vouches for them goes first."""
    optional = (names.correlation, names.reliability, names.interpretable)
    images = sorted(set(names.required) - set(names.without_images))
    for path in (sidecar(names.bold), *images, *optional, *map(sidecar, optional)):
        with writing(path):
            path.unlink(missing_ok=True)


def signal_files(path: Path) -> tuple[Path, ...]:
    """The signal file and the files that its format keeps beside it."""
    others: list[Path] = []
    if path.suffix == ".vhdr" and path.is_file():
        with path.open("rb") as stream:
            text = stream.read(_HEADER_BYTES).decode("utf-8", errors="replace")
        named = [value for name, value in header_fields(text) if name in _BRAINVISION_FILES]
        # The reader refuses a header that names files elsewhere, and goes on to these markers where the named are not.
        beside = [name for value in named if (name := file_beside(value, path.stem)) is not None]
        others = [path.with_name(name) for name in dict.fromkeys((*beside, f"{path.stem}.vmrk"))]
    elif path.suffix == ".set":
        others = [path.with_suffix(".fdt")]
    return (path, *(other for other in others if other.is_file()))


def companion_files(file: RecordingFile) -> tuple[Path, ...]:
    """The tables that describe a recording."""
    companions = (file.channels_tsv, file.events_tsv, file.electrodes_tsv, file.coordsystem_json)
    return tuple(path for path in companions if path is not None)


def _with(start: str, content: dict[str, Any]) -> str:
    return hashlib.sha256((start + json.dumps(content, sort_keys=True, default=str)).encode()).hexdigest()
