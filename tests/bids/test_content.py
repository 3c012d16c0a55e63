from __future__ import annotations

from pathlib import Path

import pytest

from bids_eeg2fmri.bids.content import read_json_object, require_content
from bids_eeg2fmri.errors import BadDataError, MissingInputError


def test_present_and_empty_files_pass(tmp_path: Path) -> None:
    path = tmp_path / "a.edf"
    path.touch()
    require_content(path)


def test_dangling_annex_link_says_datalad_get(tmp_path: Path) -> None:
    path = tmp_path / "a.edf"
    path.symlink_to(".git/annex/objects/XX/YY/MD5E-s1--0.edf")
    with pytest.raises(MissingInputError, match="datalad get") as caught:
        require_content(path)
    assert caught.value.path == path


def test_annex_pointer_says_datalad_get(tmp_path: Path) -> None:
    path = tmp_path / "a.edf"
    path.write_text("/annex/objects/MD5E-s1--0.edf\n")
    with pytest.raises(MissingInputError, match="datalad get"):
        require_content(path)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(MissingInputError, match="cannot be opened"):
        require_content(tmp_path / "none.edf")


def test_json_with_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b'\xef\xbb\xbf{"A": 1}')
    assert read_json_object(path) == {"A": 1}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{\n  "A": 1,\n  oops\n}', "line 3, column 3"),
        (b"", "line 1, column 1"),
        (b"[1]", "holds a list"),
        (b'{"A": "\xff"}', "not UTF-8 text .byte 7"),
    ],
)
def test_broken_json_names_the_place(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(BadDataError, match=message) as caught:
        read_json_object(path)
    assert caught.value.path == path
