from __future__ import annotations

import errno
import json
import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from nibabel.affines import apply_affine

from bids_eeg2fmri.bids.anatomy_files import AnatomyFiles, find_anatomy
from bids_eeg2fmri.bold.grid import make_grid
from bids_eeg2fmri.derivatives.anatomy import has_own_anatomy, link_anatomy, lost_anatomy, write_stand_in
from bids_eeg2fmri.derivatives.atomic import temporary_file
from bids_eeg2fmri.errors import OutputError, WriteError
from bids_eeg2fmri.settings import OutputSpace

MakeFmriprep = Callable[..., Path]
STAND_IN = {
    "sub-01_rec-template_desc-preproc_T1w.json",
    "sub-01_rec-template_desc-preproc_T1w.nii.gz",
    "sub-01_rec-template_from-MNI152NLin2009cAsym_to-T1w_mode-image_xfm.txt",
    "sub-01_rec-template_from-T1w_to-MNI152NLin2009cAsym_mode-image_xfm.txt",
    "sub-01_rec-template_space-MNI152NLin2009cAsym_res-2_desc-brain_mask.json",
    "sub-01_rec-template_space-MNI152NLin2009cAsym_res-2_desc-brain_mask.nii.gz",
}
LINKED = {
    "sub-01_desc-preproc_T1w.nii.gz",
    "sub-01_from-MNI152NLin2009cAsym_to-T1w_mode-image_xfm.h5",
    "sub-01_from-T1w_to-MNI152NLin2009cAsym_mode-image_xfm.h5",
    "sub-01_space-MNI152NLin2009cAsym_res-2_desc-brain_mask.nii.gz",
}
SIDECARS = {name.replace(".nii.gz", ".json") for name in LINKED if name.endswith(".nii.gz")}


@pytest.fixture
def anatomy(make_fmriprep: MakeFmriprep, tmp_path: Path) -> AnatomyFiles:
    """Made of one session, on a named resolution of the template."""
    make_fmriprep(tmp_path / "fmriprep", session="mri", resolution="2")
    found = find_anatomy({"fmriprep": tmp_path / "fmriprep"}, "01")
    assert found is not None
    return found


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def look(out: Path) -> dict[str, tuple[int, int, int]]:
    """What tells one writing of a file from another."""
    status = {path.name: path.lstat() for path in (out / "sub-01" / "anat").iterdir()}
    return {name: (one.st_ino, one.st_mtime_ns, one.st_mode) for name, one in status.items()}


def sidecar_of(out: Path, ending: str) -> dict[str, Any]:
    (path,) = (out / "sub-01" / "anat").glob(f"*{ending}.json")
    return json.loads(path.read_text())


def test_links_are_relative_and_move_with_both_datasets(anatomy: AnatomyFiles, out: Path, tmp_path: Path) -> None:
    link_anatomy(out, "01", anatomy)
    folder = out / "sub-01" / "anat"
    assert set(look(out)) == LINKED | SIDECARS
    for name in LINKED:
        assert (folder / name).is_symlink()
        assert not (folder / name).readlink().is_absolute()
        source = anatomy.folder / name.replace("sub-01_", "sub-01_ses-mri_")
        assert (folder / name).read_bytes() == source.read_bytes()
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    for dataset in (out, anatomy.root):
        dataset.rename(moved / dataset.name)
    assert all((moved / "out" / "sub-01" / "anat" / name).is_file() for name in LINKED)


def test_links_lead_through_an_output_folder_that_is_itself_a_link(anatomy: AnatomyFiles, tmp_path: Path) -> None:
    (tmp_path / "disk" / "far").mkdir(parents=True)
    (tmp_path / "out").symlink_to(tmp_path / "disk" / "far")
    link_anatomy(tmp_path / "out", "01", anatomy)
    assert all(path.is_file() for path in (tmp_path / "out" / "sub-01" / "anat").iterdir())


def test_sidecars_of_links_say_that_they_were_measured_and_where_they_are(anatomy: AnatomyFiles, out: Path) -> None:
    link_anatomy(out, "01", anatomy)
    t1w, mask = sidecar_of(out, "T1w"), sidecar_of(out, "mask")
    assert (t1w["Synthetic"], mask["Synthetic"]) == (False, False)
    assert t1w["Sources"] == ["bids:fmriprep:sub-01/ses-mri/anat/sub-01_ses-mri_desc-preproc_T1w.nii.gz"]
    assert t1w["SkullStripped"] is False
    assert mask["Type"] == "Brain"
    assert "res-2" in mask["Resolution"]  # required by the standard, left out by fMRIPrep


def test_linking_again_changes_nothing(anatomy: AnatomyFiles, out: Path) -> None:
    link_anatomy(out, "01", anatomy)
    before = look(out)
    link_anatomy(out, "01", anatomy)
    assert look(out) == before


