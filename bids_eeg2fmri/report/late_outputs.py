"""Files that came to a recording after its figures were drawn: its page lists them, too."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from ..derivatives.atomic import write_json
from .figure_paths import summary_path


def list_late_outputs(stem: str, output_dir: Path, paths: Iterable[Path]) -> None:
    """Add files to the list of a recording's outputs; a recording without figures has no such list.

    Parameters
    ----------
    stem
        Entities of the recording's output names.
    output_dir
        Root of the derivatives.
    paths
        The new files; size and digest are looked up when the page is made.

    Raises
    ------
    WriteError, OutputError
        The list cannot be written.
    """
    path = output_dir / summary_path(stem)
    # A page that cannot be read is the report's to complain of.
    with suppress(OSError, ValueError, KeyError, TypeError):
        summary = json.loads(path.read_text("utf-8"))
        late = [each.relative_to(output_dir).as_posix() for each in paths]
        files = [entry for entry in summary["panels"]["outputs"]["files"] if entry["path"] not in late]
        files += [{"path": name, "bytes": None, "sha256": None} for name in late]
        summary["panels"]["outputs"]["files"] = files
        write_json(path, summary)
