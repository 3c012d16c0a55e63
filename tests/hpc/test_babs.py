"""The configuration for BABS: what its jobs would run is understood, and each result has its place."""

from __future__ import annotations

from pathlib import Path

import yaml

from bids_eeg2fmri import __version__
from bids_eeg2fmri.cli import parse

CONFIGURATION = yaml.safe_load((Path(__file__).parents[2] / "examples" / "eg_bids_eeg2fmri.yaml").read_text("utf-8"))


def test_the_command_of_a_job_is_understood(tmp_path: Path) -> None:
    bids, job = tmp_path / "inputs" / "data" / "BIDS", tmp_path / "job"
    bids.mkdir(parents=True)
    options = dict(CONFIGURATION["bids_app_args"])
    selection = options.pop("$SUBJECT_SELECTION_FLAG")
    words = [word for pair in options.items() for word in pair if word]
    scratch = [str(job) if word == "$BABS_TMPDIR" else word for word in words]
    line = [str(bids), str(tmp_path / "outputs" / "bids_eeg2fmri"), "participant", *scratch, selection, "sub-01"]
    settings, _ = parse(line)
    assert settings.participant_label == ("01",)
    assert settings.work_dir == job
    assert settings.stop_on_first_crash
    assert parse([*line, "--session-label", "ses-02"])[0].session_label == ("02",)


def test_the_results_are_one_dataset_of_this_version() -> None:
    assert CONFIGURATION["all_results_in_one_zip"] is True
    folders = CONFIGURATION["zip_foldernames"]
    assert folders == {"CREATE_ROOT_OUTPUT_DIR": "true", "bids_eeg2fmri": __version__.replace(".", "-")}


def test_the_threads_are_those_of_the_job() -> None:
    threads = CONFIGURATION["bids_app_args"]["--omp-nthreads"]
    assert f"--cpus-per-task={threads}\n" in CONFIGURATION["cluster_resources"]["customized_text"]


def test_the_input_is_what_the_app_reads() -> None:
    (dataset,) = CONFIGURATION["input_datasets"].values()
    assert dataset["required_files"] == ["eeg/*_eeg.*"]
    assert not dataset["is_zipped"]
