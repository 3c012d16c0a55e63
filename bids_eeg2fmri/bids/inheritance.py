"""Sidecars and tables of a recording by the BIDS inheritance principle.

A file applies to a recording when it lies in one of the folders between the dataset's root and the
recording, and every entity of its name is also in the recording's, with the same value.
https://bids-specification.readthedocs.io/en/stable/common-principles.html#the-inheritance-principle
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .bids_name import BidsName, parse_name
from .content import read_json_object, require_content

# What a raw sidecar says about its own file is not true of a file cleaned from it.
_OF_THE_FILE_ITSELF = {"SamplingFrequency", "RecordingDuration", "RecordingType", "EpochLength", "SoftwareFilters"}

# Coordinate systems in the order of preference, when electrodes are given in several.
_SPACES = ("CapTrak", "EEGLAB", "EEGLAB-HJ", "CTF", None)


class Companions:
    """Looks up the files that describe recordings, remembering folder listings.

    Parameters
    ----------
    raw_root
        Root of the raw dataset, whose companions also serve recordings of derivatives.
    """

    def __init__(self, raw_root: Path) -> None:
        self._raw_root = raw_root
        self._listings: dict[Path, tuple[tuple[Path, BidsName], ...]] = {}

    def metadata(self, recording: Path, root: Path, suffix: str = "eeg") -> dict[str, Any]:
        """The ``_<suffix>.json`` metadata of a recording, merged: the nearest value wins.

        Raises
        ------
        BadDataError, MissingInputError
            A sidecar is broken or not here.
        """
        merged: dict[str, Any] = {}
        for dataset in reversed(self._roots(root)):
            for level in self._levels(dataset, root, recording):
                for path, _ in self._applicable(level, recording, suffix, ".json"):
                    merged |= read_json_object(path)
            if dataset != root:
                merged = {key: value for key, value in merged.items() if key not in _OF_THE_FILE_ITSELF}
        return merged

    def table(self, recording: Path, root: Path, suffix: str) -> Path | None:
        """The nearest ``_<suffix>.tsv``, or ``None``.

        Raises
        ------
        MissingInputError
            The table is an annex link whose content is not here.
        """
        found = [path for path, _ in self._nearest(recording, root, suffix, ".tsv")]
        return _present(found[-1] if found else None)

    def electrodes(self, recording: Path, root: Path) -> tuple[Path | None, Path | None]:
        """The nearest ``_electrodes.tsv`` and the ``_coordsystem.json`` of the same space.

        Raises
        ------
        MissingInputError
            One of them is an annex link whose content is not here.
        """
        tables = self._nearest(recording, root, "electrodes", ".tsv", spaces=True)
        if not tables:
            return None, None
        table, name = min(reversed(tables), key=lambda pair: _preference(pair[1].entities.get("space")))
        space = name.entities.get("space")
        systems = self._nearest(recording, root, "coordsystem", ".json", spaces=True)
        same_space = [path for path, other in systems if other.entities.get("space") == space]
        return _present(table), _present(same_space[-1] if same_space else None)

    def parts(self, recording: Path) -> list[Path]:
        """The other files of a recording, such as a header's signals."""
        return [
            path for path, _ in self._listing(recording.parent) if path.stem == recording.stem and path != recording
        ]

    def _roots(self, root: Path) -> tuple[Path, ...]:
        return (root,) if root == self._raw_root else (root, self._raw_root)

    @staticmethod
    def _levels(dataset: Path, root: Path, recording: Path) -> tuple[Path, ...]:
        """Folders from the dataset's root down to where the recording is, or would be."""
        relative = recording.parent.relative_to(root)
        return tuple(dataset / parent for parent in (*reversed(relative.parents), relative))

    def _nearest(
        self, recording: Path, root: Path, suffix: str, extension: str, spaces: bool = False
    ) -> list[tuple[Path, BidsName]]:
        """Applicable files of the nearest level that has any, the most specific last."""
        for dataset in self._roots(root):
            for level in reversed(self._levels(dataset, root, recording)):
                if found := self._applicable(level, recording, suffix, extension, spaces):
                    return found
        return []

    def _applicable(
        self, folder: Path, recording: Path, suffix: str, extension: str, spaces: bool = False
    ) -> list[tuple[Path, BidsName]]:
        name = parse_name(recording.name)
        own = set() if name is None else set(name.entities.items())
        found = [
            (path, candidate)
            for path, candidate in self._listing(folder)
            if candidate.suffix == suffix
            and candidate.extension == extension
            and {(k, v) for k, v in candidate.entities.items() if not (spaces and k == "space")} <= own
        ]
        return sorted(found, key=lambda pair: (len(pair[1].entities), pair[0].name))

    def _listing(self, folder: Path) -> tuple[tuple[Path, BidsName], ...]:
        if folder not in self._listings:
            paths = sorted(folder.iterdir()) if folder.is_dir() else []
            parsed = [(path, parse_name(path.name)) for path in paths]
            self._listings[folder] = tuple((path, name) for path, name in parsed if name is not None)
        return self._listings[folder]


def _preference(space: str | None) -> int:
    return _SPACES.index(space) if space in _SPACES else len(_SPACES)


def _present(path: Path | None) -> Path | None:
    if path is not None:
        require_content(path)
    return path
