"""Dataset-level files, and one model per output directory."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from bids_eeg2fmri.derivatives import one_model
from bids_eeg2fmri.derivatives.atomic import sweep
from bids_eeg2fmri.derivatives.boilerplate import boilerplate
from bids_eeg2fmri.derivatives.dataset import dataset_description, write_dataset_files
from bids_eeg2fmri.derivatives.one_model import MODEL_FILE, claim_for_one_model
from bids_eeg2fmri.derivatives.provenance import ModelProvenance
from bids_eeg2fmri.errors import BadDataError, OutputError, UsageError


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    raw = tmp_path / "raw"
    raw.mkdir()
    description = {"Name": "Faces", "License": "CC0", "DatasetDOI": "doi:10.0000/faces", "HEDVersion": "8.3.0"}
    (raw / "dataset_description.json").write_text(json.dumps(description))
    (raw / "LICENSE").write_text("public domain")
    return raw


def test_the_description_says_who_made_it_from_what(tmp_path: Path, raw: Path, model: ModelProvenance, monkeypatch):
    monkeypatch.setenv("BIDS_EEG2FMRI_DOCKER_TAG", "bids_eeg2fmri:0.1.0")
    description = dataset_description(tmp_path / "out", raw, {"clean": tmp_path / "clean"}, model)
    assert description["DatasetType"] == "derivative"
    first, second = description["GeneratedBy"]
    assert first["Name"] == "bids_eeg2fmri"
    assert first["Container"] == {"Type": "docker", "Tag": "bids_eeg2fmri:0.1.0"}
    assert model.sha256 in second["Description"]
    assert description["SourceDatasets"] == [{"URL": raw.as_uri(), "DOI": "doi:10.0000/faces"}]
    assert description["DatasetLinks"]["raw"] == raw.as_uri()
    assert description["DatasetLinks"]["clean"] == (tmp_path / "clean").as_uri()
    assert description["License"] == "CC0"
    assert description["HEDVersion"] == "8.3.0"
    assert "synthetic" in description["Keywords"]


def test_singularity_and_an_output_inside_the_source(raw: Path, model: ModelProvenance, monkeypatch):
    monkeypatch.setenv("BIDS_EEG2FMRI_SINGULARITY_URL", "docker://bids_eeg2fmri")
    description = dataset_description(raw / "derivatives" / "eeg2fmri", raw, {}, model)
    assert description["GeneratedBy"][0]["Container"] == {"Type": "singularity", "URI": "docker://bids_eeg2fmri"}
    assert description["DatasetLinks"]["raw"] == "../.."


def test_links_of_earlier_runs_stay_unless_given_anew(tmp_path: Path, raw: Path, model: ModelProvenance):
    out, path = tmp_path / "out", tmp_path / "out" / "dataset_description.json"
    write_dataset_files(out, raw, {"fmriprep": tmp_path / "prep", "clean": tmp_path / "clean"}, model)
    before = path.read_bytes()
    write_dataset_files(out, raw, {}, model)
    assert path.read_bytes() == before
    write_dataset_files(out, raw, {"clean": tmp_path / "cleaner", "b": tmp_path / "b"}, model)
    links = json.loads(path.read_text())["DatasetLinks"]
    assert list(links) == ["b", "clean", "fmriprep", "raw", "templateflow"]
    assert (links["clean"], links["fmriprep"]) == ((tmp_path / "cleaner").as_uri(), (tmp_path / "prep").as_uri())


@pytest.mark.parametrize(
    "earlier",
    [
        {"DatasetLinks": {"x": "y"}},
        {"GeneratedBy": [{"Name": "fMRIPrep"}, "?"], "DatasetLinks": {"x": "y"}},
        {"GeneratedBy": [{"Name": "bids_eeg2fmri"}], "DatasetLinks": ["x"]},
        {"GeneratedBy": [{"Name": "bids_eeg2fmri"}], "DatasetLinks": {"x": 1}},
    ],
)
def test_links_of_others_and_broken_ones_do_not_stay(tmp_path: Path, raw: Path, model: ModelProvenance, earlier):
    (tmp_path / "dataset_description.json").write_text(json.dumps(earlier))
    assert set(dataset_description(tmp_path, raw, {}, model)["DatasetLinks"]) == {"raw", "templateflow"}


def test_a_source_without_description_is_no_obstacle(tmp_path: Path, model: ModelProvenance):
    (tmp_path / "raw").mkdir()
    for content in ("[]", "{", '{"Name": "x"}'):
        (tmp_path / "raw" / "dataset_description.json").write_text(content)
        write_dataset_files(tmp_path / "out", tmp_path / "raw", {}, model)
    assert "License" not in json.loads((tmp_path / "out" / "dataset_description.json").read_text())


def test_every_dataset_file_is_written_and_stays_when_nothing_changed(
    tmp_path: Path, raw: Path, model: ModelProvenance
):
    out = tmp_path / "out"
    write_dataset_files(out, raw, {}, model)
    files = {path.relative_to(out).as_posix(): path.stat().st_ino for path in out.rglob("*") if path.is_file()}
    assert set(files) == {
        "dataset_description.json", "README.md", ".bidsignore", "descriptions.tsv", "logs/CITATION.md", "LICENSE"
    }  # fmt: skip
    write_dataset_files(out, raw, {}, model)
    assert files == {path.relative_to(out).as_posix(): path.stat().st_ino for path in out.rglob("*") if path.is_file()}
    readme = (out / "README.md").read_text()
    assert "No BOLD in this dataset was measured" in readme
    assert "not for clinical decisions" in readme
    assert "simulated" in readme  # the training data
    assert "figures\n" in (out / ".bidsignore").read_text()
    assert (out / "LICENSE").read_text() == "public domain"


def test_the_boilerplate_names_versions_and_references(model: ModelProvenance):
    text = boilerplate(replace(model, doi="10.0000/model"), "Faces", "doi:10.0000/faces")
    for expected in ("not measurements", model.sha256, "10.0000/model", "doi:10.0000/faces", "Schaefer", "CC0"):
        assert expected in text
    assert "{" not in text


def test_a_second_model_is_refused_and_the_first_named(tmp_path: Path, model: ModelProvenance):
    claim_for_one_model(tmp_path, model)
    claim_for_one_model(tmp_path, replace(model, name="the same weights from a folder"))
    note = (tmp_path / MODEL_FILE).read_text()
    with pytest.raises(UsageError, match=r"neuralfield-sim 1\.0") as caught:
        claim_for_one_model(tmp_path, replace(model, name="other", sha256="cd" * 32))
    assert caught.value.path == tmp_path
    assert (tmp_path / MODEL_FILE).read_text() == note


def test_another_job_that_tidies_up_leaves_the_note_alone(tmp_path: Path, model: ModelProvenance, monkeypatch):
    link = os.link

    def link_after_a_sweep(source: Path, target: Path) -> None:
        sweep(source.parent)
        link(source, target)

    monkeypatch.setattr(one_model.os, "link", link_after_a_sweep)
    claim_for_one_model(tmp_path, model)
    assert [path.name for path in (tmp_path / "logs").iterdir()] == ["model.json"]


@pytest.mark.parametrize("hard_links", [True, False])
def test_among_jobs_that_start_at_once_one_model_wins(tmp_path: Path, model: ModelProvenance, monkeypatch, hard_links):
    if not hard_links:

        def no_links(source: Path, target: Path) -> None:
            raise OSError(95, "Operation not supported")  # fmt: skip

        monkeypatch.setattr(one_model.os, "link", no_links)
    models = [replace(model, name=f"model{index % 4}", sha256=str(index % 4) * 64) for index in range(32)]

    def claimed(candidate: ModelProvenance) -> bool:
        try:
            claim_for_one_model(tmp_path, candidate)
        except (UsageError, BadDataError):
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        outcome = list(pool.map(claimed, models))
    winner = json.loads((tmp_path / MODEL_FILE).read_text())["SHA256"]
    if hard_links:
        assert outcome == [candidate.sha256 == winner for candidate in models]
    assert {candidate.sha256 for candidate, won in zip(models, outcome, strict=True) if won} == {winner}
    assert [path.name for path in (tmp_path / "logs").iterdir()] == ["model.json"]


def test_a_broken_note_and_a_blocked_folder_are_explained(tmp_path: Path, model: ModelProvenance):
    (tmp_path / "logs").mkdir()
    (tmp_path / MODEL_FILE).write_text("{")
    with pytest.raises(BadDataError, match="Delete it"):
        claim_for_one_model(tmp_path, model)
    (tmp_path / "file").touch()
    with pytest.raises(OutputError):
        claim_for_one_model(tmp_path / "file", model)