@pytest.fixture
def other_anatomy(make_fmriprep: MakeFmriprep, tmp_path: Path) -> AnatomyFiles:
    """Of another dataset, with another entity in the names."""
    folder = make_fmriprep(tmp_path / "other")
    for path in folder.iterdir():
        path.rename(path.with_name(path.name.replace("sub-01_", "sub-01_acq-old_")))
    found = find_anatomy({"other": tmp_path / "other"}, "01")
    assert found is not None
    return found


@pytest.mark.parametrize("lost", [False, True])
def test_anatomy_replaces_stand_ins_and_links_to_other_anatomy(
    anatomy: AnatomyFiles, other_anatomy: AnatomyFiles, out: Path, lost: bool
) -> None:
    link_anatomy(out, "01", other_anatomy)
    write_stand_in(out, "01")
    assert len(look(out)) == 12
    if lost:
        shutil.rmtree(other_anatomy.root)
    with temporary_file(out / "sub-01" / "anat" / "sub-01_desc-preproc_T1w.nii.gz") as leftover:
        pass
    leftover.touch()
    link_anatomy(out, "01", anatomy)
    assert set(look(out)) == LINKED | SIDECARS


def test_files_and_links_of_the_user_stay(anatomy: AnatomyFiles, out: Path) -> None:
    folder = out / "sub-01" / "anat"
    folder.mkdir(parents=True)
    links = {
        "sub-01_acq-mine_desc-preproc_T1w.nii.gz": "../../.git/annex/objects/aa/bb/MD5E-s1--c.nii.gz/MD5E-s1--c.nii.gz",
        "sub-01_acq-mine_T2w.nii.gz": "../nowhere/sub-01_acq-mine_T2w.nii.gz",
        "sub-01_desc-preproc_T2w.nii.gz": "../nowhere.nii.gz",
    }
    for name, target in links.items():
        (folder / name).symlink_to(target)
    (folder / "sub-01_acq-mine_desc-preproc_T1w.json").write_text("{}")
    (folder / "sub-01_acq-mine_T1w.nii.gz").touch()
    before = look(out)
    link_anatomy(out, "01", anatomy)
    after = look(out)
    assert set(after) == LINKED | SIDECARS | set(before)
    assert {name: after[name] for name in before} == before


@pytest.mark.parametrize("name", sorted(LINKED))
@pytest.mark.parametrize("annexed", [False, True])
def test_no_file_of_the_user_is_replaced(anatomy: AnatomyFiles, out: Path, name: str, annexed: bool) -> None:
    mine = out / "sub-01" / "anat" / name
    mine.parent.mkdir(parents=True)
    # As fMRIPrep describes its own.
    described = {"Sources": ["bids:raw:sub-01/anat/sub-01_T1w.nii.gz"]}
    (mine.parent / "sub-01_desc-preproc_T1w.json").write_text(json.dumps(described))
    if annexed:
        mine.symlink_to("../../.git/annex/objects/aa/bb/key/key")
    else:
        mine.write_bytes(b"mine")
    before = look(out)
    with pytest.raises(OutputError, match="not of bids_eeg2fmri") as caught:
        link_anatomy(out, "01", anatomy)
    assert caught.value.path == mine
    assert look(out) == before


def test_a_transform_of_the_user_beside_links_is_not_replaced(anatomy: AnatomyFiles, out: Path) -> None:
    link_anatomy(out, "01", anatomy)
    mine = next((out / "sub-01" / "anat").glob("*from-T1w_*.h5"))
    mine.unlink()
    mine.write_bytes(b"mine")
    with pytest.raises(OutputError, match="not of bids_eeg2fmri"):
        link_anatomy(out, "01", anatomy)
    assert mine.read_bytes() == b"mine"


@pytest.mark.parametrize("linked", ["sub-01", "sub-01/anat"])
def test_nothing_is_written_through_a_link_into_another_dataset(
    make_fmriprep: MakeFmriprep, out: Path, linked: str
) -> None:
    # Within the output as well, where DataLad users keep the sources of a dataset.
    root = out / "sourcedata" / "fmriprep"
    folder = make_fmriprep(root)
    (folder / "sub-01_rec-template_T1w.nii.gz").touch()
    (folder / ".tmp-0_sub-01_T1w.nii.gz").touch()
    (out / linked).parent.mkdir(exist_ok=True)
    (out / linked).symlink_to(root / linked)
    found = find_anatomy({"fmriprep": root}, "01")
    assert found is not None
    before = look(root)
    for write in (lambda: link_anatomy(out, "01", found), lambda: write_stand_in(out, "01")):
        with pytest.raises(OutputError, match="Remove the link") as caught:
            write()
        assert caught.value.path == out / linked
    assert look(root) == before


