from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from bids_eeg2fmri.bids.scans_table import start_times

TABLE = """\
filename\tacq_time\tnote
eeg/sub-01_ses-a_task-rest_eeg.vhdr\t2020-03-01T10:00:00\tfirst
func/sub-01_ses-a_task-rest_bold.nii.gz\t2020-03-01T11:00:05.250000+01:00\t
func/sub-01_ses-a_task-music_bold.nii.gz\tn/a\t
func/sub-01_ses-a_task-faces_bold.nii.gz\tyesterday\t
notes.txt\t2020-03-01T10:00:00Z\t
short
"""


def test_times_are_comparable_across_zones(tmp_path: Path, add: Callable[..., Path]) -> None:
    add("sub-01/ses-a/sub-01_ses-a_scans.tsv", content=TABLE)
    found = start_times(tmp_path, "01", "a")
    assert [(name.suffix, name.entities["task"]) for name, _ in found[:2]] == [("eeg", "rest"), ("bold", "rest")]
    assert [time for _, time in found[:2]] == [datetime(2020, 3, 1, 10), datetime(2020, 3, 1, 10, 0, 5, 250000)]
    assert {name.suffix for name, _ in found[2:]} <= {"notes"}


@pytest.mark.parametrize(
    "content", ["", "\n", "filename\n", "/annex/objects/MD5E-s1\n", "filename\tacq_time\nx\t2020\t3\n"]
)
def test_a_table_that_says_nothing_is_no_error(tmp_path: Path, add: Callable[..., Path], content: str) -> None:
    add("sub-01/sub-01_scans.tsv", content=content)
    assert start_times(tmp_path, "01", None) == []


def test_no_table(tmp_path: Path) -> None:
    assert start_times(tmp_path, "01", None) == []
    (tmp_path / "sub-01").mkdir()
    (tmp_path / "sub-01" / "sub-01_scans.tsv").write_bytes(b"\xff\xfe\x00")
    assert start_times(tmp_path, "01", None) == []
