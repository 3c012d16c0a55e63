"""What a benchmark prints: Markdown that the documents include as it is."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from .machine import describe_machine


def page(title: str, command: str, *parts: str, why_not_run: str = "takes minutes and a quiet machine") -> str:
    """A section of the documents: heading of level 2, the command it comes from, the machine, and the parts given."""
    origin = f"<!-- not run: {why_not_run} -->\n```bash\n{command}\n```"
    return "\n\n".join([f"## {title}", origin, f"Measured on {describe_machine()}.", *parts]) + "\n"


def given_command() -> str:
    """How this process was started, for :func:`page`."""
    return shlex.join(["python", *sys.orig_argv[1:]])


def save(text: str, path: Path | None) -> None:
    """Print a page, and write it if there is a file for it."""
    print(text)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
