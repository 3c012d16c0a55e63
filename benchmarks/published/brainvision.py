"""Open BrainVision files whose header names its companions by their old names, as files renamed for sharing do."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import mne

from bids_eeg2fmri.errors import BadDataError

from .bids_writing import require

_COMPANIONS = {"DataFile": (".eeg", ".dat"), "MarkerFile": (".vmrk",)}


def open_brainvision(header: Path) -> mne.io.BaseRaw:
    """Open a recording; companions that do not exist are looked for under the header's own name.

    The download is not changed: MNE-Python reads a corrected copy of the header.

    Raises
    ------
    MissingInputError
        A companion is missing under both names.
    BadDataError
        The files cannot be read.
    """
    text = require(header, "the header of the EEG").read_bytes()
    for key, extensions in _COMPANIONS.items():
        text = re.sub(rb"(?m)^" + key.encode() + rb"=([^\r\n]*)", partial(_corrected, header, key, extensions), text)
    with TemporaryDirectory() as folder:
        copy = Path(folder) / header.name
        copy.write_bytes(text)
        try:
            raw = mne.io.read_raw_brainvision(copy, verbose="error")
        except (ValueError, RuntimeError, OSError) as error:
            raise BadDataError(
                f"the EEG cannot be read ({error}).", path=header, remedy="Download it again."
            ) from error
    raw.set_channel_types({name: "ecg" for name in raw.ch_names if name.upper() in ("ECG", "EKG")}, verbose="error")
    return raw


def _corrected(header: Path, key: str, extensions: tuple[str, ...], match: re.Match[bytes]) -> bytes:
    """The line of a header that names a companion, with the path where it is."""
    stated = header.parent / match[1].decode("utf-8", "replace").strip()
    candidates = [stated, *(header.with_suffix(extension) for extension in extensions)]
    found = next((path for path in candidates if path.is_file()), candidates[1])
    return f"{key}={require(found, 'a file of the EEG').absolute()}".encode()
