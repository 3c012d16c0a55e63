from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bids_eeg2fmri.bids.anatomy_files import find_anatomy

MakeFmriprep = Callable[..., Path]


def test_the_four_files_of_a_person_are_found(make_fmriprep: MakeFmriprep, tmp_path: Path) -> None:
    folder = make_fmriprep(tmp_path / "fmriprep")
    make_fmriprep(tmp_path / "fmriprep", subject="02")
    found = find_anatomy({"clean": tmp_path / "nothing", "fmriprep": tmp_path / "fmriprep"}, "01")
    assert found is not None
    assert (found.dataset, found.root, found.folder) == ("fmriprep", tmp_path / "fmriprep", folder)
    assert found.missing == ()
    assert [path.name for path in found.found] == [
        "sub-01_from-T1w_to-MNI152NLin2009cAsym_mode-image_xfm.h5",
        "sub-01_from-MNI152NLin2009cAsym_to-T1w_mode-image_xfm.h5",
        "sub-01_space-MNI152NLin2009cAsym_desc-brain_mask.nii.gz",
        "sub-01_desc-preproc_T1w.nii.gz",
    ]


@pytest.mark.parametrize(
    ("lost", "missing"),
    [
        ("*desc-preproc_T1w.nii.gz", "desc-preproc_T1w.nii.gz"),
        ("*_space-*_desc-brain_mask.nii.gz", "space-MNI152NLin2009cAsym_desc-brain_mask.nii.gz"),
        ("*_from-T1w_to-MNI*.h5", "from-T1w_to-MNI152NLin2009cAsym_mode-image_xfm.h5"),
        ("*_from-MNI*.h5", "from-MNI152NLin2009cAsym_to-T1w_mode-image_xfm.h5"),
    ],
)
def test_what_is_not_there_is_named(make_fmriprep: MakeFmriprep, tmp_path: Path, lost: str, missing: str) -> None:
    folder = make_fmriprep(tmp_path / "fmriprep")
    for path in folder.glob(lost):
        path.unlink()
        # As an annexed file whose content was not fetched.
        path.symlink_to("../../.git/annex/objects/nowhere")
    found = find_anatomy({"fmriprep": tmp_path / "fmriprep"}, "01")
    assert found is not None
    assert found.missing == (missing,)
    assert len(found.found) == 3


def test_a_complete_set_is_preferred(make_fmriprep: MakeFmriprep, tmp_path: Path) -> None:
    first = make_fmriprep(tmp_path / "a")
    make_fmriprep(tmp_path / "b", session="2")
    second = make_fmriprep(tmp_path / "b", session="1")
    derivatives = {"a": tmp_path / "a", "b": tmp_path / "b"}
    found = find_anatomy(derivatives, "01")
    assert found is not None
    assert found.folder == first
    next(first.glob("*_from-MNI*.h5")).unlink()
    found = find_anatomy(derivatives, "01")
    assert found is not None
    assert (found.dataset, found.folder) == ("b", second)


def test_a_stand_in_is_nobodys_anatomy(tmp_path: Path) -> None:
    folder = tmp_path / "sub-01" / "anat"
    folder.mkdir(parents=True)
    (folder / "sub-01_rec-template_desc-preproc_T1w.nii.gz").write_bytes(b"T1w")
    (folder / "notes.txt").write_text("not a BIDS name")
    (folder / "sub-02_desc-preproc_T1w.nii.gz").write_bytes(b"of somebody else")
    assert find_anatomy({"other": tmp_path}, "01") is None
    assert find_anatomy({}, "01") is None
