"""Arrays in files of the work directory: what they hold, and the memory that they take."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from bids_eeg2fmri.eeg.scratch import release, release_large, released_rows, scratch_array
from bids_eeg2fmri.errors import WriteError

LARGE = (32, 2**20)
LARGE_KIB = 4 * 32 * 2**10


def mapped_kib() -> int:
    """Resident pages of mapped files."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssFile"))


def test_an_array_in_a_file_leaves_none_behind_and_keeps_its_values(tmp_path: Path) -> None:
    array = scratch_array((3, 1000), tmp_path / "work")
    values = np.random.default_rng(0).standard_normal(array.shape).astype(np.float32)
    array[:] = values
    assert list((tmp_path / "work").iterdir()) == []
    release(array[1:, ::2])
    np.testing.assert_array_equal(array, values)


def test_without_a_work_directory_it_is_an_array_like_any_other() -> None:
    array = scratch_array((2, 3), None)
    assert array.shape == (2, 3) and array.dtype == np.float32 and array.base is None
    array[:] = 1
    for let_go in (release, release_large):
        let_go(array)
        assert (array == 1).all()


@pytest.mark.skipif(sys.platform != "linux", reason="memory is counted by /proc")
def test_what_is_released_is_in_memory_no_more(tmp_path: Path) -> None:
    before = mapped_kib()
    array = scratch_array(LARGE, tmp_path)
    array[:] = np.arange(len(array))[:, None]
    assert mapped_kib() - before > 0.9 * LARGE_KIB
    release(array)
    assert mapped_kib() - before < 0.1 * LARGE_KIB
    peak = max((row.sum() == row[0] * row.size, mapped_kib() - before)[1] for row in released_rows(array))
    assert peak < 0.1 * LARGE_KIB
    assert [row[-1] for row in array] == list(range(len(array)))


@pytest.mark.skipif(sys.platform != "linux", reason="memory is counted by /proc")
def test_a_small_array_may_stay(tmp_path: Path) -> None:
    array = scratch_array((8, 2**20), tmp_path)
    array[:] = 1
    before = mapped_kib()
    release_large(array)
    assert mapped_kib() >= before
    release(array)
    assert before - mapped_kib() > 0.9 * array.nbytes / 2**10


def test_a_work_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(WriteError, match="0 MiB of signals") as caught:
        scratch_array((2, 3), tmp_path / "file" / "work")
    assert "--work-dir" in str(caught.value)
