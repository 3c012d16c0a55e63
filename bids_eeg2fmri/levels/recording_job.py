"""One recording, read and made ready for the network, on its way to its output grids."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ..bids.recording_file import RecordingFile
from ..bold.grid import Grid
from ..derivatives.completeness import input_hash
from ..derivatives.names import output_names
from ..derivatives.nifti import require_room
from ..derivatives.sidecars import RunFacts
from ..eeg.read import read_recording
from ..eeg.recording import Recording
from ..settings import OutputSpace, Settings
from ..synthesis.block_size import LOW_MEMORY_VOLUMES, VOLUMES_PER_BLOCK
from ..synthesis.start import Maps, Prepared, RunningSynthesis, prepare, start_synthesis
from .model import Model
from .recording_state import hashes_of
from .scanner_bold import ScannerBold, meet_scanner
from .scanner_file import Found, look_for_scanner


class Stopwatch:
    """Seconds spent per stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Add the time of the block to a stage's."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - start

    @property
    def total(self) -> float:
        """All stages together."""
        return sum(self.seconds.values())


@dataclass(frozen=True)
class Job:
    """A recording with what was read of it and what the run was asked for."""

    file: RecordingFile
    settings: Settings
    model: Model
    recording: Recording
    prepared: Prepared
    input_digest: str
    command: str
    clock: Stopwatch
    found: Found
    scanner: ScannerBold | None

    @property
    def start_time_s(self) -> float:
        """Instant that a volume stands for: the scanner's, where there is one and the network can predict any."""
        if self.scanner is None or not self.model.any_instant:
            return self.model.start_time_s
        return self.scanner.image.start_time_s

    def synthesis(self, maps: Maps) -> RunningSynthesis:
        """The prediction on one grid, about to begin."""
        return start_synthesis(
            self.model.bundle.network,
            maps,
            self.prepared,
            self.recording.clock,
            start_time_s=self.start_time_s,
            volumes_per_block=LOW_MEMORY_VOLUMES if self.settings.low_mem else VOLUMES_PER_BLOCK,
        )

    def facts(self, space: OutputSpace, grid: Grid) -> RunFacts:
        """What every sidecar on one grid states."""
        names = output_names(self.settings.output_dir, self.file, grid)
        hashes = hashes_of(self.input_digest, self.settings, space, self.model.bundle.sha256, self.found)
        return RunFacts(names, self.file, self.recording, grid, self.model.provenance, hashes)


def read_job(file: RecordingFile, settings: Settings, model: Model, logger: logging.Logger, command: str) -> Job:
    """Read a recording and prepare it for the network.

    Raises
    ------
    Eeg2fmriError
        It cannot be used.
    """
    clock = Stopwatch()
    with clock("read"):
        recording = read_recording(file, settings, settings.scratch_dir)
    for warning in recording.warnings:
        logger.warning("%s: %s", file.label, warning)
    found = look_for_scanner(file, settings)
    recording, scanner = meet_scanner(found, file, recording, model, settings)
    logger.info(
        "%s: %d of %d channels, %.0f s, %d volumes every %g s (%s)",
        *(file.label, recording.good.sum(), len(recording.good), recording.duration_s),
        *(recording.clock.n_volumes, recording.clock.tr_s, recording.clock.source),
    )
    if not settings.parcels_only:
        require_room(recording.clock.n_volumes, file.path)
    with clock("spectra"):
        prepared = prepare(model.bundle.network, recording, settings.scratch_dir)
    return Job(file, settings, model, recording, prepared, input_hash(file), command, clock, found, scanner)
