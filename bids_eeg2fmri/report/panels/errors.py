"""The crash files that concern a person."""

from __future__ import annotations

from pathlib import Path
from typing import Any

_LONGEST = 20_000


def collect_errors(output_dir: Path, subject: str, run_id: str | None) -> list[dict[str, Any]]:
    """Crash files of a person under ``logs/``, the newest first.

    Parameters
    ----------
    output_dir
        Root of the derivatives.
    subject
        Label without ``sub-``.
    run_id
        Only the files of this run of the program; ``None`` for all of them.
    """
    folder = "*" if run_id is None else run_id
    exact = list((output_dir / "logs").glob(f"{folder}/crash-sub-{subject}.txt"))
    crashes = [*exact, *(output_dir / "logs").glob(f"{folder}/crash-sub-{subject}_*.txt")]
    newest_first = sorted(crashes, key=lambda path: (-path.stat().st_mtime, path.name))
    return [
        {
            "path": path.relative_to(output_dir).as_posix(),
            "text": path.read_text("utf-8", errors="replace")[-_LONGEST:],
        }
        for path in newest_first
    ]
