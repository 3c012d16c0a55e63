from __future__ import annotations

import json
import logging
import pickle
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bids_eeg2fmri.bids.selection import Selection, select_recordings
from bids_eeg2fmri.errors import BadDataError, InvalidDatasetError, MissingInputError, NothingSelectedError, UsageError
from bids_eeg2fmri.settings import Settings

Add = Callable[..., Path]
Make = Callable[..., Settings]

EVERYTHING = [
    "sub-01_ses-a_task-music_acq-high",
    "sub-01_ses-a_task-rest_run-01",
    "sub-01_ses-a_task-rest_run-02",
    "sub-01_ses-b_task-music_acq-high",
    "sub-01_ses-b_task-rest_run-01",
    "sub-01_ses-b_task-rest_run-02",
    "sub-02_task-rest",
]


def labels(selection: Selection) -> list[str]:
    return [file.label for file in selection.recordings]


def test_everything_in_order(settings: Make) -> None:
    selection = select_recordings(settings())
    assert labels(selection) == EVERYTHING
    assert selection.failures == ()
    first = selection.recordings[0]
    assert (first.subject, first.session, first.task, first.acquisition, first.run) == (
        "01",
        "a",
        "music",
        "high",
        None,
    )
    assert first.dataset == "raw"
    assert first.path.name == "sub-01_ses-a_task-music_acq-high_eeg.edf"


def test_runs_sort_as_numbers(settings: Make, add: Add) -> None:
    add(*(f"ds/sub-03/eeg/sub-03_task-rest_run-{run}_eeg.edf" for run in ("10", "9", "1")))
    runs = [file.run for file in select_recordings(settings(participant_label=("03",))).recordings]
    assert runs == ["1", "9", "10"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"participant_label": ("02",)}, EVERYTHING[6:]),
        ({"exclude_participant_label": ("02",)}, EVERYTHING[:6]),
        ({"session_label": ("b",)}, EVERYTHING[3:6]),
        ({"task_id": ("music",)}, [EVERYTHING[0], EVERYTHING[3]]),
        ({"task_id": ("music", "rest"), "session_label": ("a",)}, EVERYTHING[:3]),
        ({"run_id": ("1",)}, [EVERYTHING[1], EVERYTHING[4]]),
        ({"run_id": ("02",)}, [EVERYTHING[2], EVERYTHING[5]]),
    ],
)
def test_filters(settings: Make, options: dict[str, tuple[str, ...]], expected: list[str]) -> None:
    assert labels(select_recordings(settings(**options))) == expected


def test_filter_file(settings: Make, add: Add, caplog: pytest.LogCaptureFixture) -> None:
    path = add("filter.json", content={"eeg": {"acquisition": None, "run": "*", "session": ["a"]}, "t1w": {}})
    with caplog.at_level(logging.WARNING, "bids_eeg2fmri"):
        assert labels(select_recordings(settings(bids_filter_file=path))) == EVERYTHING[1:3]
    assert "'t1w'" in caplog.text


def test_recordings_survive_the_way_to_a_worker(settings: Make) -> None:
    recordings = select_recordings(settings()).recordings
    assert pickle.loads(pickle.dumps(recordings)) == recordings  # noqa: S301


def test_unknown_participant(settings: Make) -> None:
    with pytest.raises(NothingSelectedError) as caught:
        select_recordings(settings(participant_label=("01", "99")))
    assert caught.value.exit_code == 18
    text = str(caught.value)
    assert "no such participant: 99" in text
    assert "you asked" in text and "dataset has" in text and "01, 02" in text


def test_filters_that_select_nothing_say_what_there_is(settings: Make, add: Add) -> None:
    path = add("filter.json", content={"eeg": {}})
    with pytest.raises(NothingSelectedError) as caught:
        select_recordings(settings(task_id=("sleep",), session_label=("a",), bids_filter_file=path))
    lines = {line.split()[0]: line for line in caught.value.problem.splitlines() if line.startswith("  --")}
    assert "sleep" in lines["--task-id"] and "music, rest" in lines["--task-id"]
    assert "a, b" in lines["--session-label"]
    assert "(any)" in lines["--run-id"] and "01, 02" in lines["--run-id"]
    assert "filter.json" in lines["--bids-filter-file"]


def test_people_without_eeg(settings: Make, add: Add, caplog: pytest.LogCaptureFixture) -> None:
    add("ds/sub-03/func/sub-03_task-rest_bold.nii.gz")
    with pytest.raises(NothingSelectedError, match="no EEG recording"):
        select_recordings(settings(participant_label=("03",)))
    with caplog.at_level(logging.WARNING, "bids_eeg2fmri"):
        assert labels(select_recordings(settings(participant_label=("02", "03")))) == EVERYTHING[6:]
    assert "participant 03" in caplog.text


def test_everyone_excluded(settings: Make) -> None:
    with pytest.raises(NothingSelectedError, match="nobody"):
        select_recordings(settings(exclude_participant_label=("01", "02", "77")))


