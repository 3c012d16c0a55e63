"""How much memory a recording needs, known from its header, and what that means under ``--mem``."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import NamedTuple

from ..bids.recording_file import RecordingFile
from ..eeg.header import Header, read_header
from ..errors import UsageError
from ..settings import OutputSpace, Settings
from ..synthesis.block_size import LOW_MEMORY_VOLUMES, VOLUMES_PER_BLOCK
from .scanner_file import look_for_scanner

logger = logging.getLogger(__name__)

# Peak resident memory of whole runs with the bundled model, at 1, 2 and 4 mm, with both sizes of blocks, and of up to
# twelve hours, is this to within a tenth where programs have to be compiled, and less where they need not. Signals and
# spectrogram lie in files, whatever the length. The interpreter with its libraries, the network and the figures:
_PROCESS_BYTES = 525_000_000
_BYTES_PER_VOXEL = 720
_BYTES_PER_VOXEL_AND_VOLUME_OF_A_BLOCK = 5
# Where volumes are floating-point numbers all the way: for images of such, or to be compared with a scanner's.
_BYTES_PER_FLOAT_VOXEL_AND_VOLUME_OF_A_BLOCK = 18
_BYTES_PER_VOLUME = 5_000
_BYTES_PER_CHANNEL = 700_000
_BYTES_PER_SCANNER_VALUE = 8
_TEMPLATE_BRAIN_MM3 = 1_868_000
_ASSUMED_TR_S = 2.0


class Needs(NamedTuple):
    """Memory that a recording takes.

    Attributes
    ----------
    usual_bytes, least_bytes
        With blocks of the usual size, and with those of ``--low-mem``.
    """

    usual_bytes: int
    least_bytes: int


# What a scanner's series may take while it is read.
SCANNER = Needs(2**30, 2**27)


def memory_needed(header: Header, settings: Settings, *, compared: bool = False) -> Needs:
    """What a recording of this size takes, about, with the grids asked for.

    Parameters
    ----------
    header, settings
        The recording's size, and what was asked for.
    compared
        Whether there is a scanner's BOLD to compare with.
    """
    n_volumes = header.duration_s / (settings.tr_s or _ASSUMED_TR_S)
    voxels = [_n_voxels(space) for space in settings.output_spaces]
    grids = _PROCESS_BYTES + _BYTES_PER_VOXEL * sum(voxels)
    common = grids + _BYTES_PER_VOLUME * n_volumes + _BYTES_PER_CHANNEL * header.n_channels
    as_floats = settings.float32 or compared
    block = max(voxels) * (
        _BYTES_PER_FLOAT_VOXEL_AND_VOLUME_OF_A_BLOCK if as_floats else _BYTES_PER_VOXEL_AND_VOLUME_OF_A_BLOCK
    )
    usual, least = (min(_BYTES_PER_SCANNER_VALUE * n_volumes * max(voxels), most) * compared for most in SCANNER)
    return Needs(round(common + usual + block * VOLUMES_PER_BLOCK), round(common + least + block * LOW_MEMORY_VOLUMES))


def needs_of(file: RecordingFile, header: Header, settings: Settings) -> Needs:
    """:func:`memory_needed` of a recording, with the scanner's BOLD that belongs to it, if any."""
    return memory_needed(header, settings, compared=look_for_scanner(file, settings).file is not None)


def within_memory(file: RecordingFile, settings: Settings, mem_bytes: int | None) -> Settings:
    """Settings with which a recording stays within its memory: smaller blocks, where the usual ones would not.

    Parameters
    ----------
    file, settings
        The recording, and what was asked for.
    mem_bytes
        What ``--mem`` leaves to the process, as :func:`.memory_of_each` says; ``None`` without a limit.

    Raises
    ------
    UsageError
        It takes more memory than there is.
    """
    if mem_bytes is None:
        return settings
    needs = needs_of(file, read_header(file.path), settings)
    if needs.least_bytes > mem_bytes:
        raise UsageError(
            f"about {gigabytes(needs.least_bytes)} of memory are needed; "
            f"--mem leaves {gigabytes(mem_bytes)} to a process.",
            path=file.path,
            remedy="Give more --mem, fewer --nprocs, or a coarser grid with --output-spaces.",
        )
    if needs.usual_bytes > mem_bytes and not settings.low_mem:
        logger.info("%s: smaller blocks, to stay within --mem.", file.label)
        return replace(settings, low_mem=True)
    return settings


def gigabytes(n_bytes: float) -> str:
    """A size as people read it."""
    return f"{n_bytes / 1e9:.2g} GB" if n_bytes < 1e10 else f"{n_bytes / 1e9:.0f} GB"


def _n_voxels(space: OutputSpace) -> int:
    """Brain voxels of a grid, which is only made for a reference image."""
    if space.resolution is not None:
        return round(_TEMPLATE_BRAIN_MM3 / int(space.resolution) ** 3)
    from ..bold.grid import make_grid

    return int(make_grid(space).mask.sum())
