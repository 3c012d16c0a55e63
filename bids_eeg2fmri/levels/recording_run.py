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
from ..derivatives.encoding import MASK, bold_encoding, sd_encoding
from ..derivatives.events import write_events
from ..derivatives.names import output_names, sidecar
from ..derivatives.nifti import nifti_writer, write_map
from ..derivatives.sidecars import RunFacts, bold_sidecar, boldref_sidecar, mask_sidecar, uncertainty_sidecar
from ..eeg.read import read_recording
from ..eeg.recording import Recording
from ..network.lags import MEMORY_S
from ..report.reportlets import write_reportlets
from ..report.run import RunReport
from ..settings import OutputSpace, Settings
from ..synthesis.grid_maps import GridMaps
from ..synthesis.prediction import PredictionSummary
from ..synthesis.spectrogram import Spectrogram, compute_spectrogram
from ..synthesis.synthesise import VOLUMES_PER_BLOCK, Synthesis
from .metrics import recording_metrics
from .model import Model

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
    """One recording, read and projected, on its way to its output grids."""

    file: RecordingFile
    settings: Settings
    model: Model
    recording: Recording
    spectrogram: Spectrogram
    input_digest: str
    command: str
    clock: _Stopwatch

    def facts(self, space: OutputSpace, grid: Grid) -> RunFacts:
        """What every sidecar on one grid states."""
        names = output_names(self.settings.output_dir, self.file, grid)
        hashes = _hashes(self.input_digest, self.settings, space, self.model)
        return RunFacts(names, self.file, self.recording, grid, self.model.provenance, hashes)


def recording_state(file: RecordingFile, settings: Settings, model: Model) -> State:
    """Whether the recording's outputs are complete on every grid, out of date, or absent."""
    grids = [(space, output_names(settings.output_dir, file, grid)) for space, grid in model.grids]
    if not any(sidecar(names.bold).exists() for _, names in grids):
        # Nothing is there: the input need not be read to say so.
        return "new"
    digest = input_hash(file)
    states = {state(names, _hashes(digest, settings, space, model)) for space, names in grids}
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
    logger.info(
        "%s: %d of %d channels, %.0f s, %d volumes every %g s (%s)",
        *(file.label, recording.good.sum(), len(recording.good), recording.duration_s),
        *(recording.clock.n_volumes, recording.clock.tr_s, recording.clock.source),
    )
    with clock("spectra"):
        spectrogram = compute_spectrogram(recording)
    job = _Job(file, settings, model, recording, spectrogram, input_hash(file), command, clock)
    outputs: list[Path] = []
    for index, ((space, grid), maps) in enumerate(zip(model.grids, model.maps, strict=True)):
        # Tables, events and figures have no space entity: they describe the first grid.
        outputs += _write_grid(job, job.facts(space, grid), maps, primary=index == 0)
    logger.info("%s: %s", file.label, ", ".join(f"{stage} {spent:.1f} s" for stage, spent in clock.seconds.items()))
    return RecordingResult(file.label, tuple(outputs), recording.warnings, clock.total)


def _hashes(digest: str, settings: Settings, space: OutputSpace, model: Model) -> RunHashes:
    return RunHashes(input=digest, model=model.bundle.sha256, config=config_hash(settings, space))


def _write_grid(job: _Job, facts: RunFacts, maps: GridMaps, *, primary: bool) -> list[Path]:
    """Every output on one grid; the BOLD sidecar, which marks it complete, comes last."""
    names, clock = facts.names, job.clock
    clear_leftovers(names)
    with clock("synthesis"):
        statistics, summary, clipped = _write_series(job, facts, maps)
    with clock("maps"):
        _write_maps(facts, job.settings, statistics, summary)
    description = bold_sidecar(
        facts,
        encoding=bold_encoding(job.settings.float32),
        clipped=clipped,
        metrics=recording_metrics(job.recording, statistics, summary),
        start_time_s=job.model.start_time_s,
        history_s=MEMORY_S,
    )
    written = list(names.required)
    if primary:
        table = confounds_table(statistics, job.recording.clock.tr_s)
        write_confounds(names, table, confounds_sidecar(table))
        if write_events(names, replace(job.file, events_tsv=job.recording.events_table), job.recording):
            written += [names.events, sidecar(names.events)]
        with clock("report"):
            run = _run_report(job, facts, statistics, summary, table, description, written)
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
) -> RunReport:
    return RunReport(
        stem=facts.names.stem,
        recording=job.recording,
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
    )


def _write_series(job: _Job, facts: RunFacts, maps: GridMaps) -> tuple[OnlineStatistics, PredictionSummary, int]:
    """Predict and write the volumes, block by block."""
    names, grid, clock, float32 = facts.names, facts.grid, job.recording.clock, job.settings.float32
    statistics = OnlineStatistics(grid, clock.n_volumes)
    synthesis = Synthesis(
        job.model.bundle.network,
        maps,
        job.spectrogram,
        clock,
        start_time_s=job.model.start_time_s,
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


def _device() -> str:
    device = jax.devices()[0]
    return f"{device.platform} ({device.device_kind})"
