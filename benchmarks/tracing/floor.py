"""What no program could spare: reading the signals, and compressing the numbers of the images."""

from __future__ import annotations

import gzip
import tempfile
from contextlib import ExitStack
from pathlib import Path

import mne
from isal import igzip_threaded

from benchmarks.measuring import Timing, median_of
from bids_eeg2fmri.derivatives.nifti import _COMPRESSION_LEVEL as COMPRESSION_LEVEL

# About one volume at a time, in turns, as the program does.
_PIECE_BYTES = 2**21


def reading_floor(header: Path, repeats: int) -> Timing:
    """Read a BrainVision recording into memory."""
    return median_of(lambda: mne.io.read_raw_brainvision(header, preload=True, verbose="ERROR"), repeats)


def writing_floor(images: list[Path], repeats: int) -> Timing:
    """Write the content of images again, all at a time, with the program's compressor and its number of threads."""
    contents = [memoryview(gzip.decompress(image.read_bytes())) for image in images]
    with tempfile.TemporaryDirectory(dir=images[0].parent) as scratch:
        return median_of(lambda: _write(contents, Path(scratch)), repeats)


def _write(contents: list[memoryview], folder: Path) -> None:
    with ExitStack() as files:
        streams = [
            files.enter_context(igzip_threaded.open(folder / f"{number}.nii.gz", "wb", COMPRESSION_LEVEL, threads=1))
            for number in range(len(contents))
        ]
        for start in range(0, max(map(len, contents)), _PIECE_BYTES):
            for stream, content in zip(streams, contents, strict=True):
                stream.write(content[start : start + _PIECE_BYTES])
