"""Every command of README.md and docs/ is run here, or says who runs it or why nobody does."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import pytest
from documented_blocks import PAGES, ROOT, Block, blocks, commands

from bids_eeg2fmri.phantom.cli import main as phantom
from bids_eeg2fmri.phantom.dataset import write_dataset
from bids_eeg2fmri.phantom.request import Request
from bids_eeg2fmri.settings import SPACE

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::RuntimeWarning")

# Of the simultaneous recordings; other people than those with EEG alone.
PEOPLE = tuple(str(person) for person in range(11, 21))
BLOCKS = blocks()
RUN = [block for block in BLOCKS if block.mark in ("", "dry run")]
PROGRAMS = ("bids-eeg2fmri", "bids-eeg2fmri-phantom")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the documents call ``/data``: EEG of two people, cleaned EEG, EEG-fMRI of ten, and a model."""
    root = tmp_path_factory.mktemp("data")
    write_dataset(Request(root / "bids", participants=2, duration_s=80.0, cap="19", resolution="4"))
    shutil.rmtree(root / "bids" / "derivatives")
    for person in PEOPLE:
        _copy_person(root / "bids", root / "eegfmri", person)
    for person in PEOPLE:
        _as_preprocessed(root / "eegfmri", root / "fmriprep", person)
    for folder in (root / "bids").glob("sub-*/func"):
        shutil.rmtree(folder)
    shutil.copytree(root / "bids", root / "cleaned")
    for name, kind in (("cleaned", "derivative"), ("fmriprep", "derivative"), ("eegfmri", "raw")):
        facts = {"Name": name, "BIDSVersion": "1.10.0", "DatasetType": kind, "GeneratedBy": [{"Name": name}]}
        (root / name / "dataset_description.json").write_text(json.dumps(facts))
    shutil.copytree(ROOT / "bids_eeg2fmri" / "assets" / "models" / "neuralfield-sim", root / "model")
    return root


def _copy_person(source: Path, target: Path, person: str) -> None:
    """The first person again, under another label."""
    for path in sorted((source / "sub-01").rglob("*.*")):
        name = str(path.relative_to(source)).replace("sub-01", f"sub-{person}")
        copy = target / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix in (".vhdr", ".vmrk"):
            copy.write_text(path.read_text("utf-8").replace("sub-01", f"sub-{person}"))
        else:
            copy.hardlink_to(path)


def _as_preprocessed(source: Path, target: Path, person: str) -> None:
    """The BOLD of a person, moved to where fMRIPrep would have put it."""
    (image,) = (source / f"sub-{person}" / "func").glob("*_bold.nii.gz")
    stem = f"{image.name.removesuffix('_bold.nii.gz')}_space-{SPACE}"
    folder = target / f"sub-{person}" / "func"
    folder.mkdir(parents=True)
    image.rename(folder / f"{stem}_desc-preproc_bold.nii.gz")
    sidecar = image.with_name(image.name.replace(".nii.gz", ".json"))
    sidecar.rename(folder / f"{stem}_desc-preproc_bold.json")
    volume = nib.load(folder / f"{stem}_desc-preproc_bold.nii.gz").slicer[..., 0]
    nib.save(
        nib.Nifti1Image((volume.get_fdata() > 0).astype("uint8"), volume.affine),
        folder / f"{stem}_desc-brain_mask.nii.gz",
    )


@pytest.fixture(scope="module")
def call(data: Path, here: Callable[..., object]) -> Callable[..., tuple[int, str]]:
    """Run one of our programs in this process; returns its exit code and what it said."""

    def run(words: list[str], *, dry: bool) -> tuple[int, str]:
        program, *arguments = words
        if program.endswith("-phantom"):
            assert not dry
            return phantom(arguments), ""
        level = [word for word in arguments if word in ("participant", "group", "train")][:1]
        added = (["--dry-run"] if dry else []) + (["--sloppy"] if level == ["participant"] else [])
        finished = here(*arguments, *added)
        return finished.code, finished.out + finished.err

    return run


@pytest.mark.parametrize("block", RUN, ids=str)
def test_the_commands_of_a_block_end_well(
    block: Block, data: Path, call: Callable[..., tuple[int, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = block.text.replace("/data/", f"{data}{os.sep}")
    called = commands(script, tmp_path, PROGRAMS)
    assert called, "a block without any of our programs says who runs it, or why nobody does"
    monkeypatch.chdir(tmp_path)
    for words in called:
        code, said = call(words, dry=block.mark == "dry run")
        assert code == 0, f"{words}\n{said}"


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.mark == "run by"], ids=str)
def test_who_is_said_to_run_a_block_does(block: Block) -> None:
    assert block.file == ".ci/run" or block.file.startswith("tests/")
    assert block.words in (ROOT / block.file).read_text("utf-8")


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.mark in ("not run", "dry run")], ids=str)
def test_a_block_that_is_not_run_says_why(block: Block) -> None:
    assert len(block.words.split()) >= 3


def test_blocks_are_run() -> None:
    assert len(RUN) >= 10


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_no_command_hides_in_another_block(page: Path) -> None:
    """Every fence that calls one of our programs is one of the blocks, and every mark belongs to one."""
    text = page.read_text("utf-8")
    fences = text.split("\n```")[1::2]
    calls = [fence for fence in fences if "\nbids-eeg2fmri" in fence or "\nmake " in fence or "\ndocker " in fence]
    own = [block for block in BLOCKS if block.page == page]
    assert all(any(fence.endswith(block.text.rstrip("\n")) for block in own) for fence in calls)
    assert len([block for block in own if block.mark]) == sum(
        text.count(f"<!-- {mark}") for mark in ("not run:", "dry run:", "run by ")
    )
