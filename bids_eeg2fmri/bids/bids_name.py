"""The parts of a BIDS file name."""

from __future__ import annotations

from dataclasses import dataclass


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


def parse_name(name: str) -> BidsName | None:
    """Take a file name apart.

    Returns
    -------
    BidsName or None
        ``None`` when the name does not follow ``[entity-value_]...suffix.extension``.
    """
    stem, dot, extension = name.partition(".")
    *pairs, suffix = stem.split("_")
    split = [pair.partition("-") for pair in pairs]
    if not suffix or "-" in suffix or not dot or not all(key and value for key, _, value in split):
        return None
    return BidsName({key: value for key, _, value in split}, suffix, dot + extension)
