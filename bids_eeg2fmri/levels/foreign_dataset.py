"""Another dataset's folder is no place for our output."""

from __future__ import annotations

import json
from pathlib import Path

from ..errors import OutputError


def refuse_foreign_dataset(output_dir: Path) -> None:
    """Refuse a folder with another dataset's description, which once overwritten would be lost.

    Raises
    ------
    OutputError
        The description was not made by this program, or cannot be understood.
    """
    path = output_dir / "dataset_description.json"
    try:
        makers = json.loads(path.read_text(encoding="utf-8"))["GeneratedBy"]
        ours = any(maker.get("Name") == "bids_eeg2fmri" for maker in makers)
    except OSError:
        return
    except (ValueError, KeyError, TypeError, AttributeError):
        ours = False
    if not ours:
        raise OutputError("the output directory is another dataset.", path=path, remedy="Give a folder of its own.")
