"""The story of one recording: read, project, synthesise, write, look."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pandas as pd

from ..bids.recording_file import RecordingFile
from ..bold.confounds import confounds_sidecar, confounds_table
from ..bold.grid import Grid
from ..bold.online import OnlineStatistics
from ..derivatives.atomic import write_json
from ..derivatives.completeness import (
    RunHashes,
    State,
    clear_leftovers,
    config_hash,
    input_hash,
    state,
    withdraw_completeness,
)
from ..derivatives.confounds import write_confounds
from ..derivatives.correlation import remove_correlation, write_correlation
from ..derivatives.encoding import MASK, bold_encoding, sd_encoding
from ..derivatives.events import write_events
from ..derivatives.names import output_names, sidecar
from ..derivatives.nifti import nifti_writer, write_map
from ..derivatives.reliability import remove_reliability, write_reliability
from ..derivatives.sidecars import RunFacts, bold_sidecar, boldref_sidecar, mask_sidecar, uncertainty_sidecar
from ..eeg.read import read_recording
from ..eeg.recording import Recording
from ..report.comparison import Comparison
from ..report.reportlets import write_reportlets
from ..report.run import RunReport
from ..settings import OutputSpace, Settings
from ..synthesis.prediction import PredictionSummary
from ..synthesis.reliability_maps import ReliabilityMaps, make_reliability
from ..synthesis.start import Maps, Prepared, prepare, start_synthesis
from ..synthesis.synthesise import VOLUMES_PER_BLOCK
from .metrics import recording_metrics
from .model import Model
from .real_scores import ScannerComparison, start_comparing
from .scanner_bold import Found, ScannerBold, look_for_scanner, meet_scanner

LOW_MEMORY_VOLUMES = 16


@dataclass(frozen=True)
class RecordingResult:
    """What a finished recording leaves for the summary.

    Attributes
    ----------
    label
        Entities of the recording.
    outputs
        Files written.
    warnings
        What the reader should know.
    seconds
        Wall time.
    """

    label: str
    outputs: tuple[Path, ...]
    warnings: tuple[str, ...]
    seconds: float


class _Stopwatch:
    """Seconds spent per stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
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
class _Job:
    """One recording, read and made ready for the network, on its way to its output grids."""

    file: RecordingFile
    settings: Settings
    model: Model
    recording: Recording
    prepared: Prepared
    input_digest: str
    command: str
    clock: _Stopwatch
    found: Found
    scanner: ScannerBold | None

    @property
    def start_time_s(self) -> float:
        """Instant that a volume stands for: the scanner's, where there is one and the network can predict any."""
        if self.scanner is None or not self.model.any_instant:
            return self.model.start_time_s
        return self.scanner.image.start_time_s

    def facts(self, space: OutputSpace, grid: Grid) -> RunFacts:
        """What every sidecar on one grid states."""
        names = output_names(self.settings.output_dir, self.file, grid)
        hashes = _hashes(self.input_digest, self.settings, space, self.model, self.found)
        return RunFacts(names, self.file, self.recording, grid, self.model.provenance, hashes)


def recording_state(file: RecordingFile, settings: Settings, model: Model) -> State:
    """Whether the recording's outputs are complete on every grid, out of date, or absent."""
    grids = [(space, output_names(settings.output_dir, file, grid)) for space, grid in model.grids]
    if not any(sidecar(names.bold).exists() for _, names in grids):
        # Nothing is there: the input need not be read to say so.
        return "new"
    digest, found = input_hash(file), look_for_scanner(file, settings)
    states = {state(names, _hashes(digest, settings, space, model, found)) for space, names in grids}
    return "done" if states == {"done"} else "stale"


def run_recording(
    file: RecordingFile, settings: Settings, model: Model, logger: logging.Logger, command: str
) -> RecordingResult:
    """Make every output of one recording.

    Raises
    ------
    Eeg2fmriError
        The recording cannot be used, or an output cannot be written.
    """
    clock = _Stopwatch()
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
    with clock("spectra"):
        prepared = prepare(model.bundle.network, recording)
    job = _Job(file, settings, model, recording, prepared, input_hash(file), command, clock, found, scanner)
    outputs: list[Path] = []
    for index, ((space, grid), maps) in enumerate(zip(model.grids, model.maps, strict=True)):
        # Tables, events and figures have no space entity: they describe the first grid.
        outputs += _write_grid(job, job.facts(space, grid), maps, primary=index == 0)
    logger.info("%s: %s", file.label, ", ".join(f"{stage} {spent:.1f} s" for stage, spent in clock.seconds.items()))
    return RecordingResult(file.label, tuple(outputs), recording.warnings, clock.total)


def _hashes(digest: str, settings: Settings, space: OutputSpace, model: Model, found: Found) -> RunHashes:
    return RunHashes(input=digest, model=model.bundle.sha256, config=config_hash(settings, space, found.file))


