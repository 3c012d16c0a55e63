"""The published protocols on miniature replicas of the downloads, through the real command lines."""

from __future__ import annotations

import json

import pytest
from published_replicas import write_cn_epfl, write_fmriprep, write_noddi, write_oddball

from benchmarks.published.__main__ import main
from benchmarks.published.benchmark import BENCHMARKS
from benchmarks.published.bids_writing import write_description
from benchmarks.published.protocol import Request, train_command
from benchmarks.published.split import choose_people
from bids_eeg2fmri.cli import main as package

TINY = {
    "eeg_shape": [16, 40, 5],
    "fmri_shape": [9, 10, 8],
    "latent_shape": [3, 3, 3],
    "n_filters": 2,
    "fmri_blocks": None,
    "eeg_blocks": {"kernels": [[5, 7, 2], [3, 3, 1]], "strides": [[2, 2, 1], [1, 1, 1]]},
}
AUDITORY = "task-auditoryoddballwithbuttonresponsetotargetstimuli_run-01"


@pytest.fixture(scope="module")
def noddi(tmp_path_factory):
    """Three people of NODDI, and what fMRIPrep makes of them."""
    root = tmp_path_factory.mktemp("noddi")
    made = write_noddi(root / "download", ["32", "35", "36"])
    write_fmriprep(root / "fmriprep", made, "sub-{person}_task-rest")
    return root


def test_without_fmriprep_the_download_is_converted_and_the_command_printed(noddi, capsys):
    code = main(["noddi", str(noddi / "download"), str(noddi / "work"), "--train-people", "2", "--test-people", "1"])

    said = capsys.readouterr().err
    assert code == 66
    assert "the download's BOLD lies in the space of the scanner" in said
    assert "--participant-label 32 35 36 --task-id rest --output-spaces MNI152NLin2009cAsym:res-2" in said
    assert len(list((noddi / "work/bids").glob("sub-*/func/*_bold.nii.gz"))) == 3


def test_incomplete_fmriprep_is_refused(noddi, capsys, tmp_path):
    options = ["--train-people", "2", "--test-people", "1", "--fmriprep", str(tmp_path)]
    code = main(["noddi", str(noddi / "download"), str(noddi / "work"), *options])

    assert code == 66
    assert "no preprocessed BOLD in MNI152NLin2009cAsym of 32, 35, 36" in capsys.readouterr().err


@pytest.mark.parametrize(("folder", "said"), [("nowhere", "there is no such folder"), (".", "needs 10 people")])
def test_wrong_folder_is_refused(tmp_path, capsys, folder, said):
    assert main(["oddball", str(tmp_path / folder), str(tmp_path / "work")]) != 0
    assert said in capsys.readouterr().err


def test_fixed_protocol_prints_our_rows_beside_the_published(noddi, capsys):
    (noddi / "tiny.json").write_text(json.dumps(TINY))
    options = ["--train-people", "2", "--test-people", "1", "--fmriprep", str(noddi / "fmriprep")]
    options += ["--network", "calhas2022", "--network-config", f"calhas2022={noddi / 'tiny.json'}"]

    code = main(["noddi", str(noddi / "download"), str(noddi / "work"), *options, "--", "--epochs", "1"])

    assert code == 0
    splits = json.loads((noddi / "work/models/fixed/calhas2022/splits.json").read_text())
    assert splits["test"]["test"] == ["36"]
    table = (noddi / "work/noddi_fixed.md").read_text()
    assert table in capsys.readouterr().out
    names = [line.split(" | ")[0].strip("| ") for line in table.splitlines() if line.startswith("| ")]
    assert names[1] == "**calhas2022**"
    assert "calhas2022: mean volume" in names
    assert "calhas2022: circular shift, null 95 %" in names
    assert names[-1].startswith("Spec2VolCAMU-Net, published")


@pytest.mark.parametrize(
    ("name", "write", "folders", "stem"),
    [
        ("oddball", write_oddball, ["001", "002", "003"], f"sub-{{person}}_{AUDITORY}"),
        ("cn-epfl", write_cn_epfl, ["02", "04", "05"], "sub-{person}_ses-001_task-main_run-001"),
    ],
)
def test_train_level_pairs_what_was_converted(tmp_path, capsys, name, write, folders, stem):
    """Everything up to training: who has EEG with BOLD, and who is in which group."""
    made = write(tmp_path / "download", folders, n_volumes=30)
    converter = BENCHMARKS[name].converter
    labels = converter.people(tmp_path / "download")
    fmriprep = write_fmriprep(tmp_path / "fmriprep", dict(zip(labels, made.values(), strict=True)), stem)
    runs = [run for label in labels for run in converter.runs(label, every=False)]
    expected = {"fixed": {"test": labels[-1:]}, "loso": {f"fold-{fold}": None for fold in (1, 2, 3)}}

    for protocol, tests in expected.items():
        request = Request(
            BENCHMARKS[name], protocol, tmp_path / "download", tmp_path / "work", ("neuralfield",), fmriprep, 2, 1
        )
        for run in runs:
            converter.convert(request.downloaded, run, request.target)
        write_description(request.target, name, ["Nobody"], "https://example.org", "raw")
        people = choose_people(labels, protocol, 2, 1)
        assert package([*train_command(request, "neuralfield", people, runs, fmriprep), "--dry-run"]) == 0

        said = capsys.readouterr().out
        for label in labels:
            assert f"{stem.format(person=label)}_space-MNI152NLin2009cAsym" in said
        for split, tested in tests.items():
            (line,) = [line for line in said.splitlines() if line.startswith(f"{split}: ")]
            assert tested is None or line.endswith(f"test {tested[0]}")
