from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bids_eeg2fmri.bold.confound_columns import read_confounds
from bids_eeg2fmri.errors import BadDataError, MissingInputError, UsageError

TABLE = """\
csf\tcsf_derivative1\tcosine00\tcosine01\tbroken\twords
1\tn/a\t0.5\t0.1\t1\ta
2\t1\t0.0\t0.2\tn/a\tb
4\t2\t-0.5\t0.3\t1\tc
0\t-4\t0\t0\t1\td
1\t1\t0\t0\t1\te
0\t-1\t0\t0\t1\tf
1\t1\t0\t0\t1\tg
"""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "sub-01_task-rest_desc-confounds_timeseries.tsv"
    path.write_text(TABLE)
    return path


def test_columns_and_patterns_in_the_order_asked_for(table: Path) -> None:
    values = read_confounds(table, ("cosine*", "csf_derivative1", "cosine01", "csf"), 7)
    expected = [[0.5, 0.1, 0, 1], [0, 0.2, 1, 2], [-0.5, 0.3, 2, 4]]
    np.testing.assert_array_equal(values[:3], expected)


def test_a_column_that_is_not_there_names_those_that_are(table: Path) -> None:
    with pytest.raises(UsageError, match=r"no confound named rot_x, a_comp_\*\. .*csf, csf_derivative1, cosine00"):
        read_confounds(table, ("csf", "rot_x", "a_comp_*"), 7)


@pytest.mark.parametrize(
    ("columns", "n_volumes", "message"),
    [
        (("csf",), 8, "7 rows of confounds for 8 volumes"),
        (("broken",), 7, "broken has no value at volume 1"),
        (("words",), 7, "is not a number"),
    ],
)
def test_tables_that_do_not_do(table: Path, columns: tuple[str, ...], n_volumes: int, message: str) -> None:
    with pytest.raises(BadDataError, match=message):
        read_confounds(table, columns, n_volumes)


def test_more_confounds_than_the_volumes_can_bear(table: Path) -> None:
    with pytest.raises(UsageError, match="5 confounds leave nothing of 7 volumes"):
        read_confounds(table, ("c*", "broken"), 7)


@pytest.mark.parametrize("content", [b"", b"a\tb\n1\n1\t2\t3\t4\n", b"\xff\xfe\x00\x01"])
def test_files_that_are_no_tables(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.tsv"
    path.write_bytes(content)
    with pytest.raises(BadDataError):
        read_confounds(path, ("a",), 2)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(MissingInputError):
        read_confounds(tmp_path / "x.tsv", ("a",), 2)
