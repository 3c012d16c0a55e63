"""Runs that cannot begin, or that the system stops: exit code, last words, and nothing damaged."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import jax
import pytest

# Room for the samples, which wait in the scratch folder, and not for the BOLD: the write fails half-way.
_SMALL_FILES = """\
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))
from bids_eeg2fmri.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (["--participant-label", "nobody"], 18, ("no such participant: nobody",)),
        (["--task-id", "rest"], 18, ("no recording passes the filters", "Ask for values")),
        (["--bids-filter-file", '{"eeg": {"task": "rest"}}'], 18, ("no recording passes the filters",)),
        (["--bids-filter-file", '{"eeg": '], 2, ("filter.json", "line 1")),
        (["--output-spaces", "MNI152NLin6Asym"], 2, ("unknown output space", "MNI152NLin2009cAsym:res-2")),
        (["--model", "nowhere"], 66, ("no model 'nowhere'", "neuralfield-sim")),
        (["--montage", "my_cap"], 64, ("my_cap", "colin27_1005")),
        (["--volume-marker", "T99"], 64, ("'T99'", "R128", "--volume-marker")),
        (["--tr", "3"], 64, ("--tr says 3 s", "2 s", "--volume-marker none")),
    ],
)
def test_options_that_cannot_be_met(
    short_dataset: Path, here, snapshot, tmp_path: Path, options: list[str], code: int, says: tuple[str, ...]
) -> None:
    if options[0] == "--bids-filter-file":
        (tmp_path / "filter.json").write_text(options[1])
        options = [options[0], str(tmp_path / "filter.json")]
    before = snapshot(short_dataset)
    finished = here(short_dataset, tmp_path / "out", "participant", *options)
    assert finished.code == code
    assert "Traceback" not in finished.out + finished.err
    assert all(part in finished.last_words for part in says), finished.err
    assert snapshot(short_dataset) == before
    assert not list((tmp_path / "out").rglob("*.nii.gz"))


def test_the_filters_are_shown_beside_what_there_is(short_dataset: Path, here, tmp_path: Path) -> None:
    finished = here(short_dataset, tmp_path / "out", "participant", "--task-id", "rest", "--run-id", "7")
    assert [line.split() for line in finished.err.splitlines() if line.startswith("  --task-id")] == [
        ["--task-id", "rest", "blocks"]
    ]


def test_an_unknown_level(short_dataset: Path, here, tmp_path: Path) -> None:
    finished = here(short_dataset, tmp_path / "out", "second")
    assert finished.code == 17
    assert "'second'" in finished.last_words and "participant, group" in finished.last_words


def test_a_group_without_participants(short_dataset: Path, here, tmp_path: Path) -> None:
    finished = here(short_dataset, tmp_path / "out", "group")
    assert finished.code == 18
    assert "participant level" in finished.last_words


def test_no_dataset(here, tmp_path: Path) -> None:
    (tmp_path / "sub-01").mkdir()
    finished = here(tmp_path, tmp_path.with_name("out"), "participant")
    assert finished.code == 16
    assert "dataset_description.json is missing" in finished.last_words


def test_no_gpu(short_dataset: Path, here, tmp_path: Path) -> None:
    if jax.default_backend() == "gpu":
        pytest.skip("there is a GPU")
    finished = here(short_dataset, tmp_path / "out", "participant", "--device", "gpu")
    assert finished.code == 64
    assert "docker run --gpus all" in finished.last_words
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("inside", [".", "sub-01/out", "out"])
def test_an_output_inside_the_input(short_dataset: Path, here, snapshot, inside: str) -> None:
    before = snapshot(short_dataset)
    finished = here(short_dataset, short_dataset / inside, "participant")
    assert finished.code == 2
    assert "OUTPUT_DIR" in finished.last_words and str(short_dataset) in finished.last_words
    assert snapshot(short_dataset) == before


def test_an_output_where_nothing_can_be_written(short_dataset: Path, here, tmp_path: Path) -> None:
    # Permissions do not bind root: a file in the way, and a file system that takes no folders, do.
    (tmp_path / "file").write_text("precious")
    places = [tmp_path / "file" / "out", *([Path("/sys/out")] if Path("/sys/kernel").is_dir() else [])]
    if os.geteuid() != 0:
        (tmp_path / "locked").mkdir(mode=0o555)
        places.append(tmp_path / "locked" / "out")
    for place in places:
        finished = here(short_dataset, place, "participant")
        assert finished.code == 73, place
        assert str(place) in finished.last_words and "output folder" in finished.last_words
    finished = here(short_dataset, tmp_path / "out", "participant", "--work-dir", tmp_path / "file" / "work")
    assert finished.code == 73
    assert str(tmp_path / "file" / "work") in finished.last_words and "--work-dir" in finished.last_words
    assert (tmp_path / "file").read_text() == "precious"


def test_an_output_that_is_another_dataset(short_dataset: Path, here, snapshot, tmp_path: Path) -> None:
    other = tmp_path / "fmriprep"
    other.mkdir()
    (other / "dataset_description.json").write_text(json.dumps({"Name": "x", "GeneratedBy": [{"Name": "fMRIPrep"}]}))
    before = snapshot(other)
    finished = here(short_dataset, other, "participant")
    assert finished.code == 73
    assert "another dataset" in finished.last_words
    assert snapshot(other) == before


def test_a_full_disk(short_dataset: Path, here, res_4, work_dir: Path, tmp_path: Path) -> None:
    large = (*res_4, "--float32")
    arguments = [short_dataset, tmp_path / "out", "participant", *large, "--work-dir", work_dir]
    line = [sys.executable, "-c", _SMALL_FILES, *map(str, arguments)]
    done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=300, cwd=tmp_path)
    assert done.returncode == 74, done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("bids-eeg2fmri: failed: sub-01_task-blocks: ") and "_bold" in last and "Free some" in last
    written = [path.name for path in (tmp_path / "out").rglob("*")]
    assert not [name for name in written if name.startswith(".tmp-") or name.endswith("_desc-preproc_bold.json")]
    again = here(short_dataset, tmp_path / "out", "participant", *large)
    assert again.code == 0
    assert again.table["sub-01_task-blocks"][0] == "written"
