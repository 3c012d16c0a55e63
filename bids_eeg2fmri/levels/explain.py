"""``--explain``: which electrodes, frequencies and lags the prediction of some regions rests on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np

from ..derivatives.completeness import EXPLAINED
from ..derivatives.names import OutputNames
from ..derivatives.relevance import (
    attention_path,
    attention_relevance_path,
    described_by,
    relevance_path,
    remove_outdated_relevance,
    write_described,
)
from ..derivatives.sidecars import RunFacts
from ..explanation.regions import Region, chosen_regions, region_weights
from ..explanation.relevance import Explanation
from ..explanation.relevance_table import graph_description, graph_table, relevance_description, relevance_table
from ..network.calhas2022.trained import TrainedCalhas2022
from ..network.neuralfield import NeuralField
from ..settings import Settings
from ..synthesis.cap_spectra import CapSpectra
from ..synthesis.grid_maps import GridMaps
from ..synthesis.spectrogram import SourceSpectrogram
from ..synthesis.start import Maps
from ..synthesis.volume_maps import VolumeMaps
from .model import Model
from .recording_job import Job


class Explained(NamedTuple):
    """An explanation and the files it was written to."""

    explanation: Explanation
    paths: tuple[Path, ...]


def explained_metadata(settings: Settings, model: Model, names: OutputNames) -> dict[str, Any]:
    """What the BOLD's sidecar says of the explanation, so that a later run knows what should be there."""
    if settings.explain is None:
        return {}
    network = model.bundle.network
    regions = chosen_regions(settings.explain)
    paths = [relevance_path(names, region.label) for region in regions]
    if isinstance(network, TrainedCalhas2022) and network.config.attention:
        paths += [attention_path(names), *(attention_relevance_path(names, region.label) for region in regions)]
    files = [each.relative_to(names.output_dir).as_posix() for path in paths for each in (path, described_by(path))]
    return {EXPLAINED: {"Regions": list(settings.explain), "Files": files}}


def explain_recording(job: Job, facts: RunFacts, maps: Maps) -> Explained | None:
    """Explain a recording's prediction and write the tables; ``None`` if nobody asked.

    What an earlier run explained is removed in either case: it was another prediction.

    Parameters
    ----------
    job, facts
        The recording, and what every sidecar on the grid states.
    maps
        What the network needs on the grid.

    Raises
    ------
    WriteError, OutputError
        A table cannot be written.
    """
    if job.settings.explain is None:
        remove_outdated_relevance(facts.names)
        return None
    regions = chosen_regions(job.settings.explain)
    explanation = _explain(job, facts, maps, regions)
    paths = write_explanation(explanation, regions, facts)
    remove_outdated_relevance(facts.names, paths)
    return Explained(explanation, paths)


def _explain(job: Job, facts: RunFacts, maps: Maps, regions: Sequence[Region]) -> Explanation:
    # Most runs explain nothing.
    from ..explanation.calhas2022_relevance import explain_calhas2022
    from ..explanation.neuralfield_relevance import explain_neuralfield

    network, onsets_s = job.model.bundle.network, job.recording.clock.onsets_s
    weights = region_weights(regions, facts.grid.coordinates_mm)
    names = tuple(region.name for region in regions)
    if isinstance(network, NeuralField):
        of_grid, spectrogram = cast(GridMaps, maps), cast(SourceSpectrogram, job.prepared)
        region_maps = weights @ np.asarray(of_grid.voxels.mean)[: of_grid.n_voxels]
        times_s = onsets_s + job.start_time_s
        relevance = explain_neuralfield(network, job.recording, spectrogram, region_maps, names, times_s)
        return Explanation(relevance)
    of_volume, spectra = cast(VolumeMaps, maps), cast(CapSpectra, job.prepared)
    voxels = (weights @ of_volume.interpolation).toarray()
    return explain_calhas2022(network, spectra, voxels, names, onsets_s)


def write_explanation(explanation: Explanation, regions: Sequence[Region], facts: RunFacts) -> tuple[Path, ...]:
    """Write every region's table, and the matrices over electrodes if there are any."""
    names, graph = facts.names, explanation.graph
    paths: list[Path] = []
    for index, region in enumerate(regions):
        table, described = relevance_table(explanation, index), relevance_description(explanation, index, region)
        paths += write_described(relevance_path(names, region.label), table, described, facts)
    if graph is not None:
        n_volumes = explanation.relevance.n_volumes
        what = "Attention between electrodes, mean over the explained volumes; every row sums to 1"
        described = graph_description(graph, what, n_volumes)
        paths += write_described(attention_path(names), graph_table(graph, graph.weights), described, facts)
        for region, weights in zip(regions, graph.relevance, strict=True):
            what = f"Relevance of the attention between electrodes for the predicted fluctuation of {region.name}"
            described = graph_description(graph, what, n_volumes)
            path = attention_relevance_path(names, region.label)
            paths += write_described(path, graph_table(graph, weights), described, facts)
    return tuple(paths)
