"""Files whose name is there while their content may still lie elsewhere (git-annex, DataLad)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..errors import BadDataError, MissingInputError

_POINTER = b"/annex/objects/"


def require_content(path: Path) -> None:
    """Check that a file's content is present and readable.

    Raises
    ------
    MissingInputError
        The file is a dangling annex link, an annex pointer, or cannot be opened.
    """
    fetch = f"Run `datalad get {path}` (or `git annex get`), then start again."
    if path.is_symlink() and not path.exists():
        raise MissingInputError("the file is a link whose content is not here.", path=path, remedy=fetch)
    try:
        with path.open("rb") as stream:
            start = stream.read(len(_POINTER))
    except OSError as error:
        raise MissingInputError(
            f"the file cannot be opened ({error.strerror}).", path=path, remedy="Check that it exists and is readable."
        ) from error
    if start == _POINTER:
        raise MissingInputError("the file is a git-annex pointer without its content.", path=path, remedy=fetch)


def read_json_object(path: Path) -> dict[str, Any]:
    """Read a JSON file that holds one object.

    Raises
    ------
    MissingInputError
        The content is not here.
    BadDataError
        Not UTF-8, not JSON (with line and column), or not an object.
    """
    require_content(path)
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except json.JSONDecodeError as error:
        raise BadDataError(
            f"broken JSON at line {error.lineno}, column {error.colno}: {error.msg}.",
            path=path,
            remedy="Correct the file.",
        ) from error
    except UnicodeDecodeError as error:
        raise BadDataError(
            f"not UTF-8 text (byte {error.start}).", path=path, remedy="Save the file as UTF-8."
        ) from error
    if not isinstance(content, dict):
        raise BadDataError(
            f"the JSON holds a {type(content).__name__}, not an object.", path=path, remedy="Correct the file."
        )
    return content
