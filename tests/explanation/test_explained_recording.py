"""From a recording to the files and panels of its explanation."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from bids_eeg2fmri.bids.recording_file import RecordingFile
from bids_eeg2fmri.bold.grid import make_grid
from bids_eeg2fmri.derivatives.completeness import EXPLAINED, RunHashes
from bids_eeg2fmri.derivatives.dataset import write_dataset_files
from bids_eeg2fmri.derivatives.names import output_names
from bids_eeg2fmri.derivatives.relevance import attention_path, relevance_path
from bids_eeg2fmri.derivatives.sidecars import RunFacts
from bids_eeg2fmri.explanation.regions import chosen_regions
from bids_eeg2fmri.explanation.relevance import ElectrodeGraph, Explanation
from bids_eeg2fmri.levels.explain import explain_recording, explained_metadata, write_explanation
from bids_eeg2fmri.levels.model import Model
from bids_eeg2fmri.network.bundle import load_bundle
from bids_eeg2fmri.report.panels.relevance import draw_attention, draw_relevance
from bids_eeg2fmri.report.style import report_style, svg_bytes
from bids_eeg2fmri.settings import OutputSpace, Settings

ROIS = ("Vis", "R-Thalamus")


@pytest.fixture(scope="module")
def run(tmp_path_factory, grid_maps, recording, spectrogram):
    root = tmp_path_factory.mktemp("explained")
    source, output = root / "raw", root / "out"
    source.mkdir()
    (source / "dataset_description.json").write_text('{"Name": "Phantom", "BIDSVersion": "1.10.0"}')
    settings = Settings(source, output, "participant", explain=ROIS)
    grid = make_grid(OutputSpace(resolution="4"))
    model = Model(load_bundle("neuralfield-sim"), ((OutputSpace(resolution="4"), grid),))
    path = source / "sub-01" / "eeg" / "sub-01_task-rest_eeg.edf"
    file = RecordingFile(path=path, root=source, subject="01", task="rest", sidecar={}, dataset="raw")
    names = output_names(output, file, grid)
    facts = RunFacts(names, file, recording, grid, model.provenance, RunHashes(input="", model="", config=""))
    job = SimpleNamespace(
        settings=settings, model=model, recording=recording, prepared=spectrogram, start_time_s=model.start_time_s
    )
    write_dataset_files(output, source, {}, model.provenance)
    explained = explain_recording(job, facts, grid_maps)
    return SimpleNamespace(job=job, facts=facts, maps=grid_maps, explained=explained)


def test_tables_hold_every_electrode_band_and_lag(run, recording):
    table = pd.read_csv(relevance_path(run.facts.names, "Vis"), sep="\t")
    assert len(table) == recording.good.sum() * 6 * 26
    assert table.integrated_gradients.sum() == pytest.approx(1, abs=1e-2)
    described = json.loads(relevance_path(run.facts.names, "RThalamus").with_suffix(".json").read_text())
    assert described["Region"] == "R-Thalamus"
    assert described["Synthetic"] is True
    assert set(table.columns) <= set(described)
    by_band = table.groupby("band_low_hz").integrated_gradients.sum()
    np.testing.assert_allclose(by_band, run.explained.explanation.relevance.by_band[0], atol=1e-3)


def test_the_sidecar_of_the_bold_knows_the_files(run):
    metadata = explained_metadata(run.job.settings, run.job.model, run.facts.names)[EXPLAINED]
    assert metadata["Regions"] == list(ROIS)
    root = run.facts.names.output_dir
    assert {root / file for file in metadata["Files"]} == set(run.explained.paths)


def test_the_validator_accepts_tables_and_graph(run, validator_issues):
    with_graph = _with_graph(run.explained.explanation)
    paths = write_explanation(with_graph, chosen_regions(ROIS), run.facts)
    graph = attention_path(run.facts.names)
    assert graph in paths
    weights = pd.read_csv(graph, sep="\t")
    assert list(weights.columns) == list(with_graph.graph.electrodes)
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-4)
    assert validator_issues(run.facts.names.output_dir) == []


def test_panels_say_what_they_show(run, recording):
    explanation = _with_graph(run.explained.explanation)
    with report_style():
        for draw in (draw_relevance, draw_attention):
            drawing = draw(SimpleNamespace(explanation=explanation))
            assert len(svg_bytes(drawing.figure, "title", drawing.description)) < 1_500_000
        drawing = draw_relevance(SimpleNamespace(explanation=replace(explanation, graph=None)))
    assert "Vis: most at" in drawing.description
    assert "no electrode graph" in drawing.description


def test_what_was_explained_before_goes_with_its_prediction(run):
    names = run.facts.names
    old, other = relevance_path(names, "Cont"), Path(str(relevance_path(names, "Cont")).replace("rest_", "rest2_"))
    for path in (old, other):
        path.write_text("")
    job = SimpleNamespace(**vars(run.job) | {"settings": replace(run.job.settings, explain=None)})
    assert explain_recording(job, run.facts, run.maps) is None
    assert not old.exists()
    assert not relevance_path(names, "Vis").exists()
    assert other.exists()
    assert explained_metadata(job.settings, job.model, names) == {}


def _with_graph(explanation: Explanation) -> Explanation:
    relevance = explanation.relevance
    n = len(relevance.electrodes)
    weights = np.random.default_rng(0).dirichlet(np.ones(n), n)
    graph = ElectrodeGraph(
        relevance.electrodes, relevance.directions, weights, np.zeros((len(relevance.regions), n, n))
    )
    return replace(explanation, graph=graph)
