"""The parts of a BIDS file name."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from pathlib import Path

_NAME_BYTES = 255


@dataclass(frozen=True)
class BidsName:
    """A file name, taken apart.

    Attributes
    ----------
    entities
        Short entity names (``sub``, ``task``...) and their values, in the order of the name.
    suffix
        The last part of the stem, such as ``eeg`` or ``channels``.
    extension
        Everything from the first dot on, dot included.
    """

    entities: dict[str, str]
    suffix: str
    extension: str


def is_text(name: str) -> bool:
    """Whether the bytes of a file name are UTF-8; others can be written into no table, sidecar or log."""
    return not any("\ud800" <= character <= "\udfff" for character in name)


def is_file_name(name: str) -> bool:
    """Whether this can be the name of a file in the folder of the file that mentions it."""
    return Path(name).name == name != "" and "\0" not in name and len(name.encode(errors="replace")) <= _NAME_BYTES


def is_label(value: str) -> bool:
    """Whether an entity's value consists of letters and digits, of any script, and ``+``."""
    # Some file systems take letters with accents apart.
    return unicodedata.normalize("NFC", value).replace("+", "").isalnum()


def parse_name(name: str) -> BidsName | None:
    """Take a file name apart.

    Returns
    -------
    BidsName or None
        ``None`` when the name does not follow ``[entity-value_]...suffix.extension``, or is no text.
    """
    stem, dot, extension = name.partition(".")
    *pairs, suffix = stem.split("_")
    split = [pair.partition("-") for pair in pairs]
    if not is_text(name) or not suffix or "-" in suffix or not dot or not all(key and value for key, _, value in split):
        return None
    return BidsName({key: value for key, _, value in split}, suffix, dot + extension)
