from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from bids_eeg2fmri.bids.pairing import Pairing, find_bold, pair_with_bold
from bids_eeg2fmri.bids.selection import select_recordings
from bids_eeg2fmri.settings import Settings

Add = Callable[..., Path]
Make = Callable[..., Settings]

SPACE = "space-MNI152NLin2009cAsym"


def prep(run: str, dataset: str = "fmriprep", space: str = SPACE, subject: str = "sub-02", folder: str = "") -> str:
    stem = f"{subject}_{folder.replace('/', '_')}task-rest{run}_{space}"
    return f"{dataset}/{subject}/{folder}func/{stem}_desc-preproc_bold.nii.gz"


@pytest.fixture
def pair(settings: Make, tmp_path: Path) -> Callable[..., Pairing]:
    """Pair one person's recordings; ``find_bold`` must come to the same."""

    def run(subject: str = "02", derivatives: tuple[str, ...] = ("fmriprep",), **options: object) -> Pairing:
        named = {name: tmp_path / name for name in derivatives}
        chosen = settings(derivatives=named, participant_label=(subject,), **options)
        recordings = select_recordings(chosen).recordings
        pairing = pair_with_bold(recordings, chosen)
        expected = {pair.eeg.path: pair.bold for pair in pairing.pairs}
        assert [find_bold(file, chosen) for file in recordings] == [expected.get(file.path) for file in recordings]
        return pairing

    return run


def chosen(pairing: Pairing) -> list[tuple[str, str]]:
    return [(pair.eeg.label, pair.bold.path.name) for pair in pairing.pairs]


def problem(pairing: Pairing) -> str:
    assert pairing.pairs == ()
    (failure,) = pairing.failures
    return str(failure.error)


def test_preprocessed_bold_comes_with_its_companions(pair: Callable[..., Pairing], add: Add) -> None:
    image = add(prep("").replace("_desc", "_res-2_desc"), content="image")
    stem = str(image).removesuffix("_bold.nii.gz")
    image.with_name(f"{Path(stem).name}_bold.json").write_text('{"RepetitionTime": 2.0, "StartTime": 0.97}')
    mask = add(prep("").replace("_desc-preproc_bold", "_res-2_desc-brain_mask"))
    add(prep("").replace("_desc-preproc_bold", "_res-1_desc-brain_mask"))
    add("fmriprep/sub-02/func/sub-02_task-music_desc-confounds_timeseries.tsv")
    confounds = add("fmriprep/sub-02/func/sub-02_task-rest_desc-confounds_timeseries.tsv")
    (pair_found,) = pair().pairs
    bold = pair_found.bold
    assert (bold.path, bold.mask, bold.confounds) == (image, mask, confounds)
    assert (bold.dataset, bold.space) == ("fmriprep", "MNI152NLin2009cAsym")
    assert bold.sidecar == {"RepetitionTime": 2.0, "StartTime": 0.97}


def test_runs_and_sessions(pair: Callable[..., Pairing], add: Add) -> None:
    add(*(prep(f"_run-{run}", subject="sub-01", folder=f"ses-{session}/") for session in "ab" for run in (1, 2)))
    add(prep("_run-1", subject="sub-01"))
    pairing = pair("01")
    assert [label for label, _ in chosen(pairing)] == [
        "sub-01_ses-a_task-rest_run-01",
        "sub-01_ses-a_task-rest_run-02",
        "sub-01_ses-b_task-rest_run-01",
        "sub-01_ses-b_task-rest_run-02",
    ]
    assert all(
        f"_ses-{p.eeg.session}_" in p.bold.path.name and f"run-{p.eeg.run[1]}_" in p.bold.path.name
        for p in pairing.pairs
    )
    assert [file.label for file in pairing.without_bold] == [
        "sub-01_ses-a_task-music_acq-high",
        "sub-01_ses-b_task-music_acq-high",
    ]
    assert pairing.failures == ()


