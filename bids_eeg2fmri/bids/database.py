"""Recordings from a pybids database, for those who keep one (``--bids-database-dir``)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from ..errors import UsageError

_NOT_EEG = re.compile(r"/(code|derivatives|sourcedata|stimuli|models|anat|beh|dwi|fmap|func|ieeg|meg|perf|pet)(/|$)")


def files_in_database(root: Path, database_dir: Path, subjects: Sequence[str], extensions: Sequence[str]) -> list[Path]:
    """Files of the ``eeg`` folders of some people, as the database knows them.

    A database that does not exist yet is made, for the whole dataset and without metadata.

    Raises
    ------
    UsageError
        The database cannot be read, or was made for another dataset.
    """
    from bids import BIDSLayout, BIDSLayoutIndexer

    indexer = BIDSLayoutIndexer(validate=False, index_metadata=False, ignore=[_NOT_EEG])
    try:
        layout = BIDSLayout(root, validate=False, database_path=database_dir, indexer=indexer)
        found = layout.get(subject=list(subjects), datatype="eeg", extension=list(extensions), return_type="filename")
    except Exception as error:
        # pybids raises many kinds here, from SQLAlchemy's to its own.
        raise _unusable(database_dir, f"the database cannot be used ({error}).") from error
    paths = [Path(path) for path in found]
    if any(not path.is_relative_to(root) or ".." in path.parts for path in paths):
        raise _unusable(database_dir, f"the database was made for a dataset elsewhere, not for {root}.")
    return paths


def _unusable(database_dir: Path, problem: str) -> UsageError:
    remedy = "Give another --bids-database-dir, or leave it out: finding EEG takes no index."
    return UsageError(problem, path=database_dir, remedy=remedy)
