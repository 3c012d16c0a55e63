"""Check that a signal file holds the bytes that its own header promises."""

from __future__ import annotations

import re
import struct
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..bids.brainvision import file_beside, header_fields, header_sections
from ..bids.content import require_content
from ..errors import BadDataError

_RECOPY = "Copy the file again from its origin, or export it again."
_PUT_BESIDE = "Put the file into the folder of the header, and name it there without a folder."
_BYTES_PER_VALUE = {"INT_16": 2, "UINT_16": 2, "INT_32": 4, "IEEE_FLOAT_32": 4}
_HEADER_BYTES = 4 * 2**20
_CHANNEL = re.compile(r"ch\d+")
# Programs that cut or join recordings sometimes keep the old number of samples.
_FEW_SAMPLES = 0.01
_EDF_HEADER_BYTES = 256
_BDF = b"\xff"


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
        When it is empty or truncated (the message gives both sizes), or its header contradicts itself or the file.
    """
    require_content(path)
    if path.stat().st_size == 0:
        raise _empty(path)
    suffix = path.suffix.lower()
    if suffix == ".vhdr":
        _check_brainvision(path)
    elif suffix in (".edf", ".bdf"):
        _check_edf(path)
    elif suffix == ".fif":
        _check_fif(path)


def _check_brainvision(header: Path) -> None:
    sections = _sections(header)
    fields = _fields(sections)
    channels = header_fields(sections.get("channel infos", ""))
    described = [value.partition(",")[0] for name, value in channels if _CHANNEL.fullmatch(name)]
    n_channels, bytes_per_value = _layout(header, fields, described)
    data = _data_file(header, fields.get("datafile", ""))
    markers = fields.get("markerfile", "")
    if markers and file_beside(markers, header.stem) is None:
        raise _unusable_header(header, f"names no marker file beside it (MarkerFile={markers[:80]})", _PUT_BESIDE)
    if fields.get("dataformat", "BINARY").upper() != "BINARY":
        return
    n_samples, rest = divmod(data.stat().st_size, n_channels * bytes_per_value)
    stated = _stated_samples(fields)
    promised = n_samples if stated is None else stated
    # With a channel after the other, the number says where each begins.
    tolerated = 0 if fields.get("dataorientation", "").upper() == "VECTORIZED" else _FEW_SAMPLES * promised
    if rest or abs(n_samples - promised) > tolerated:
        raise BadDataError(
            f"The data file is {'longer than its header says' if n_samples > promised else 'truncated'}: "
            f"it holds {n_samples} samples of {n_channels} channels"
            + (f" and {rest} bytes more" if rest else "")
            + (f", the header says {promised}." if promised != n_samples else "."),
            path=data,
            remedy=_RECOPY,
        )


def stated_samples(header: Path) -> int | None:
    """Number of samples that a BrainVision header states; ``None`` where it states none.

    Raises
    ------
    BadDataError
        The header is too long to be one.
    """
    return _stated_samples(_fields(_sections(header)))


def _stated_samples(fields: Mapping[str, str]) -> int | None:
    stated = fields.get("datapoints", "")
    # Zero is what programs write that do not know it yet.
    return int(stated) or None if stated.isdecimal() and len(stated) < 20 else None


def _sections(header: Path) -> dict[str, str]:
    with header.open("rb") as stream:
        content = stream.read(_HEADER_BYTES + 1)
    if len(content) > _HEADER_BYTES:
        raise _unusable_header(header, f"is longer than {_HEADER_BYTES // 2**20} MiB")
    return header_sections(content.decode("utf-8", errors="replace"))


def _fields(sections: Mapping[str, str]) -> dict[str, str]:
    return dict(header_fields(sections.get("common infos", "") + sections.get("binary infos", "")))


def _layout(header: Path, fields: dict[str, str], described: Sequence[str]) -> tuple[int, int]:
    """Number of channels and bytes per value, where the header does not contradict itself."""
    stated = fields.get("numberofchannels", "")
    if not stated.isdecimal() or stated.lstrip("0") != str(len(described)):
        problem = f"says NumberOfChannels={stated[:20] or 'nothing'} and describes {len(described)} channels"
        raise _unusable_header(header, problem)
    twice = [name for name, count in Counter(described).items() if count > 1]
    if twice:
        raise _unusable_header(header, f"names several channels {twice[0]!r}", "Give each channel a name of its own.")
    binary_format = fields.get("binaryformat", "INT_16")
    if binary_format not in _BYTES_PER_VALUE:
        raise _unusable_header(header, f"has the unknown BinaryFormat {binary_format[:20]!r}")
    if fields.get("usebigendianorder", "NO").upper() == "YES":
        problem = "says UseBigEndianOrder=YES, which cannot be read"
        raise _unusable_header(header, problem, "Export the values as little-endian.")
    return len(described), _BYTES_PER_VALUE[binary_format]


def _data_file(header: Path, value: str) -> Path:
    """The data file beside the header; one elsewhere belongs to somebody else."""
    name = file_beside(value, header.stem)
    if name is None:
        raise _unusable_header(header, f"names no data file beside it (DataFile={value[:80]})", _PUT_BESIDE)
    require_content(header.parent / name)
    if (header.parent / name).stat().st_size == 0:
        raise _empty(header.parent / name)
    return header.parent / name


def _empty(path: Path) -> BadDataError:
    return BadDataError("The signal file is empty (0 bytes).", path=path, remedy=_RECOPY)


def _unusable_header(header: Path, problem: str, remedy: str = _RECOPY) -> BadDataError:
    return BadDataError(f"The BrainVision header {problem}.", path=header, remedy=remedy)


def _check_edf(path: Path) -> None:
    try:
        with path.open("rb") as stream:
            head = stream.read(_EDF_HEADER_BYTES)
            header_bytes, n_records, n_signals = int(head[184:192]), int(head[236:244]), int(head[252:256])
            stream.seek(_EDF_HEADER_BYTES + 216 * n_signals)
            per_record = sum(int(stream.read(8)) for _ in range(n_signals))
    except ValueError as error:
        raise BadDataError("The EDF or BDF header is damaged or cut short.", path=path, remedy=_RECOPY) from error
    kind, bytes_per_value = (".bdf", 3) if head.startswith(_BDF) else (".edf", 2)
    if path.suffix.lower() != kind or header_bytes != _EDF_HEADER_BYTES * (1 + n_signals):
        problem = f"The header is that of a {kind} file with {n_signals} signals and {header_bytes} bytes of header."
        raise BadDataError(problem, path=path, remedy=_RECOPY)
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