@pytest.mark.parametrize("lack", ["annexed", "broken", "absent"])
def test_a_sidecar_that_cannot_be_read_costs_a_warning_and_nothing_else(
    anatomy: AnatomyFiles, out: Path, lack: str, caplog: pytest.LogCaptureFixture
) -> None:
    for image in (anatomy.t1w, anatomy.mask):
        assert image is not None
        path = image.with_name(image.name.replace(".nii.gz", ".json"))
        path.unlink()
        if lack == "annexed":
            path.symlink_to("../../../.git/annex/objects/nowhere")
        elif lack == "broken":
            path.write_text("{")
    with caplog.at_level(logging.WARNING):
        link_anatomy(out, "01", anatomy)
    # Without its own, the mask inherits the sidecar of the mask in native space.
    assert len(caplog.messages) == (1 if lack == "absent" else 2)
    assert "T1w" in caplog.text
    assert set(look(out)) == LINKED | SIDECARS
    assert sidecar_of(out, "T1w")["SkullStripped"] is False
    assert sidecar_of(out, "mask")["Type"] == "Brain"


def test_a_file_system_without_links_gets_copies(
    anatomy: AnatomyFiles, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(Path, "symlink_to", refuse)
    link_anatomy(out, "01", anatomy)
    folder = out / "sub-01" / "anat"
    assert set(look(out)) == LINKED | SIDECARS
    assert not any(path.is_symlink() for path in folder.iterdir())
    before = look(out)
    link_anatomy(out, "01", anatomy)
    assert look(out) == before
    for source in anatomy.found:
        source.write_bytes(b"preprocessed anew")
    link_anatomy(out, "01", anatomy)
    assert {(folder / name).read_bytes() for name in LINKED} == {b"preprocessed anew"}


def test_a_full_disk_leaves_nothing_behind(anatomy: AnatomyFiles, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "symlink_to", refuse)
    with pytest.raises(WriteError, match="disk or its quota is full"):
        link_anatomy(out, "01", anatomy)
    assert look(out) == {}


def test_the_stand_in_is_the_template_and_says_so(out: Path) -> None:
    write_stand_in(out, "01")
    folder = out / "sub-01" / "anat"
    assert set(look(out)) == STAND_IN
    t1w, mask = (nib.load(next(folder.glob(f"*_{suffix}.nii.gz"))) for suffix in ("T1w", "mask"))
    grid = make_grid(OutputSpace(resolution="2"))
    for image in (t1w, mask):
        assert image.shape == grid.shape
        np.testing.assert_array_equal(image.affine, grid.affine)
        assert "not an image of this person" in str(image.header["descrip"])
    brain = np.asarray(mask.dataobj) == 1
    np.testing.assert_array_equal(brain, grid.mask)
    values = t1w.get_fdata()
    assert values[grid.dseg == 3].mean() > 1.2 * values[grid.dseg == 2].mean() > 0  # white matter is brighter
    assert (values[~brain] > 0).mean() < 0.05
    for suffix in ("T1w", "mask"):
        content = sidecar_of(out, suffix)
        assert "this person" in content["Description"]
        assert (content["Synthetic"], content["StandIn"]) == (True, True)
        assert content["Resolution"].startswith("2 x 2 x 2 mm")
        assert "Louis Collins" in content["License"]
    assert sidecar_of(out, "T1w")["SkullStripped"] is True


def test_the_stand_ins_transforms_change_nothing(out: Path) -> None:
    write_stand_in(out, "01")
    transforms = list((out / "sub-01" / "anat").glob("*_xfm.txt"))
    assert len(transforms) == 2
    for path in transforms:
        lines = path.read_text().splitlines()
        assert lines[0] == "#Insight Transform File V1.0"
        given = dict(line.split(": ") for line in lines[2:])
        numbers = [float(number) for number in given["Parameters"].split()]
        affine = np.eye(4)
        affine[:3, :3], affine[:3, 3] = np.reshape(numbers[:9], (3, 3)), numbers[9:]
        np.testing.assert_array_equal(apply_affine(affine, [[1.0, 2.0, 3.0]]), [[1.0, 2.0, 3.0]])


def test_stand_ins_are_the_same_for_everybody_and_written_once(out: Path) -> None:
    write_stand_in(out, "01")
    before = look(out)
    with temporary_file(out / "sub-01" / "anat" / "sub-01_rec-template_desc-preproc_T1w.nii.gz") as leftover:
        pass
    leftover.touch()
    write_stand_in(out, "01")
    assert look(out) == before
    write_stand_in(out, "02")
    for name in STAND_IN:
        twin = out / "sub-02" / "anat" / name.replace("sub-01", "sub-02")
        assert twin.read_bytes() == (out / "sub-01" / "anat" / name).read_bytes()


def test_own_anatomy_is_told_from_the_stand_in(anatomy: AnatomyFiles, out: Path) -> None:
    assert not has_own_anatomy(out, "01")
    write_stand_in(out, "01")
    assert not has_own_anatomy(out, "01")
    link_anatomy(out, "01", anatomy)
    assert has_own_anatomy(out, "01")
    assert lost_anatomy(out, "01") == []
    anatomy.root.rename(anatomy.root.with_name("moved"))
    assert has_own_anatomy(out, "01")
    assert lost_anatomy(out, "01") == [out / "sub-01" / "anat" / "sub-01_desc-preproc_T1w.nii.gz"]
