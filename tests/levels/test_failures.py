from __future__ import annotations

import errno
from pathlib import Path

import pytest

from bids_eeg2fmri.errors import BadDataError
from bids_eeg2fmri.levels.failures import explain
from bids_eeg2fmri.settings import Settings

SETTINGS = Settings(Path("/in"), Path("/out"), "participant", work_dir=Path("/work"))


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), 74, "Free some space"),
        (OSError(errno.ENOSPC, "No space left on device", "/out/a.nii.gz"), 74, "/out/a.nii.gz"),
        (OSError(errno.EFBIG, "File too large", "/elsewhere"), 74, "Free some space"),
        (OSError(errno.EROFS, "Read-only file system", "/out/a"), 73, "may write to"),
        (PermissionError(errno.EACCES, "Permission denied", "/out/a"), 73, "may write to"),
        (PermissionError(errno.EACCES, "Permission denied", "/work/a"), 73, "/work/a"),
        (PermissionError(errno.EACCES, "Permission denied", "/in/a.edf"), 66, "/in/a.edf"),
        (FileNotFoundError(errno.ENOENT, "No such file", "/in/a.eeg"), 66, "/in/a.eeg"),
        (FileNotFoundError(errno.ENOENT, "No such file", b"/in/a.eeg"), 66, "/in/a.eeg"),
        (MemoryError(), 75, "--low-mem"),
        (RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating"), 75, "--low-mem"),
        (BadDataError("bad."), 65, "bad."),
    ],
)
def test_expected(error: Exception, code: int, text: str) -> None:
    explained = explain(error, SETTINGS)
    assert explained is not None
    assert explained.exit_code == code
    assert text in str(explained)


@pytest.mark.parametrize("error", [ValueError("x"), KeyError("y"), OSError(errno.EINVAL, "Invalid", "/in/a")])
def test_unexpected(error: Exception) -> None:
    assert explain(error, SETTINGS) is None
