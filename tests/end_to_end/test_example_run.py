"""`make demo` at a coarse resolution: the example dataset through both levels, and the ways a run can be cut short."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from contextlib import suppress
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from bids_eeg2fmri.derivatives.names import sidecar as sidecar_path

EXAMPLE = Path(__file__).parents[2] / "examples" / "ds-eegmat"
PEOPLE = ("sub-00", "sub-01")
# Results are byte-identical at the same number of threads.
ONE_THREAD = ("--omp-nthreads", "1")


@pytest.fixture(scope="module")
def output(start, res_4, snapshot, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("example") / "out put"
    before = snapshot(EXAMPLE)
    finished = start(EXAMPLE, out, "participant", *res_4, *ONE_THREAD)
    assert finished.code == 0, finished.err
    assert finished.err == ""
    assert {label: status for label, (status, _) in finished.table.items()} == {
        f"{person}_task-rest": "written" for person in PEOPLE
    }
    group = start(EXAMPLE, out, "group")
    assert (group.code, group.err) == (0, "")
    assert snapshot(EXAMPLE) == before
    return out


def bold_of(output: Path, person: str) -> Path:
    (path,) = (output / person).rglob("*_desc-preproc_bold.nii.gz")
    return path


def sidecar_of(image: Path) -> dict:
    return json.loads(sidecar_path(image).read_text())


def test_the_validator_finds_no_error(output: Path, validator_issues) -> None:
    assert validator_issues(output) == []


@pytest.mark.parametrize("person", PEOPLE)
def test_bold(output: Path, person: str) -> None:
    path = bold_of(output, person)
    image, sidecar = nib.load(path), sidecar_of(path)
    mask = nib.load(str(path).replace("preproc_bold", "brain_mask")).get_fdata() == 1
    values = image.get_fdata()
    assert image.shape[3] == sidecar["Metrics"]["n_volumes"] == 91
    assert image.header.get_zooms() == pytest.approx((4.0, 4.0, 4.0, sidecar["RepetitionTime"]))
    assert image.header.get_xyzt_units() == ("mm", "sec")
    assert 0 <= sidecar["StartTime"] < sidecar["RepetitionTime"] == 2.0
    assert (values[~mask] == 0).all()
    assert (values[mask] > 0).all()
    assert values[mask].mean() == pytest.approx(1000, abs=1)
    assert np.median(values[mask].std(axis=1)) > 0.1
    assert sidecar["VolumeClock"]["Source"] == "assumed: no volume markers"
    assert sidecar["EEG"]["ElectrodePositions"] == "standard_1005"
    assert set(sidecar["EEG"]["ChannelsLeftOut"]) == {"EEG A2-A1", "ECG ECG"}


@pytest.mark.parametrize("person", PEOPLE)
@pytest.mark.parametrize("part", ["total", "aleatoric", "epistemic"])
def test_uncertainty(output: Path, person: str, part: str) -> None:
    bold = bold_of(output, person)
    image = nib.load(str(bold).replace("desc-preproc_bold", f"stat-std_desc-{part}_boldmap"))
    mask = nib.load(str(bold).replace("preproc_bold", "brain_mask")).get_fdata() == 1
    values = image.get_fdata()
    assert image.shape == (nib.load(bold).shape if part == "total" else mask.shape)
    assert (values[mask] > 0).all()
    assert (values[~mask] == 0).all()


def test_every_image_says_that_it_is_synthetic(output: Path) -> None:
    images = list(output.rglob("*.nii.gz"))
    assert len(images) == 8 * len(PEOPLE)
    for image in images:
        assert "_rec-eeg2fmri_" in image.name
        assert sidecar_of(image)["Synthetic"] is True
        assert "synthetic" in str(nib.load(image).header["descrip"]).lower()


def test_no_event_was_made_up(output: Path) -> None:
    assert not list(output.rglob("*_events.*"))


class Links(HTMLParser):
    """What a page links to, shows and calls by an id."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.targets: set[str] = set()
        self.ids: set[str] = set()
        self.feed(page.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.ids |= {given["id"] or ""} if "id" in given else set()
        self.targets |= {given[name] or "" for name in ("href", "src", "data") if name in given}


@pytest.mark.parametrize("page", ["sub-00.html", "sub-01.html", "group.html"])
def test_pages_are_marked_and_their_links_lead_somewhere(output: Path, page: str) -> None:
    assert "SYNTHETIC" in (output / page).read_text("utf-8")
    links = Links(output / page)
    assert links.targets
    for target in links.targets:
        parts = urlsplit(target)
        # Nothing is loaded from elsewhere; references may point at the publishers.
        if parts.scheme:
            assert parts.scheme in ("data", "https"), target
            continue
        where = output / page if not parts.path else output / unquote(parts.path)
        assert where.is_file(), target
        if parts.fragment:
            assert parts.fragment in Links(where).ids, target


def test_the_group_has_one_row_per_recording(output: Path) -> None:
    table = pd.read_csv(output / "group_eeg2fmri.tsv", sep="\t", dtype=str)
    assert list(table["participant_id"]) == list(PEOPLE)
    assert set(table["synthetic"]) == {"true"}
    assert table["tsnr_median"].astype(float).gt(0).all()
    assert set(table) <= set(json.loads((output / "group_eeg2fmri.json").read_text()))


def kill_in_the_middle(line: list[str], out: Path) -> None:
    """Start the command, kill it while an image is being written, and see its workers end."""
    process = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + 300
    try:
        while not list(out.glob("sub-*/func/.tmp-*_desc-preproc_bold.nii.gz")):
            assert process.poll() is None, "it ended before it could be killed"
            assert time.monotonic() < deadline
            time.sleep(0.002)
        process.kill()
        process.wait()
        while group_lives(process.pid):
            assert time.monotonic() < deadline, "the workers live on"
            time.sleep(0.05)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_killed_run_of_two_processes_is_finished_with_the_same_bytes(
    output: Path, command: str, start, res_4, work_dir: Path, payloads, validator_issues, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    options = ["participant", *res_4, *ONE_THREAD, "--nprocs", "2"]
    kill_in_the_middle([command, str(EXAMPLE), str(out), *options, "--work-dir", str(work_dir)], out)
    assert list(out.rglob(".tmp-*"))
    assert not list(out.rglob("*_desc-preproc_bold.json"))
    finished = start(EXAMPLE, out, *options)
    assert (finished.code, finished.err) == (0, "")
    assert {status for status, _ in finished.table.values()} == {"written"}
    assert not list(out.rglob(".tmp-*"))
    assert validator_issues(out) == []
    assert payloads(out) == payloads(output)
