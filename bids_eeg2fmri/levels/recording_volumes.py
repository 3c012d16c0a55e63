"""What is made of a recording's volumes on one grid: images, tables, parcels, figures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
import pandas as pd

from ..bold.confounds import confounds_sidecar, confounds_table, drift_names, with_drifts
from ..bold.series_statistics import SeriesStatistics
from ..derivatives.atomic import write_json
from ..derivatives.completeness import clear_leftovers, matching, remove_images, withdraw_completeness
from ..derivatives.confounds import write_confounds
from ..derivatives.correlation import remove_correlation, write_correlation
from ..derivatives.encoding import MASK, bold_encoding, sd_encoding, total_sd_encoding
from ..derivatives.events import write_events
from ..derivatives.names import sidecar
from ..derivatives.nifti import NiftiWriter, nifti_writer, write_map
from ..derivatives.parcels import remove_outdated_parcels
from ..derivatives.reliability import remove_reliability, write_reliability
from ..derivatives.sidecars import RunFacts, bold_sidecar, boldref_sidecar, mask_sidecar, uncertainty_sidecar
from ..report.comparison import Comparison
from ..report.held_out import held_out_coverage
from ..report.population import population_connectivity
from ..report.reportlets import write_reportlets
from ..report.run import RunReport
from ..settings import Settings
from ..synthesis.prediction import ImageBlock, PredictionSummary
from ..synthesis.reliability_maps import ReliabilityMaps, make_reliability
from ..synthesis.start import Maps, RunningSynthesis
from .explain import Explained, explain_recording, explained_metadata
from .metrics import recording_metrics
from .parcel_request import requested_parcels
from .parcels import write_parcel_series
from .real_scores import ScannerComparison, start_comparing
from .recording_job import Job


class _Predicted(NamedTuple):
    """What is known of a recording on one grid once all its volumes are predicted."""

    facts: RunFacts
    statistics: SeriesStatistics
    summary: PredictionSummary
    clipped: int
    comparing: ScannerComparison | None
    comparison: Comparison | None
    reliability: ReliabilityMaps | None


def write_grid(job: Job, facts: RunFacts, maps: Maps, *, primary: bool) -> list[Path]:
    """Every output on one grid; the sidecar that marks it complete, of the BOLD or of the parcels, comes last.

    Parameters
    ----------
    job, facts
        The recording, and what every sidecar on this grid states.
    maps
        What the network needs on this grid.
    primary
        Whether this is the first grid, which the tables, events and figures describe.
    """
    clear_leftovers(facts.names)
    synthesis = job.synthesis(maps)
    predicted = _predict(job, facts, maps, synthesis)
    facts, names = predicted.facts, facts.names
    written = []
    if not job.settings.parcels_only:
        with job.clock("maps"):
            written += _write_maps(job.settings, predicted)
    description = _description(job, predicted) | explained_metadata(job.settings, job.model, names)
    remove_outdated_parcels(names, facts.hashes)
    request = requested_parcels(job.settings)
    tables = None
    if request is not None:
        with job.clock("parcels"):
            tables = write_parcel_series(facts, request, synthesis, description)
        written += tables.paths
    if primary:
        with job.clock("explanation"):
            explained = explain_recording(job, facts, maps)
        written += () if explained is None else explained.paths
        written += _write_first(job, predicted, description, written, explained)
    if tables is not None:
        tables.complete()
    if not job.settings.parcels_only:
        write_json(sidecar(names.bold), description)
    return written


def _predict(job: Job, facts: RunFacts, maps: Maps, synthesis: RunningSynthesis) -> _Predicted:
    """Predict all volumes, and write them unless only parcels were asked for."""
    with job.clock("synthesis"):
        recording, comparing = start_comparing(job.scanner, job.recording, job.model, facts.grid, job.settings)
        facts = replace(facts, recording=recording)
        clipped = _run(job, facts, synthesis, comparing)
        summary, statistics = synthesis.summary(), synthesis.statistics()
    comparison = None
    if comparing is not None:
        with job.clock("scores"):
            comparison = comparing.finish(summary, synthesis.features())
    reliability = make_reliability(job.model.bundle.network, maps, facts.grid, int(recording.good.sum()))
    return _Predicted(facts, statistics, summary, clipped, comparing, comparison, reliability)


def _run(job: Job, facts: RunFacts, synthesis: RunningSynthesis, comparing: ScannerComparison | None) -> int:
    """Volumes block by block; returns how many values the images could not hold."""
    with ExitStack() as files:
        images = None if job.settings.parcels_only else _open_images(files, job, facts)
        for block in _blocks(synthesis, images, comparing):
            if images is not None:
                images[0].write(block.bold)
                images[1].write(block.total_sd)
            # Not to be kept while the next one is computed.
            del block
        if images is not None:
            # Both images are whole and about to take their places.
            withdraw_completeness(facts.names)
        elif matching(sidecar(facts.names.bold), facts.hashes) is None:
            remove_images(facts.names)
    return 0 if images is None else images[0].clipped


def _blocks(
    synthesis: RunningSynthesis, images: tuple[NiftiWriter, NiftiWriter] | None, comparing: ScannerComparison | None
) -> Iterator[ImageBlock]:
    """Blocks for the images, in their numbers unless these numbers are too coarse for what else is done with them."""
    if images is not None and comparing is None:
        yield from synthesis.for_images(images[0].encoding, images[1].encoding)
        return
    for block in synthesis:
        if comparing is not None:
            comparing.update(block)
        yield ImageBlock(block.mean_z, block.total_sd_z)


def _open_images(files: ExitStack, job: Job, facts: RunFacts) -> tuple[NiftiWriter, NiftiWriter]:
    """The BOLD and its sd, to be written volume by volume."""
    names, clock, float32 = facts.names, job.recording.clock, job.settings.float32
    bold, total = (
        files.enter_context(nifti_writer(path, facts.grid, encoding, n_volumes=clock.n_volumes, tr_s=clock.tr_s))
        for path, encoding in (
            (names.bold, bold_encoding(float32)),
            (names.uncertainty("total"), total_sd_encoding(float32)),
        )
    )
    return bold, total


def _description(job: Job, predicted: _Predicted) -> dict[str, Any]:
    """Sidecar of the BOLD."""
    comparing, comparison, reliability = predicted.comparing, predicted.comparison, predicted.reliability
    return bold_sidecar(
        predicted.facts,
        encoding=bold_encoding(job.settings.float32),
        clipped=predicted.clipped,
        metrics={
            **recording_metrics(job.recording, predicted.statistics, predicted.summary, reliability),
            **(comparison.scores if comparison else {}),
        },
        start_time_s=job.start_time_s,
        history_s=job.model.bundle.network.history_s,
        compared_with=comparing.metadata if comparing else None,
        reliability=reliability.caps if reliability else None,
    )


def _write_first(
    job: Job, predicted: _Predicted, description: dict[str, Any], written: list[Path], explained: Explained | None
) -> list[Path]:
    """Tables, events and figures; ``written`` is what the report lists besides them."""
    facts, names = predicted.facts, predicted.facts.names
    table, tr_s = confounds_table(predicted.statistics, job.recording.clock.tr_s), job.recording.clock.tr_s
    columns = [*table.columns, *drift_names(len(table), tr_s)]
    write_confounds(names, with_drifts(table, tr_s), confounds_sidecar(columns))
    more = [] if not job.settings.parcels_only else list(names.without_images)
    if write_events(names, replace(job.file, events_tsv=job.recording.events_table), job.recording):
        more += [names.events, sidecar(names.events)]
    with job.clock("report"):
        run = _run_report(job, predicted, table, description, [*written, *more])
        run = replace(run, explanation=explained.explanation if explained else None)
        more += [names.output_dir / figure for figure in write_reportlets(run, facts.names.output_dir)]
    return more


def _run_report(
    job: Job, predicted: _Predicted, table: pd.DataFrame, description: dict[str, Any], written: list[Path]
) -> RunReport:
    facts, statistics, bundle = predicted.facts, predicted.statistics, job.model.bundle
    return RunReport(
        stem=facts.names.stem,
        recording=facts.recording,
        grid=facts.grid,
        summary=predicted.summary,
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
        comparison=predicted.comparison,
        reliability=predicted.reliability,
        population_r=population_connectivity(bundle.network),
        held_out=held_out_coverage(bundle.metadata, int(facts.recording.good.sum())),
        film=statistics.film,
    )


def _write_maps(settings: Settings, predicted: _Predicted) -> list[Path]:
    """Every image that has no time, with all sidecars but the one that comes last."""
    facts, summary = predicted.facts, predicted.summary
    names, grid = facts.names, facts.grid
    write_map(names.mask, grid, MASK, np.ones(len(grid.tissue), np.float32))
    write_json(sidecar(names.mask), mask_sidecar(facts))
    write_map(names.boldref, grid, bold_encoding(settings.float32), predicted.statistics.mean_z)
    write_json(sidecar(names.boldref), boldref_sidecar(facts))
    write_map(names.uncertainty("aleatoric"), grid, sd_encoding(settings.float32), summary.aleatoric_sd_z)
    write_map(names.uncertainty("epistemic"), grid, sd_encoding(settings.float32), summary.epistemic_sd_z)
    for part in ("total", "aleatoric", "epistemic"):
        write_json(sidecar(names.uncertainty(part)), uncertainty_sidecar(facts, part))
    return [*names.required, *_write_reliability(facts, predicted.reliability), *_write_correlation(predicted)]


def _write_reliability(facts: RunFacts, reliability: ReliabilityMaps | None) -> tuple[Path, ...]:
    if reliability is None:
        remove_reliability(facts.names)
        return ()
    return write_reliability(facts, reliability.r, reliability.interpretable, reliability.caps)


def _write_correlation(predicted: _Predicted) -> tuple[Path, ...]:
    if predicted.comparing is None or predicted.comparison is None:
        remove_correlation(predicted.facts.names)
        return ()
    return write_correlation(predicted.facts, predicted.comparison.voxel_r, predicted.comparing.metadata)


def _device() -> str:
    device = jax.devices()[0]
    return f"{device.platform} ({device.device_kind})"
