from __future__ import annotations

from pathlib import Path

import pytest

from bids_eeg2fmri.bids.dataset import subjects_in, validate_dataset
from bids_eeg2fmri.errors import InvalidDatasetError, MissingInputError


def test_a_dataset_passes(dataset: Path) -> None:
    validate_dataset(dataset)
    assert subjects_in(dataset) == ("01", "02")


def test_a_dataset_below_a_dot_folder_passes(dataset: Path) -> None:
    hidden = dataset.parent / ".git" / "wkdir"
    hidden.mkdir(parents=True)
    validate_dataset(dataset.rename(hidden / "ds"))
    assert subjects_in(hidden / "ds") == ("01", "02")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"Name": "x"}', "BIDSVersion must be given"),
        ("{}", "Name and BIDSVersion must be given"),
        ("{", "line 1"),
        ("[]", "holds a list"),
    ],
)
def test_descriptions_that_do_not_do(dataset: Path, content: str, message: str) -> None:
    (dataset / "dataset_description.json").write_text(content)
    with pytest.raises(InvalidDatasetError, match=message) as caught:
        validate_dataset(dataset)
    assert caught.value.exit_code == 16


def test_no_description(dataset: Path) -> None:
    (dataset / "dataset_description.json").unlink()
    with pytest.raises(InvalidDatasetError, match="missing"):
        validate_dataset(dataset)


def test_a_description_that_is_not_fetched(dataset: Path) -> None:
    path = dataset / "dataset_description.json"
    path.unlink()
    path.symlink_to("nowhere")
    with pytest.raises(MissingInputError, match="datalad get"):
        validate_dataset(dataset)


def test_no_people(tmp_path: Path) -> None:
    (tmp_path / "dataset_description.json").write_text('{"Name": "x", "BIDSVersion": "1.10.0"}')
    (tmp_path / "sub-01").touch()
    with pytest.raises(InvalidDatasetError, match=r"no sub-\* folder"):
        validate_dataset(tmp_path)
