"""Shell blocks of the documents, and how each says that it is tested.

A block stands for itself: a test runs it. What cannot be run so carries one of these marks in the line before it:

``<!-- dry run: why -->``
    A test runs it with ``--dry-run``.
``<!-- run by FILE: words -->``
    The file runs it; the words stand in that file.
``<!-- not run: why -->``
    Nothing runs it. Its options are parsed all the same.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
_BLOCK = re.compile(
    r"(?:^<!-- (?P<mark>dry run|not run|run by (?P<file>\S+)): (?P<words>[^\n]+) -->\n+)?"
    r"^```(?P<language>bash|sh|shell|console)\n(?P<text>.*?)^```",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Block:
    """A block of shell commands of a page.

    Attributes
    ----------
    page, line
        Where it stands.
    text
        Its commands.
    mark
        ``""`` (run as it is), ``"dry run"``, ``"not run"`` or ``"run by"``.
    words
        Why, or what stands in ``file``.
    file
        Who runs it.
    """

    page: Path
    line: int
    text: str
    mark: str
    words: str
    file: str

    def __str__(self) -> str:
        return f"{self.page.stem}:{self.line}"


def blocks() -> list[Block]:
    """All shell blocks of all pages."""
    found = []
    for page in PAGES:
        text = page.read_text("utf-8")
        for match in _BLOCK.finditer(text):
            mark, file = match["mark"] or "", match["file"] or ""
            line = text.count("\n", 0, match.start("text"))
            found.append(Block(page, line, match["text"], mark.removesuffix(f" {file}"), match["words"] or "", file))
    return found


def commands(script: str, folder: Path, programs: tuple[str, ...]) -> list[list[str]]:
    """What a shell would start: the script is run in ``folder``, where the programs only note how they were called.

    Raises
    ------
    subprocess.CalledProcessError
        If the script fails, for example because it calls any other program.
    """
    stubs, noted = folder / "stubs", folder / "noted"
    stubs.mkdir(exist_ok=True)
    noted.write_text("")
    for program in programs:
        stub = stubs / program
        stub.write_text(f"#!/bin/bash\nprintf '%s\\0' \"$(($# + 1))\" {program} \"$@\" >> '{noted}'\n")
        stub.chmod(0o755)
    shell = ["/bin/bash", "-euo", "pipefail", "-c", script]
    subprocess.run(shell, cwd=folder, env={"PATH": str(stubs)}, check=True, capture_output=True, text=True)
    words = noted.read_text("utf-8").split("\0")[:-1]
    called = []
    while words:
        count = int(words[0])
        called.append(words[1 : count + 1])
        words = words[count + 1 :]
    return called
