"""The ``--bids-filter-file``: a JSON of queries, of which ``eeg`` is ours.

The values mean what they mean to fMRIPrep and XCP-D: ``null`` is "entity absent", ``"*"`` is "any
value, but present", a list is "any of these".
"""

from __future__ import annotations

from dataclasses import dataclass
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
    "datatype": "datatype",
    "suffix": "suffix",
    "extension": "extension",
}


@dataclass(frozen=True)
class EegFilter:
    """Conditions on the files of a query; no condition lets everything pass.

    Attributes
    ----------
    rules
        Accepted values by short entity name (or ``datatype``, ``suffix``, ``extension``);
        ``None`` accepts absence, ``"*"`` any value.
    ignored
        One sentence for each query or key of the file that is not understood.
    """

    rules: dict[str, tuple[str | None, ...]]
    ignored: tuple[str, ...] = ()

    def accepts(self, name: BidsName) -> bool:
        """Whether a signal file passes every condition."""
        found = {**name.entities, "datatype": "eeg", "suffix": name.suffix, "extension": name.extension}
        return all(
            any(_same(entity, wanted, found.get(entity)) for wanted in values) for entity, values in self.rules.items()
        )


def same_run(one: str, other: str) -> bool:
    """Whether two run indices are equal as numbers: ``1`` is ``01``."""
    return int(one) == int(other) if one.isdecimal() and other.isdecimal() else one == other


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


def read_filter_file(path: Path | None) -> EegFilter:
    """Read the ``eeg`` query of a filter file.

    Raises
    ------
    MissingInputError
        The file cannot be read.
    UsageError
        Not JSON (with line and column), or a query or value of the wrong kind.
    """
    if path is None:
        return EegFilter({})
    try:
        queries = read_json_object(path)
    except BadDataError as error:
        raise UsageError(error.problem, path=path, remedy=error.remedy) from error
    ignored = [f"{path}: the query {name!r} is not used here; only 'eeg' is." for name in queries if name != "eeg"]
    query: Any = queries.get("eeg", {})
    if not isinstance(query, dict):
        raise UsageError("the query 'eeg' must be an object.", path=path, remedy='Write {"eeg": {"task": "rest"}}.')
    rules: dict[str, tuple[str | None, ...]] = {}
    for key, value in query.items():
        entity: str = _SHORT.get(str(key), str(key))
        if entity in _SHORT.values():
            rules[entity] = _accepted_values(path, key, value)
        else:
            ignored.append(f"{path}: the key {key!r} is unknown and ignored. Known: {', '.join(_SHORT)}.")
    return EegFilter(rules, tuple(ignored))


def _accepted_values(path: Path, key: str, value: Any) -> tuple[str | None, ...]:
    values = value if isinstance(value, list) else [value]
    for item in values:
        if item is not None and (isinstance(item, bool) or not isinstance(item, str | int)):
            raise UsageError(
                f"the value of {key!r} must be text, a whole number, null or a list of these, not {item!r}.", path=path
            )
    return tuple(None if item is None else str(item) for item in values)
