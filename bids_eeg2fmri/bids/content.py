"""The content of a dataset's files: it may still lie elsewhere (git-annex, DataLad), be too long, or be no text."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from ..errors import BadDataError, MissingInputError

MAX_TEXT_BYTES = 64 * 2**20
_POINTER = b"/annex/objects/"
# Half of a character that takes two escapes; JSON may hold one alone, no text file can.
_HALF = re.compile(r"\\u[dD][89a-fA-F]")


def require_target(path: Path) -> None:
    """Check, without opening it, that a file that is a link leads somewhere.

    Raises
    ------
    MissingInputError
        The file is a dangling annex link.
    """
    if path.is_symlink() and not path.exists():
        raise MissingInputError("the file is a link whose content is not here.", path=path, remedy=_fetch(path))


def require_content(path: Path) -> None:
    """Check that a file's content is present and readable.

    Raises
    ------
    MissingInputError
        The file is a dangling annex link, an annex pointer, a device or pipe, or cannot be opened.
    """
    require_target(path)
    try:
        # To open a pipe would wait for ever.
        if path.exists() and not path.is_file():
            raise MissingInputError("this is not a regular file.", path=path, remedy="Put the file itself there.")
        with path.open("rb") as stream:
            start = stream.read(len(_POINTER))
    except OSError as error:
        raise MissingInputError(
            f"the file cannot be opened ({error.strerror}).", path=path, remedy="Fetch it, or correct its permissions."
        ) from error
    if start == _POINTER:
        raise MissingInputError("the file is a git-annex pointer without its content.", path=path, remedy=_fetch(path))


def _fetch(path: Path) -> str:
    return f"Run `datalad get {path}` (or `git annex get`), then start again."


def read_text(path: Path) -> str:
    """Read a UTF-8 file, with or without a byte order mark, whatever ends its lines.

    Raises
    ------
    MissingInputError
        The content is not here.
    BadDataError
        Not UTF-8, or longer than 64 MiB.
    """
    require_content(path)
    with path.open("rb") as stream:
        content = stream.read(MAX_TEXT_BYTES + 1)
    if len(content) > MAX_TEXT_BYTES:
        raise BadDataError(
            f"the file is longer than {MAX_TEXT_BYTES // 2**20} MiB, which no table or sidecar is.",
            path=path,
            remedy="Check that it is the right file.",
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadDataError(
            f"not UTF-8 text (byte {error.start}).", path=path, remedy="Save the file as UTF-8."
        ) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_json_object(path: Path) -> dict[str, Any]:
    """Read a JSON file that holds one object.

    Raises
    ------
    MissingInputError
        The content is not here.
    BadDataError
        Not UTF-8, not JSON (with line and column), or not an object.
    """
    text = read_text(path)
    try:
        content = json.loads(text)
        if _HALF.search(text):
            json.dumps(content, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        problem = f"broken JSON at line {error.lineno}, column {error.colno}: {error.msg}"
    except (ValueError, RecursionError) as error:
        # A number of thousands of digits, half a character, or brackets in brackets without end.
        problem = f"this JSON cannot be used ({error})"
    else:
        if isinstance(content, dict):
            return content
        problem = f"the JSON holds a {type(content).__name__}, not an object"
    raise BadDataError(f"{problem}.", path=path, remedy="Correct the file.")
