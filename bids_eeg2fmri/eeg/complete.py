"""Check that a signal file holds the bytes that its own header promises."""

from __future__ import annotations

import re
import struct
from pathlib import Path

from ..errors import BadDataError, MissingInputError

_RECOPY = "Copy the file again from its origin, or export it again."
_BYTES_PER_VALUE = {"INT_16": 2, "UINT_16": 2, "INT_32": 4, "IEEE_FLOAT_32": 4}
_EDF_HEADER_BYTES = 256


def check_complete(path: Path) -> None:
    """Refuse a signal file that is absent, empty or shorter than its header says.

    Parameters
    ----------
    path
        Signal file; the data file that a BrainVision or EEGLAB header names is checked with it.

    Raises
    ------
    MissingInputError
        When a file is not there or may not be read.
    BadDataError
        When it is empty or truncated; the message gives both sizes.
    """
    _require_content(path)
    suffix = path.suffix.lower()
    if suffix == ".vhdr":
        _check_brainvision(path)
    elif suffix in (".edf", ".bdf"):
        _check_edf(path, bytes_per_value=3 if suffix == ".bdf" else 2)
    elif suffix == ".fif":
        _check_fif(path)


def _require_content(path: Path) -> None:
    if path.is_symlink() and not path.exists():
        raise MissingInputError(
            "The file is a link to content that is not here.", path=path, remedy="Fetch it first (datalad get)."
        )
    try:
        with path.open("rb") as stream:
            empty = not stream.read(1)
    except OSError as error:
        raise MissingInputError(
            f"The signal file cannot be read ({error.strerror}).",
            path=path,
            remedy="Fetch the file or correct its permissions.",
        ) from error
    if empty:
        raise BadDataError("The signal file is empty (0 bytes).", path=path, remedy=_RECOPY)


def _check_brainvision(header: Path) -> None:
    text = header.read_bytes().decode("utf-8", errors="replace")
    fields = dict(re.findall(r"^(\w+)=(.*?)\s*$", text.split("[Channel Infos]")[0], re.MULTILINE))
    try:
        name = fields["DataFile"].replace("$b", header.stem)
        n_channels = int(fields["NumberOfChannels"])
        bytes_per_value = _BYTES_PER_VALUE[fields.get("BinaryFormat", "INT_16")]
    except (KeyError, ValueError) as error:
        raise BadDataError(
            f"The BrainVision header has no usable {error.args[0]}.", path=header, remedy=_RECOPY
        ) from error
    data = header.parent / name
    _require_content(data)
    if fields.get("DataFormat", "BINARY").upper() != "BINARY":
        return
    n_samples, rest = divmod(data.stat().st_size, n_channels * bytes_per_value)
    promised = int(fields.get("DataPoints", n_samples))
    if n_samples < promised or rest:
        raise BadDataError(
            f"The data file is truncated: it holds {n_samples} samples of {n_channels} channels"
            + (f" and {rest} bytes more" if rest else "")
            + (f", the header says {promised}." if promised != n_samples else "."),
            path=data,
            remedy=_RECOPY,
        )


def _check_edf(path: Path, bytes_per_value: int) -> None:
    try:
        with path.open("rb") as stream:
            head = stream.read(_EDF_HEADER_BYTES)
            header_bytes, n_records, n_signals = int(head[184:192]), int(head[236:244]), int(head[252:256])
            stream.seek(_EDF_HEADER_BYTES + 216 * n_signals)
            per_record = sum(int(stream.read(8)) for _ in range(n_signals))
    except ValueError as error:
        raise BadDataError("The EDF or BDF header is damaged or cut short.", path=path, remedy=_RECOPY) from error
    size = path.stat().st_size
    record_bytes = per_record * bytes_per_value
    # A recording that was never closed has -1 records: then the size alone counts.
    needed = header_bytes + max(n_records, 1) * record_bytes
    if size < needed or record_bytes == 0:
        raise BadDataError(
            f"The file is truncated: {size} bytes, while its header promises {needed} ({n_records} data records).",
            path=path,
            remedy=_RECOPY,
        )


def _check_fif(path: Path) -> None:
    """Follow the chain of tags: each has 16 bytes (kind, type, size of its data, position of the next) and its data."""
    size = path.stat().st_size
    position, following = 0, 0
    with path.open("rb") as stream:
        while following >= 0 and position < size:
            stream.seek(position)
            head = stream.read(16)
            if len(head) < 16:
                break
            n_bytes, following = struct.unpack(">8xii", head)
            end = position + 16 + max(n_bytes, 0)
            if end > size:
                raise BadDataError(
                    f"The file is truncated: it has {size} bytes, while a part of it should end at byte {end}.",
                    path=path,
                    remedy=_RECOPY,
                )
            # A chain that does not go forward would never end: the reader will say what is wrong with it.
            if 0 < following <= position:
                break
            position = following if following > 0 else end
