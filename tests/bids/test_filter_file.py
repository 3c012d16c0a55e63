from __future__ import annotations

import json
from pathlib import Path

import pytest

from bids_eeg2fmri.bids.bids_name import parse_name
from bids_eeg2fmri.bids.filter_file import read_filter_file, same_run
from bids_eeg2fmri.errors import MissingInputError, UsageError


def accepts(tmp_path: Path, query: object, name: str) -> bool:
    path = tmp_path / "filter.json"
    path.write_text(json.dumps({"eeg": query}))
    parsed = parse_name(name)
    assert parsed is not None
    return read_filter_file(path).eeg.accepts(parsed)


NAME = "sub-01_ses-a_task-rest_run-02_desc-clean_eeg.edf"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, True),
        ({"task": "rest"}, True),
        ({"task": "task-rest"}, True),
        ({"task": ["music", "rest"]}, True),
        ({"task": "music"}, False),
        ({"task": "Rest"}, False),
        ({"acquisition": None}, True),
        ({"acquisition": "*"}, False),
        ({"acquisition": [None, "high"]}, True),
        ({"session": "*"}, True),
        ({"session": None}, False),
        ({"ses": "a"}, True),
        ({"run": 2}, True),
        ({"run": "02"}, True),
        ({"run": 3}, False),
        ({"description": "clean"}, True),
        ({"datatype": "eeg", "suffix": "eeg"}, True),
        ({"datatype": "meg"}, False),
        ({"extension": ".edf"}, True),
        ({"extension": ["vhdr", "edf"]}, True),
        ({"extension": ".vhdr"}, False),
        ({"task": []}, False),
        ({"task": "rest", "session": "b"}, False),
    ],
)
def test_semantics(tmp_path: Path, query: object, expected: bool) -> None:
    assert accepts(tmp_path, query, NAME) is expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, True),
        ({"datatype": "func", "suffix": "bold"}, True),
        ({"datatype": "eeg"}, False),
        ({"task": "rest", "resolution": 2}, True),
        ({"res": None}, False),
        ({"reconstruction": None, "direction": "AP", "echo": None}, True),
        ({"extension": "nii"}, False),
    ],
)
def test_measured_bold_has_its_own_query(tmp_path: Path, query: object, expected: bool) -> None:
    path = tmp_path / "filter.json"
    path.write_text(json.dumps({"eeg": {"task": "music"}, "bold": query}))
    name = parse_name("sub-01_task-rest_dir-AP_space-MNI152NLin2009cAsym_res-2_desc-preproc_bold.nii.gz")
    assert name is not None
    assert read_filter_file(path).bold.accepts(name) is expected


def test_what_is_not_understood_is_reported_and_ignored(tmp_path: Path) -> None:
    path = tmp_path / "filter.json"
    path.write_text(json.dumps({"t1w": {"task": "rest"}, "eeg": {"colour": "red", "task": "rest"}, "bold": {"tr": 2}}))
    read = read_filter_file(path)
    assert read.eeg.rules == {"task": ("rest",)}
    assert read.bold.rules == {}
    assert len(read.ignored) == 3
    assert "'t1w'" in read.ignored[0] and "'colour'" in read.ignored[1] and "'tr'" in read.ignored[2]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"eeg": {"task": "rest",}}', "line 1, column"),
        ("[]", "holds a list"),
        ('{"eeg": "rest"}', "must be an object"),
        ('{"bold": ["rest"]}', "'bold' must be an object"),
        ('{"eeg": {"task": {"a": 1}}}', "'task' must be text"),
        ('{"eeg": {"task": true}}', "'task' must be text"),
    ],
)
def test_files_that_do_not_do(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "filter.json"
    path.write_text(content)
    with pytest.raises(UsageError, match=message):
        read_filter_file(path)


def test_no_file() -> None:
    assert read_filter_file(None).eeg.rules == read_filter_file(None).bold.rules == {}
    with pytest.raises(MissingInputError):
        read_filter_file(Path("/nonexistent/filter.json"))


def test_runs_compare_as_numbers() -> None:
    assert same_run("1", "01")
    assert not same_run("1", "10")
    assert same_run("1a", "1a")
    assert not same_run("1a", "1")