def test_raw_bold_in_the_scanners_space_is_not_usable(pair: Callable[..., Pairing]) -> None:
    text = problem(pair(derivatives=()))
    assert "lies in the space of the scanner" in text
    assert "Run fMRIPrep with --output-spaces MNI152NLin2009cAsym" in text


def test_bold_in_another_template_is_not_usable(pair: Callable[..., Pairing], add: Add) -> None:
    add(prep("", space="space-MNI152NLin6Asym"), prep("", space="space-T1w"))
    assert "lies in MNI152NLin6Asym and T1w and the space of the scanner" in problem(pair())


@pytest.mark.parametrize(
    ("sidecar", "usable"),
    [
        ({"SimulatedSpace": "MNI152NLin2009cAsym: aligned with the template"}, True),
        ({"SpatialReference": {"VolumeReference": "https://x/tpl-MNI152NLin2009cAsym_res-2_T1w.nii.gz"}}, True),
        ({"SpatialReference": "MNI152NLin2009cAsymmetric"}, False),
        ({"SpatialReference": "orig"}, False),
    ],
)
def test_raw_bold_that_is_stated_to_lie_in_the_space(
    pair: Callable[..., Pairing], add: Add, sidecar: dict[str, object], usable: bool
) -> None:
    add("ds/task-rest_bold.json", content=sidecar | {"RepetitionTime": 2})
    pairing = pair(derivatives=())
    assert len(pairing.pairs) == usable
    if usable:
        bold = pairing.pairs[0].bold
        assert (bold.dataset, bold.mask, bold.confounds, bold.sidecar["RepetitionTime"]) == ("raw", None, None, 2)


def test_preprocessed_bold_goes_before_raw(pair: Callable[..., Pairing], add: Add) -> None:
    add("ds/task-rest_bold.json", content={"SimulatedSpace": "MNI152NLin2009cAsym"})
    add(prep(""))
    assert chosen(pair()) == [("sub-02_task-rest", Path(prep("")).name)]


def test_what_this_program_wrote_is_never_measured(pair: Callable[..., Pairing], add: Add, dataset: Path) -> None:
    (dataset / "sub-02/func/sub-02_task-rest_bold.nii.gz").unlink()
    add(prep("_rec-eeg2fmri", "ours"))
    image = add(prep("", "renamed"))
    add(prep("", "renamed").replace(".nii.gz", ".json"), content={"Synthetic": True})
    pairing = pair(derivatives=("ours", "renamed"))
    assert (pairing.pairs, pairing.failures) == ((), ())
    assert [file.label for file in pairing.without_bold] == ["sub-02_task-rest"]
    add(prep(""))
    assert image.name in [name for _, name in chosen(pair(derivatives=("ours", "renamed", "fmriprep")))]
    assert pair(derivatives=("ours", "renamed", "fmriprep")).pairs[0].bold.dataset == "fmriprep"


def test_several_images_of_one_run_are_left_to_the_user(pair: Callable[..., Pairing], add: Add) -> None:
    add(prep("", space=f"{SPACE}_res-2"), prep("", space=f"{SPACE}_res-native"))
    text = problem(pair())
    assert "res-2_desc" in text and "res-native_desc" in text and "--bids-filter-file" in text
    query = add("filter.json", content={"bold": {"resolution": 2}})
    assert [name for _, name in chosen(pair(bids_filter_file=query))] == [Path(prep("", space=f"{SPACE}_res-2")).name]


