"""Whether a folder is a BIDS dataset, and whom it holds."""

from __future__ import annotations

from pathlib import Path

from ..errors import BadDataError, InvalidDatasetError
from .bids_name import is_text
from .content import read_json_object

_SKIP = "Correct it (see `bids-validator-deno`), or pass --skip-bids-validation."


def subjects_in(root: Path) -> tuple[str, ...]:
    """Labels of the ``sub-*`` folders of a dataset, sorted."""
    folders = (folder for folder in root.glob("sub-?*") if folder.is_dir() and is_text(folder.name))
    return tuple(sorted(folder.name.removeprefix("sub-") for folder in folders))


def validate_dataset(root: Path) -> None:
    """Check what this program relies on; the full rules are the BIDS validator's.

    Raises
    ------
    InvalidDatasetError
        No or a broken ``dataset_description.json``, or no ``sub-*`` folder.
    MissingInputError
        The description is an annex link whose content is not here.
    """
    path = root / "dataset_description.json"
    if not path.is_symlink() and not path.exists():
        raise InvalidDatasetError(
            "not a BIDS dataset: dataset_description.json is missing.",
            path=root,
            remedy="Give the root of the dataset, or pass --skip-bids-validation.",
        )
    try:
        description = read_json_object(path)
    except BadDataError as error:
        raise InvalidDatasetError(error.problem, path=path, remedy=_SKIP) from error
    missing = [key for key in ("Name", "BIDSVersion") if not description.get(key)]
    if missing:
        raise InvalidDatasetError(f"{' and '.join(missing)} must be given.", path=path, remedy=_SKIP)
    if not subjects_in(root):
        raise InvalidDatasetError(
            "no sub-* folder.", path=root, remedy="Give the root of the dataset, not a folder inside it."
        )