def test_other_files_are_left_alone(settings: Make, add: Add) -> None:
    add(
        "ds/sub-02/eeg/sub-02_task-rest_eeg.json",
        "ds/sub-02/eeg/sub-02_task-rest_eeg.fdt",
        "ds/sub-02/eeg/sub-02_task-rest_events.tsv",
        "ds/sub-02/eeg/sub-02_task-rest_recording-eye_eeg.edf",
        "ds/sub-02/eeg/sub-02_task-rest_desc-epochs_eeg.fif",
        "ds/sub-02/eeg/sub-02_task-rest_proc-clean_epo.fif",
        "ds/sub-02/eeg/notes.edf",
        "ds/sourcedata/sub-02/eeg/sub-02_task-rest_eeg.edf",
        "ds/derivatives/sub-02/eeg/sub-02_task-rest_eeg.edf",
        "ds/participants.tsv",
        content="{}",
    )
    assert labels(select_recordings(settings())) == EVERYTHING


def test_participants_tsv_need_not_agree(settings: Make, add: Add) -> None:
    add("ds/participants.tsv", content="participant_id\nsub-55\n")
    assert labels(select_recordings(settings())) == EVERYTHING


def test_two_files_for_one_run_fail_alone(settings: Make, add: Add) -> None:
    other = add("ds/sub-02/eeg/sub-02_task-rest_eeg.vhdr")
    selection = select_recordings(settings())
    assert labels(selection) == EVERYTHING[:6]
    (failure,) = selection.failures
    assert (failure.label, failure.subject) == ("sub-02_task-rest", "02")
    assert isinstance(failure.error, BadDataError)
    assert str(other) in str(failure.error)
    assert "sub-02_task-rest_eeg.bdf" in str(failure.error)


def test_the_filter_file_chooses_between_two_files(settings: Make, add: Add) -> None:
    other = add("ds/sub-02/eeg/sub-02_task-rest_eeg.vhdr")
    path = add("filter.json", content={"eeg": {"subject": "02", "extension": ".vhdr"}})
    assert [file.path for file in select_recordings(settings(bids_filter_file=path)).recordings] == [other]


def test_a_broken_sidecar_fails_alone(settings: Make, add: Add) -> None:
    add("ds/sub-02/eeg/sub-02_task-rest_eeg.json", content="{")
    selection = select_recordings(settings())
    assert labels(selection) == EVERYTHING[:6]
    assert isinstance(selection.failures[0].error, BadDataError)


@pytest.mark.parametrize("part", ["vhdr", "eeg"])
def test_a_recording_that_is_not_fetched_fails_alone(settings: Make, dataset: Path, part: str) -> None:
    path = dataset / f"sub-01/ses-a/eeg/sub-01_ses-a_task-rest_run-01_eeg.{part}"
    path.unlink()
    path.symlink_to("../../../.git/annex/objects/none")
    selection = select_recordings(settings())
    assert labels(selection) == [label for label in EVERYTHING if label != "sub-01_ses-a_task-rest_run-01"]
    assert isinstance(selection.failures[0].error, MissingInputError)
    assert "datalad get" in str(selection.failures[0].error)


def test_fetched_annex_links_are_followed_but_not_resolved(settings: Make, dataset: Path) -> None:
    path = dataset / "sub-02/eeg/sub-02_task-rest_eeg.bdf"
    content = dataset / ".git/annex/objects/MD5E.bdf"
    content.parent.mkdir(parents=True)
    shutil.move(path, content)
    path.symlink_to(content)
    assert select_recordings(settings(participant_label=("02",))).recordings[0].path == path


def test_a_name_without_task_fails_alone(settings: Make, add: Add) -> None:
    add("ds/sub-03/eeg/sub-03_eeg.edf")
    selection = select_recordings(settings())
    assert labels(selection) == EVERYTHING
    assert "task-" in str(selection.failures[0].error)


def test_validation_can_be_skipped(settings: Make, dataset: Path) -> None:
    (dataset / "dataset_description.json").unlink()
    with pytest.raises(InvalidDatasetError):
        select_recordings(settings())
    assert labels(select_recordings(settings(skip_bids_validation=True))) == EVERYTHING


@pytest.mark.parametrize(
    "name",
    [
        "sub-02_task-rest_desc-clean_eeg.set",
        "sub-02_task-rest_desc-preproc_eeg.vhdr",
        "sub-02_task-rest_proc-clean_eeg.edf",
        "sub-02_task-rest_proc-clean_raw.fif",
        "sub-02_task-rest_desc-clean_eeg.fif",
        "sub-02_task-rest_eeg.vhdr",
    ],
)
def test_a_cleaned_recording_replaces_the_raw_one(settings: Make, add: Add, name: str) -> None:
    path = add(f"clean/sub-02/eeg/{name}")
    root = path.parents[2]
    selection = select_recordings(settings(derivatives={"clean": root}))
    assert labels(selection) == EVERYTHING
    assert selection.recordings[-1].path == path
    assert (selection.recordings[-1].dataset, selection.recordings[-1].root) == ("clean", root)
    assert all(file.dataset == "raw" for file in selection.recordings[:-1])