def test_several_runs_are_left_to_the_times_or_to_the_user(
    pair: Callable[..., Pairing], add: Add, dataset: Path
) -> None:
    add(prep("_run-1"), prep("_run-2"))
    (dataset / "sub-02/func/sub-02_task-rest_bold.nii.gz").unlink()
    text = problem(pair())
    assert "sub-02_task-rest_run-1, sub-02_task-rest_run-2" in text and "scans.tsv" in text
    query = add("filter.json", content={"bold": {"run": 2}})
    assert [name for _, name in chosen(pair(bids_filter_file=query))] == [Path(prep("_run-2")).name]
    rows = [
        ("eeg/sub-02_task-rest_eeg.bdf", "2020-03-01T10:00:00"),
        ("func/sub-02_task-rest_run-01_bold.nii.gz", "2020-03-01T10:00:42"),
        ("func/sub-02_task-rest_run-02_bold.nii.gz", "2020-03-01T10:20:00"),
    ]
    table = "".join("\t".join(row) + "\n" for row in [("filename", "acq_time"), *rows])
    add("ds/sub-02/sub-02_scans.tsv", content=table)
    assert [name for _, name in chosen(pair())] == [Path(prep("_run-1")).name]


def test_recordings_that_were_filtered_out_claim_nothing(pair: Callable[..., Pairing], add: Add) -> None:
    add("ds/sub-03/eeg/sub-03_task-rest_acq-inside_eeg.edf", "ds/sub-03/eeg/sub-03_task-rest_acq-outside_eeg.edf")
    add(prep("", subject="sub-03"))
    both = pair("03")
    assert both.pairs == () and len(both.failures) == 2
    assert "acq-inside, sub-03_task-rest_acq-outside" in str(both.failures[0].error)
    query = add("filter.json", content={"eeg": {"acquisition": "inside"}})
    assert [label for label, _ in chosen(pair("03", bids_filter_file=query))] == ["sub-03_task-rest_acq-inside"]


def test_cleaned_eeg_and_preprocessed_bold_in_two_derivatives(
    pair: Callable[..., Pairing], add: Add, caplog: pytest.LogCaptureFixture
) -> None:
    add("clean/sub-02/eeg/sub-02_task-rest_proc-clean_eeg.vhdr", prep(""))
    with caplog.at_level(logging.WARNING, "bids_eeg2fmri"):
        (found,) = pair(derivatives=("clean", "fmriprep")).pairs
    assert (found.eeg.dataset, found.bold.dataset) == ("clean", "fmriprep")
    assert caplog.text == ""


def test_starts_far_apart_are_named_in_a_warning(
    pair: Callable[..., Pairing], add: Add, caplog: pytest.LogCaptureFixture
) -> None:
    add(prep(""))
    rows = "eeg/sub-02_task-rest_eeg.bdf\t2020-03-01T10:00:00\nfunc/sub-02_task-rest_bold.nii.gz\t2020-03-02T10:00:00\n"
    add("ds/sub-02/sub-02_scans.tsv", content=f"filename\tacq_time\n{rows}")
    with caplog.at_level(logging.WARNING, "bids_eeg2fmri"):
        assert len(pair().pairs) == 1
    assert "make sure that they were recorded together" in caplog.text


def test_broken_and_absent_files_stop_only_their_recording(pair: Callable[..., Pairing], add: Add) -> None:
    image = add(prep(""))
    sidecar = add(prep("").replace(".nii.gz", ".json"), content="{")
    assert "broken JSON" in problem(pair())
    sidecar.unlink()
    image.unlink()
    image.symlink_to("../../.git/annex/objects/x")
    assert "datalad get" in problem(pair())


@pytest.mark.parametrize(("derivatives", "level"), [({}, "INFO"), ({"clean": Path("/nowhere")}, "WARNING")])
def test_find_bold_says_why_there_is_none(
    settings: Make, caplog: pytest.LogCaptureFixture, derivatives: dict[str, Path], level: str
) -> None:
    asked = settings(participant_label=("02",), derivatives=derivatives)
    (recording,) = select_recordings(asked).recordings
    with caplog.at_level(logging.INFO, "bids_eeg2fmri"):
        assert find_bold(recording, asked) is None
    (record,) = caplog.records
    assert record.levelname == level
    assert "sub-02_task-rest: no measured BOLD to compare with" in record.message and "fMRIPrep" in record.message
