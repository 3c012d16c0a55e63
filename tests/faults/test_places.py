"""Input that may only be read, lies behind links, or cannot be read at all."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from disturbed_runs import Runs, Undisturbed, whole_tree


def annexed(dataset: Path, folder: Path) -> Path:
    """The dataset as git-annex keeps it: every file a link into a store that nobody may write to."""
    store = folder / ".git" / "annex" / "objects"
    store.mkdir(parents=True)
    for path in sorted(dataset.rglob("*")):
        link = folder / path.relative_to(dataset)
        if path.is_dir():
            link.mkdir()
            continue
        key = store / f"MD5E-s{path.stat().st_size}--{abs(hash(path)):x}{path.suffix}" / "content"
        key.parent.mkdir()
        shutil.copyfile(path, key)
        key.chmod(0o444)
        link.symlink_to(os.path.relpath(key, link.parent))
    return folder


def forbid_writing(root: Path) -> None:
    for path in (root, *root.rglob("*")):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o555)


def images(tree: dict[str, str]) -> dict[str, str]:
    """What does not name the input's folder."""
    return {name: digest for name, digest in tree.items() if name.endswith((".nii.gz", ".tsv"))}


def test_a_datalad_dataset_that_may_only_be_read(
    runs: Runs, undisturbed: Undisturbed, two_people: Path, tmp_path: Path
) -> None:
    dataset = annexed(two_people, tmp_path / "ds")
    forbid_writing(dataset)
    before = whole_tree(dataset)
    ended = runs(tmp_path, "--participant-label", "01", dataset=dataset, bound_by_permissions=True)
    assert ended.code == 0, ended.err
    assert images(whole_tree(tmp_path / "out")) == images(undisturbed.first)
    assert whole_tree(dataset) == before


@pytest.mark.parametrize("ending", ["eeg.eeg", "eeg.json", "channels.tsv", "events.tsv"])
def test_a_file_that_cannot_be_read(
    runs: Runs, undisturbed: Undisturbed, two_people: Path, tmp_path: Path, ending: str
) -> None:
    dataset = Path(shutil.copytree(two_people, tmp_path / "ds"))
    shutil.copytree(undisturbed.half, tmp_path / "out")
    unreadable = dataset / "sub-02" / "eeg" / f"sub-02_task-rest_{ending}"
    unreadable.chmod(0)
    ended = runs(tmp_path, dataset=dataset, bound_by_permissions=True)
    assert ended.code == 66
    assert str(unreadable) in ended.last_words and "Traceback" not in ended.err
    now = whole_tree(tmp_path / "out")
    assert {name: now[name] for name in images(undisturbed.first)} == images(undisturbed.first)


@pytest.mark.parametrize("ending", ["eeg.vhdr", "eeg.vmrk", "eeg.json", "channels.tsv", "events.tsv"])
def test_a_link_to_content_that_is_not_here(
    runs: Runs, undisturbed: Undisturbed, two_people: Path, tmp_path: Path, ending: str
) -> None:
    dataset = Path(shutil.copytree(two_people, tmp_path / "ds"))
    folder = undisturbed.begin(tmp_path / "a")
    link = dataset / "sub-02" / "eeg" / f"sub-02_task-rest_{ending}"
    link.unlink()
    link.symlink_to("../../.git/annex/objects/xx/content")
    ended = runs(folder, dataset=dataset)
    assert ended.code == 66, ended.out
    assert str(link) in ended.last_words and "datalad get" in ended.last_words
    undisturbed_images = images(undisturbed.first)
    now = whole_tree(folder / "out")
    assert {name: now[name] for name in undisturbed_images} == undisturbed_images


def test_a_file_that_breaks_off_while_it_is_read(
    runs: Runs, undisturbed: Undisturbed, two_people: Path, tmp_path: Path
) -> None:
    broken = Path("/proc/self/mem")
    if not broken.exists():
        pytest.skip("no file whose reading fails")
    dataset = Path(shutil.copytree(two_people, tmp_path / "ds"))
    folder = undisturbed.begin(tmp_path / "a")
    channels = dataset / "sub-02" / "eeg" / "sub-02_task-rest_channels.tsv"
    channels.unlink()
    channels.symlink_to(broken)
    ended = runs(folder, dataset=dataset)
    assert ended.code == 66, ended.out
    assert str(channels) in ended.last_words and "Traceback" not in ended.err
    assert json.loads((folder / "out" / "dataset_description.json").read_text())["DatasetType"] == "derivative"