def test_runs_are_matched_as_numbers_across_datasets(settings: Make, add: Add) -> None:
    add("clean/sub-01/ses-a/eeg/sub-01_ses-a_task-rest_run-1_desc-clean_eeg.set")
    selection = select_recordings(settings(derivatives={"clean": add("clean/README").parent}))
    assert len(selection.recordings) == len(EVERYTHING)
    assert selection.recordings[1].dataset == "clean"


def test_only_the_first_part_of_a_split_file_counts(settings: Make, add: Add) -> None:
    first = add("clean/sub-02/eeg/sub-02_task-rest_proc-clean_split-01_raw.fif")
    add("clean/sub-02/eeg/sub-02_task-rest_proc-clean_split-02_raw.fif")
    selection = select_recordings(settings(derivatives={"clean": first.parents[2]}))
    assert selection.recordings[-1].path == first


def test_recordings_and_people_of_the_cleaned_dataset_only(settings: Make, add: Add) -> None:
    path = add("clean/sub-04/eeg/sub-04_task-rest_desc-clean_eeg.set")
    derivatives = {"clean": path.parents[2]}
    assert labels(select_recordings(settings(derivatives=derivatives))) == [*EVERYTHING, "sub-04_task-rest"]
    only = select_recordings(settings(derivatives=derivatives, participant_label=("04",)))
    assert labels(only) == ["sub-04_task-rest"]


def test_derivatives_folder_of_noddi(settings: Make, add: Add, dataset: Path) -> None:
    add("ds/derivatives/sub-02/eeg/sub-02_task-rest_eeg.vhdr", "ds/derivatives/sub-02/eeg/sub-02_task-rest_eeg.dat")
    add("ds/task-rest_eeg.json", content={"EEGReference": "FCz"})
    (file,) = select_recordings(
        settings(derivatives={"clean": dataset / "derivatives"}, participant_label=("02",))
    ).recordings
    assert file.path == dataset / "derivatives/sub-02/eeg/sub-02_task-rest_eeg.vhdr"
    assert file.sidecar == {"EEGReference": "FCz"}


def test_two_cleaned_files_fail_alone(settings: Make, add: Add) -> None:
    one = add("one/sub-02/eeg/sub-02_task-rest_desc-clean_eeg.set")
    two = add("two/sub-02/eeg/sub-02_task-rest_proc-clean_raw.fif")
    selection = select_recordings(settings(derivatives={"one": one.parents[2], "two": two.parents[2]}))
    assert labels(selection) == EVERYTHING[:6]
    assert str(one) in str(selection.failures[0].error) and str(two) in str(selection.failures[0].error)


def test_a_database_gives_the_same_selection(settings: Make, tmp_path: Path) -> None:
    database = tmp_path / "db"
    with_database = settings(bids_database_dir=database)
    made = select_recordings(with_database)
    assert made == select_recordings(settings())
    assert database.exists()
    assert select_recordings(with_database) == made


def test_a_database_of_another_dataset(settings: Make, tmp_path: Path, dataset: Path) -> None:
    select_recordings(settings(bids_database_dir=tmp_path / "db"))
    shutil.copytree(dataset, tmp_path / "copy")
    moved = replace(settings(bids_database_dir=tmp_path / "db"), bids_dir=tmp_path / "copy")
    with pytest.raises(UsageError, match="elsewhere"):
        select_recordings(moved)


def test_an_unusable_database(settings: Make, add: Add, dataset: Path) -> None:
    broken = add("db/layout_index.sqlite", content="not a database at all").parent
    (broken / "layout_args.json").write_text(json.dumps({}))
    with pytest.raises(UsageError, match="database"):
        select_recordings(settings(bids_database_dir=broken))


def test_what_is_left_of_a_recording_without_its_signal_is_a_failure(settings: Make, add: Add) -> None:
    stem = "ds/sub-02/eeg/sub-02_task-music"
    add(f"{stem}_eeg.vmrk", f"{stem}_eeg.json", f"{stem}_channels.tsv")
    selection = select_recordings(settings(participant_label=("02",)))
    assert labels(selection) == ["sub-02_task-rest"]
    (failure,) = selection.failures
    assert (failure.label, failure.subject) == ("sub-02_task-music", "02")
    assert isinstance(failure.error, MissingInputError)
    assert "missing" in str(failure.error) and "Fetch or restore" in str(failure.error)
    assert select_recordings(settings(task_id=("rest",))).failures == ()


def test_a_sidecar_for_several_recordings_needs_no_signal_of_its_own(settings: Make, add: Add) -> None:
    add("ds/sub-01/ses-a/eeg/sub-01_ses-a_task-rest_eeg.json", "ds/sub-02/eeg/sub-02_eeg.json", content={})
    assert select_recordings(settings()).failures == ()


def test_a_cleaned_signal_is_enough(settings: Make, add: Add, tmp_path: Path) -> None:
    add("ds/sub-02/eeg/sub-02_task-music_eeg.json", content={})
    add("clean/sub-02/eeg/sub-02_task-music_desc-clean_eeg.edf")
    selection = select_recordings(settings(derivatives={"clean": tmp_path / "clean"}))
    assert selection.failures == ()
    assert "sub-02_task-music" in labels(selection)