def _write_grid(job: _Job, facts: RunFacts, maps: Maps, *, primary: bool) -> list[Path]:
    """Every output on one grid; the BOLD sidecar, which marks it complete, comes last."""
    names, clock = facts.names, job.clock
    clear_leftovers(names)
    with clock("synthesis"):
        recording, comparing = start_comparing(job.scanner, job.recording, job.model, facts.grid, job.settings)
        facts = replace(facts, recording=recording)
        statistics, summary, clipped = _write_series(job, facts, maps, comparing)
    comparison = None
    if comparing is not None:
        with clock("scores"):
            comparison = comparing.finish(summary)
    with clock("maps"):
        _write_maps(facts, job.settings, statistics, summary)
        reliability = make_reliability(job.model.bundle.network, facts.grid, int(job.recording.good.sum()))
        written = [*names.required, *_write_reliability(facts, reliability)]
        if comparing is None or comparison is None:
            remove_correlation(names)
        else:
            written += write_correlation(facts, comparison.voxel_r, comparing.metadata)
    description = bold_sidecar(
        facts,
        encoding=bold_encoding(job.settings.float32),
        clipped=clipped,
        metrics={
            **recording_metrics(job.recording, statistics, summary, reliability),
            **(comparison.scores if comparison else {}),
        },
        start_time_s=job.start_time_s,
        history_s=job.model.bundle.network.history_s,
        compared_with=comparing.metadata if comparing else None,
        reliability=reliability.caps if reliability else None,
    )
    if primary:
        table = confounds_table(statistics, job.recording.clock.tr_s)
        write_confounds(names, table, confounds_sidecar(table))
        if write_events(names, replace(job.file, events_tsv=job.recording.events_table), job.recording):
            written += [names.events, sidecar(names.events)]
        with clock("report"):
            run = _run_report(job, facts, statistics, summary, table, description, written, comparison, reliability)
            written += [names.output_dir / figure for figure in write_reportlets(run, names.output_dir)]
    write_json(sidecar(names.bold), description)
    return written


def _run_report(
    job: _Job,
    facts: RunFacts,
    statistics: OnlineStatistics,
    summary: PredictionSummary,
    table: pd.DataFrame,
    description: dict[str, Any],
    written: list[Path],
    comparison: Comparison | None,
    reliability: ReliabilityMaps | None,
) -> RunReport:
    return RunReport(
        stem=facts.names.stem,
        recording=facts.recording,
        grid=facts.grid,
        summary=summary,
        mean_map=statistics.mean_map,
        tstd_map=statistics.tstd_map,
        total_sd_map=statistics.total_sd_map,
        carpet_z=statistics.carpet_z,
        carpet_tissue=statistics.carpet_tissue,
        mean_sd_z=statistics.mean_sd_z,
        confounds=table,
        sidecar=description,
        outputs=tuple(path.relative_to(facts.names.output_dir) for path in written),
        command=job.command,
        device=_device(),
        seconds=dict(job.clock.seconds),
        comparison=comparison,
        reliability=reliability,
    )


def _write_series(
    job: _Job, facts: RunFacts, maps: Maps, comparing: ScannerComparison | None
) -> tuple[OnlineStatistics, PredictionSummary, int]:
    """Predict and write the volumes, block by block."""
    names, grid, clock, float32 = facts.names, facts.grid, job.recording.clock, job.settings.float32
    statistics = OnlineStatistics(grid, clock.n_volumes)
    synthesis = start_synthesis(
        job.model.bundle.network,
        maps,
        job.prepared,
        clock,
        start_time_s=job.start_time_s,
        volumes_per_block=LOW_MEMORY_VOLUMES if job.settings.low_mem else VOLUMES_PER_BLOCK,
    )
    writer = partial(nifti_writer, grid=grid, n_volumes=clock.n_volumes, tr_s=clock.tr_s)
    with (
        writer(names.bold, encoding=bold_encoding(float32)) as bold,
        writer(names.uncertainty("total"), encoding=sd_encoding(float32)) as total,
    ):
        for block in synthesis:
            bold.write(block.mean_z)
            total.write(block.total_sd_z)
            statistics.update(block.mean_z, block.total_sd_z)
            if comparing is not None:
                comparing.update(block)
        # Both images are whole and about to take their places.
        withdraw_completeness(names)
    return statistics, synthesis.summary(), bold.clipped


def _write_maps(facts: RunFacts, settings: Settings, statistics: OnlineStatistics, summary: PredictionSummary) -> None:
    names, grid = facts.names, facts.grid
    write_map(names.mask, grid, MASK, np.ones(len(grid.tissue), np.float32))
    write_json(sidecar(names.mask), mask_sidecar(facts))
    write_map(names.boldref, grid, bold_encoding(settings.float32), statistics.mean_z)
    write_json(sidecar(names.boldref), boldref_sidecar(facts))
    write_map(names.uncertainty("aleatoric"), grid, sd_encoding(settings.float32), summary.aleatoric_sd_z)
    write_map(names.uncertainty("epistemic"), grid, sd_encoding(settings.float32), summary.epistemic_sd_z)
    for part in ("total", "aleatoric", "epistemic"):
        write_json(sidecar(names.uncertainty(part)), uncertainty_sidecar(facts, part))


def _write_reliability(facts: RunFacts, reliability: ReliabilityMaps | None) -> tuple[Path, ...]:
    if reliability is None:
        remove_reliability(facts.names)
        return ()
    return write_reliability(facts, reliability.r, reliability.interpretable, reliability.caps)


def _device() -> str:
    device = jax.devices()[0]
    return f"{device.platform} ({device.device_kind})"
