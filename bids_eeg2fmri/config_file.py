"""Options from a TOML file, understood exactly as the command line understands them."""

from __future__ import annotations

import argparse
import tomllib
from pathlib import Path
from typing import Any

from .errors import UsageError
from .settings import OPTION_OF_FIELD

# Reading keys of many dotted parts takes a time that grows with the square of their length.
_MAX_BYTES = 2**14
_NOT_IN_A_FILE = {"help", "version", "config_file"}


def read_config_file(path: Path, parser: argparse.ArgumentParser) -> dict[str, Any]:
    """Options of a TOML file, by the names they have in the parser's namespace.

    Keys are option names with dashes or underscores; positional arguments may be there too.

    Raises
    ------
    UsageError
        The file is missing or not TOML, a key is unknown, or a value does not fit its option.
    """
    try:
        with path.open("rb") as stream:
            text = stream.read(_MAX_BYTES + 1)
        if len(text) > _MAX_BYTES:
            raise UsageError(f"longer than the {_MAX_BYTES // 2**10} KiB that options may take.", path=path)
        content = tomllib.loads(text.decode("utf-8"))
    except OSError as error:
        raise UsageError(f"the configuration file cannot be read ({error.strerror}).", path=path) from error
    # Besides its own error, brackets in brackets without end and numbers of thousands of digits.
    except (ValueError, RecursionError) as error:
        raise UsageError(f"not TOML: {error}.", path=path) from error
    actions = {_key(action): action for action in parser._actions if action.dest not in _NOT_IN_A_FILE}
    values = {}
    for key, value in content.items():
        action = actions.get(key.replace("-", "_"))
        if action is None:
            raise UsageError(f"unknown key {key!r}.", path=path, remedy=f"Known: {', '.join(sorted(actions))}.")
        try:
            values[action.dest] = _convert(action, value)
        except (argparse.ArgumentTypeError, ValueError) as error:
            raise UsageError(f"key {key!r}: {error}.", path=path) from error
    return values


def _key(action: argparse.Action) -> str:
    return OPTION_OF_FIELD.get(action.dest, action.dest)


def _convert(action: argparse.Action, value: Any) -> Any:
    if isinstance(action, argparse.BooleanOptionalAction):
        if not isinstance(value, bool):
            raise ValueError(f"true or false is expected, not {value!r}")
        return value
    if action.nargs in ("+", "*"):
        if isinstance(value, dict):
            value = [f"{name}={item}" for name, item in value.items()]
        return [_convert_one(action, item) for item in (value if isinstance(value, list) else [value])]
    return _convert_one(action, value)


def _convert_one(action: argparse.Action, value: Any) -> Any:
    if isinstance(value, bool | list | dict) or "\0" in str(value):
        raise ValueError(f"{value!r} does not fit")
    if action.nargs == 0:
        if not isinstance(value, int):
            raise ValueError(f"{value!r} is not a whole number")
        return value
    converted = action.type(str(value)) if callable(action.type) else str(value)
    if action.choices is not None and converted not in action.choices:
        raise ValueError(f"{value!r} is not one of {', '.join(action.choices)}")
    return converted
