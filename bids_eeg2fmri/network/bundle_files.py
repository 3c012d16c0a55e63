"""The files of a model bundle, checked without loading what computes with them."""

from __future__ import annotations

import hashlib
import re
from importlib.resources import files
from pathlib import Path
from types import NoneType
from typing import Any, get_args

from ..bids.content import read_json_object
from ..errors import BadDataError, MissingInputError
from ..settings import NetworkName

FORMAT = "bids-eeg2fmri-bundle/1"
WEIGHTS, DESCRIPTION = "model.safetensors", "model.json"
_NETWORKS = get_args(NetworkName)
_LATEST_START_S = 1e6
_NEWER = re.compile(r"(bids-eeg2fmri-bundle/\d{1,9})")
_NEEDED = {
    **dict.fromkeys(("format", "network", "name", "version", "sha256"), str),
    **{"hyperparameters": dict, "training.datasets": list, "targets.start_time_s": int | float},
}
_OPTIONAL = dict.fromkeys(("training.people", "calibration", "scores"), dict)


def bundled_models() -> tuple[str, ...]:
    """Names of the models that ship with the package."""
    folder = files("bids_eeg2fmri.assets") / "models"
    return tuple(sorted(item.name for item in folder.iterdir() if item.is_dir() and not item.name.startswith("_")))


def find_bundle(name_or_folder: str) -> Path:
    """Folder of a bundled model or of the user's own.

    Raises
    ------
    MissingInputError
        Neither a bundled name nor a folder with a ``model.json``.
    """
    if name_or_folder in bundled_models():
        return Path(str(files("bids_eeg2fmri.assets") / "models" / name_or_folder))
    folder = Path(name_or_folder)
    if not _is_file(folder / DESCRIPTION):
        raise MissingInputError(
            f"no model {name_or_folder!r}.",
            path=folder,
            remedy=f"Give the folder of a bundle (with model.json), or one of: {', '.join(bundled_models())}.",
        )
    return folder


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    # A name may be too long to ask for.
    except OSError:
        return False


def checked_bundle(name_or_folder: str) -> tuple[Path, dict[str, Any]]:
    """Folder and description of a bundle whose weights are the ones that the description speaks of.

    Raises
    ------
    MissingInputError
        There is no such bundle.
    BadDataError
        The bundle is incomplete or corrupt, or made for another network or format.
    """
    folder = find_bundle(name_or_folder)
    metadata = _read_metadata(folder / DESCRIPTION)
    weights = folder / WEIGHTS
    if not weights.is_file():
        raise BadDataError(f"the bundle has no {WEIGHTS}.", path=folder, remedy="Copy the whole folder again.")
    if file_sha256(weights) != metadata["sha256"]:
        raise BadDataError(
            "the weights are not the ones model.json describes (sha256 differs).",
            path=weights,
            remedy="The file is corrupt or was replaced: copy the bundle again.",
        )
    return folder, metadata


def file_sha256(path: Path) -> str:
    """Digest of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _read_metadata(path: Path) -> dict[str, Any]:
    try:
        metadata = read_json_object(path)
    except BadDataError as error:
        raise BadDataError(error.problem, path=path, remedy="Copy the bundle again.") from error
    newer = _NEWER.fullmatch(str(metadata.get("format")))
    if newer is not None and metadata["format"] != FORMAT:
        raise BadDataError(
            f"the bundle has the format {newer.group(1)}; this version of the program knows {FORMAT}.",
            path=path,
            remedy="Use the version of bids-eeg2fmri that made it, or a newer one.",
        )
    missing = [name for name in _NEEDED if _entry(metadata, name) is None]
    if missing or metadata["format"] != FORMAT or str(metadata["network"]) not in _NETWORKS:
        what = f"lacks {', '.join(missing)}" if missing else f"is {metadata['format']} {metadata['network']}"
        needed = f"Needed: {FORMAT}, {' or '.join(_NETWORKS)}."
        raise BadDataError(f"not a bundle of this program (it {what}).", path=path, remedy=needed)
    kinds = {**_NEEDED, **_OPTIONAL}
    wrong = [name for name, kind in kinds.items() if not isinstance(_entry(metadata, name), (kind, NoneType))]
    if not wrong and not abs(metadata["targets"]["start_time_s"]) <= _LATEST_START_S:
        wrong = ["targets.start_time_s"]
    if wrong:
        raise BadDataError(
            f"the description's {wrong[0]} is {_entry(metadata, wrong[0])!r:.80}.",
            path=path,
            remedy="Copy the bundle again.",
        )
    return metadata


def _entry(metadata: Any, name: str) -> Any:
    """An entry of nested objects, named by its keys with dots between them; ``None`` where there is none."""
    for key in name.split("."):
        if not isinstance(metadata, dict) or key not in metadata:
            return None
        metadata = metadata[key]
    return metadata
