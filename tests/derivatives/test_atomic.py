"""Atomic writes, and what a refusal by the operating system becomes."""

from __future__ import annotations

import errno
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bids_eeg2fmri.derivatives.atomic import (
    atomic_path,
    json_text,
    remove_leftovers,
    sweep,
    temporary_folder,
    write_json,
    write_text,
    write_text_if_changed,
    writing,
)
from bids_eeg2fmri.errors import OutputError, WriteError


def test_a_failed_block_leaves_what_was_there_and_nothing_else(tmp_path: Path):
    path = tmp_path / "figure.svg"
    write_text(path, "first")
    with pytest.raises(RuntimeError), atomic_path(path) as temporary:
        assert temporary.parent == path.parent
        assert temporary.suffix == ".svg"
        assert temporary.name.startswith(".tmp-")
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "first"
    assert list(tmp_path.iterdir()) == [path]


def test_missing_folders_are_made(tmp_path: Path):
    write_text(tmp_path / "a" / "b" / "c.txt", "ä")
    assert (tmp_path / "a" / "b" / "c.txt").read_text(encoding="utf-8") == "ä"


def test_an_unchanged_text_is_not_written_again(tmp_path: Path):
    path = tmp_path / "README.md"
    write_text_if_changed(path, "one")
    before = path.stat()
    write_text_if_changed(path, "one")
    assert path.stat().st_ino == before.st_ino
    write_text_if_changed(path, "two")
    assert path.read_text() == "two"


def test_many_jobs_may_write_the_same_file_at_once(tmp_path: Path):
    path, text = tmp_path / "dataset_description.json", "x" * 100_000
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: write_text_if_changed(path, text), range(64)))
    assert path.read_text() == text
    assert list(tmp_path.iterdir()) == [path]


def leave_behind(path: Path) -> Path:
    """A temporary file of ``path``, as a process that was killed leaves it."""
    with atomic_path(path) as temporary:
        name = temporary.name
    path.unlink()
    leftover = path.with_name(name)
    leftover.write_text("half")
    return leftover


def test_only_this_files_leftovers_are_removed(tmp_path: Path):
    path, other = tmp_path / "run-1_bold.nii.gz", tmp_path / "run-2_bold.nii.gz"
    mine, yours = leave_behind(path), leave_behind(other)
    remove_leftovers(path)
    assert not mine.exists()
    assert yours.exists()


def test_what_is_being_written_is_no_leftover(tmp_path: Path):
    path = tmp_path / "bold.nii.gz"
    leave_behind(path)
    with atomic_path(path) as temporary:
        temporary.write_text("whole")
        remove_leftovers(path)
        sweep(tmp_path)
        assert list(tmp_path.iterdir()) == [temporary]
    assert path.read_text() == "whole"
    assert list(tmp_path.iterdir()) == [path]


def test_a_sweep_takes_files_folders_and_links_but_nothing_else(tmp_path: Path):
    leave_behind(tmp_path / "README.md")
    with temporary_folder(tmp_path) as folder:
        name = folder.name
    (tmp_path / name / "inside").mkdir(parents=True)
    (tmp_path / f"{name}_T1w.nii.gz").symlink_to("nowhere")
    (tmp_path / "kept").mkdir()
    with temporary_folder(tmp_path) as folder:
        (folder / "weights").touch()
        sweep(tmp_path, tmp_path / "absent")
        assert {path.name for path in tmp_path.iterdir()} == {"kept", folder.name}
        assert (folder / "weights").exists()
    assert {path.name for path in tmp_path.iterdir()} == {"kept"}


def test_what_another_host_made_goes_when_it_has_not_changed_for_a_day(tmp_path: Path):
    # Its lock may not be seen here; so it is with names of versions that did not note the host.
    young, old, lock = tmp_path / ".tmp-01234567-89_bold", tmp_path / ".tmp-0123_bold", tmp_path / ".tmp-lock_sub-01"
    folder = tmp_path / ".tmp-76543210-89"
    folder.mkdir()
    for path in (young, old, lock):
        path.touch()
    for path in (old, folder):
        os.utime(path, (time.time() - 100_000,) * 2)
    sweep(tmp_path)
    assert set(tmp_path.iterdir()) == {young, lock}


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, WriteError),
        (errno.EFBIG, WriteError),
        (errno.EDQUOT, WriteError),
        (errno.EIO, WriteError),
        (errno.EROFS, OutputError),
        (errno.EACCES, OutputError),
        (errno.EPERM, OutputError),
        (errno.ENOTDIR, OutputError),
    ],
)
def test_refusals_name_the_path_and_a_remedy(number: int, kind: type[Exception]):
    with pytest.raises(kind) as caught, writing(Path("/out/x.json")):
        raise OSError(number, "refused")
    assert caught.value.path == Path("/out/x.json")
    assert caught.value.remedy


def test_a_file_in_the_place_of_a_folder_is_an_output_error(tmp_path: Path):
    (tmp_path / "sub-01").touch()
    with pytest.raises(OutputError):
        write_text(tmp_path / "sub-01" / "func" / "x.json", "")


def test_json_is_stable_readable_and_knows_arrays(tmp_path: Path):
    path = tmp_path / "x.json"
    write_json(path, {"b": np.float32(0.5), "a": np.arange(2), "µ": (1, 2), "path": Path("x")})
    assert path.read_text(encoding="utf-8").startswith('{\n  "b": 0.5,\n  "a"')
    assert "µ" in path.read_text(encoding="utf-8")
    assert json.loads(path.read_text(encoding="utf-8")) == {"b": 0.5, "a": [0, 1], "µ": [1, 2], "path": "x"}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), np.float32("nan"), np.array([1, np.nan])])
def test_json_refuses_what_is_not_a_number(tmp_path: Path, value: object):
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(tmp_path / "x.json", {"metric": value})
    assert not list(tmp_path.iterdir())


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.text(), values))
def test_json_round_trip(content: dict[str, object]):
    assert json.loads(json_text(content)) == content


def test_an_error_that_has_become_its_own_context_is_no_endless_chain(tmp_path: Path) -> None:
    error = OSError(errno.ENOSPC, "No space left on device")
    error.__context__ = error
    with pytest.raises(WriteError) as caught, writing(tmp_path / "image.nii.gz"):
        raise error
    assert caught.value.__cause__ is error
    assert error.__context__ is None
