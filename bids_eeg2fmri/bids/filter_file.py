"""The ``--bids-filter-file``: a JSON of queries, of which ``eeg`` and ``bold`` are ours.

The values mean what they mean to fMRIPrep and XCP-D: ``null`` is "entity absent", ``"*"`` is "any
value, but present", a list is "any of these".
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import BadDataError, UsageError
from .bids_name import BidsName
from .content import read_json_object

_SHORT = {
    "subject": "sub",
    "session": "ses",
    "task": "task",
    "acquisition": "acq",
    "run": "run",
    "processing": "proc",
    "space": "space",
    "recording": "recording",
    "split": "split",
    "description": "desc",
    "ceagent": "ce",
    "reconstruction": "rec",
    "direction": "dir",
    "echo": "echo",
    "part": "part",
    "resolution": "res",
    "datatype": "datatype",
    "suffix": "suffix",
    "extension": "extension",
}


@dataclass(frozen=True)
class FileFilter:
    """Conditions on the files of a query; no condition lets everything pass.

    Attributes
    ----------
    datatype
        Folder that the files of the query lie in.
    rules
        Accepted values by short entity name (or ``datatype``, ``suffix``, ``extension``);
        ``None`` accepts absence, ``"*"`` any value.
    """

    datatype: str
    rules: dict[str, tuple[str | None, ...]] = field(default_factory=dict)

    def accepts(self, name: BidsName) -> bool:
        """Whether a file of the datatype passes every condition."""
        found = {**name.entities, "datatype": self.datatype, "suffix": name.suffix, "extension": name.extension}
        return all(
            any(_same(entity, wanted, found.get(entity)) for wanted in values) for entity, values in self.rules.items()
        )


@dataclass(frozen=True)
class FilterFile:
    """The queries of a filter file.

    Attributes
    ----------
    eeg, bold
        Conditions on EEG recordings, and on the measured BOLD that is paired with them.
    ignored
        One sentence for each query or key of the file that is not understood.
    """

    eeg: FileFilter = FileFilter("eeg")
    bold: FileFilter = FileFilter("func")
    ignored: tuple[str, ...] = ()


def same_run(one: str, other: str) -> bool:
    """Whether two run indices are equal as numbers: ``1`` is ``01``."""
    if one.isdecimal() and other.isdecimal():
        one, other = one.lstrip("0"), other.lstrip("0")
    return one == other


def _same(entity: str, wanted: str | None, value: str | None) -> bool:
    if wanted is None or value is None:
        return wanted is value
    if wanted == "*":
        return True
    if entity == "run":
        return same_run(wanted.removeprefix("run-"), value)
    if entity == "extension":
        return wanted.removeprefix(".") == value.removeprefix(".")
    return wanted.removeprefix(f"{entity}-") == value


def read_filter_file(path: Path | None) -> FilterFile:
    """Read the ``eeg`` and ``bold`` queries of a filter file.

    Raises
    ------
    MissingInputError
        The file cannot be read.
    UsageError
        Not JSON (with line and column), or a query or value of the wrong kind.
    """
    if path is None:
        return FilterFile()
    try:
        queries = read_json_object(path)
    except BadDataError as error:
        raise UsageError(error.problem, path=path, remedy=error.remedy) from error
    known = {"eeg": "eeg", "bold": "func"}
    ignored = [
        f"{path}: the query {name!r} is not used here; only 'eeg' and 'bold' are."
        for name in queries
        if name not in known
    ]
    filters = {}
    for query, datatype in known.items():
        rules, unknown = _rules(path, query, queries.get(query, {}))
        filters[query] = FileFilter(datatype, rules)
        ignored += [
            f"{path}: the key {key!r} of the query {query!r} is unknown and ignored. Known: {', '.join(_SHORT)}."
            for key in unknown
        ]
    return FilterFile(**filters, ignored=tuple(ignored))


def _rules(path: Path, name: str, query: Any) -> tuple[dict[str, tuple[str | None, ...]], list[str]]:
    """Accepted values by short name, and the keys that are not understood."""
    if not isinstance(query, dict):
        example = json.dumps({name: {"task": "rest"}})
        raise UsageError(f"the query {name!r} must be an object.", path=path, remedy=f"Write {example}.")
    rules: dict[str, tuple[str | None, ...]] = {}
    unknown = []
    for key, value in query.items():
        entity = _SHORT.get(str(key), str(key))
        if entity in _SHORT.values():
            rules[entity] = _accepted_values(path, key, value)
        else:
            unknown.append(str(key))
    return rules, unknown


def _accepted_values(path: Path, key: str, value: Any) -> tuple[str | None, ...]:
    values = value if isinstance(value, list) else [value]
    for item in values:
        if item is not None and (isinstance(item, bool) or not isinstance(item, str | int)):
            raise UsageError(
                f"the value of {key!r} must be text, a whole number, null or a list of these, not {item!r}.", path=path
            )
    return tuple(None if item is None else str(item) for item in values)
