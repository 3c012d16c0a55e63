"""Who gets whose anatomy beside the synthetic BOLD."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from bids_eeg2fmri.levels.anatomy import provide_anatomy
from bids_eeg2fmri.levels.logs import RunLogs
from bids_eeg2fmri.levels.summary import Outcome
from bids_eeg2fmri.settings import Settings

MakeFmriprep = Callable[..., Path]
OUTCOMES = [
    Outcome("sub-01_task-rest", "01", "written"),
    Outcome("sub-02_task-rest", "02", "done"),
    Outcome("sub-03_task-rest", "03", "failed"),
    Outcome("sub-04_task-rest", "04", "not run"),
]


@pytest.fixture
def provide(tmp_path: Path) -> Callable[..., list[Outcome]]:
    def run(**options: object) -> list[Outcome]:
        settings = Settings(tmp_path / "ds", tmp_path / "out", "participant", **options)  # type: ignore[arg-type]
        (tmp_path / "logs").mkdir(exist_ok=True)
        return provide_anatomy(OUTCOMES, settings, RunLogs(tmp_path / "logs", "command"))

    return run


def t1w_images(out: Path) -> list[str]:
    return sorted(path.name for path in out.glob("sub-*/anat/*_T1w.nii.gz"))


def test_nothing_is_made_unasked(provide, tmp_path: Path) -> None:
    assert provide() == []
    assert not (tmp_path / "out").exists()


def test_those_with_outputs_get_their_own_anatomy_or_the_stand_in(
    provide, make_fmriprep: MakeFmriprep, tmp_path: Path
) -> None:
    for subject in ("01", "03"):
        make_fmriprep(tmp_path / "fmriprep", subject)
    given = {"derivatives": {"fmriprep": tmp_path / "fmriprep"}}
    assert provide(**given) == []
    assert t1w_images(tmp_path / "out") == ["sub-01_desc-preproc_T1w.nii.gz"]
    assert provide(**given, template_anat=True) == []
    both = ["sub-01_desc-preproc_T1w.nii.gz", "sub-02_rec-template_desc-preproc_T1w.nii.gz"]
    assert t1w_images(tmp_path / "out") == both
    # A link of an earlier run is not joined by a stand-in.
    assert provide(template_anat=True) == []
    assert t1w_images(tmp_path / "out") == both


def warnings_in(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Without the details that a test before this one may have asked our loggers for."""
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


def test_links_that_lead_nowhere_are_said_where_the_template_was_asked_for(
    provide, make_fmriprep: MakeFmriprep, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    make_fmriprep(tmp_path / "fmriprep")
    assert provide(derivatives={"fmriprep": tmp_path / "fmriprep"}) == []
    (tmp_path / "fmriprep").rename(tmp_path / "moved")
    with caplog.at_level(logging.WARNING):
        assert provide(template_anat=True) == []
    (message,) = warnings_in(caplog)
    lost = tmp_path / "out" / "sub-01" / "anat" / "sub-01_desc-preproc_T1w.nii.gz"
    assert message.startswith("sub-01: links to anatomy lead nowhere; give --derivatives again, or remove")
    assert str(lost) in message
    assert t1w_images(tmp_path / "out") == [lost.name, "sub-02_rec-template_desc-preproc_T1w.nii.gz"]


def test_half_an_anatomy_is_not_linked_and_what_lacks_is_said(
    provide, make_fmriprep: MakeFmriprep, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = make_fmriprep(tmp_path / "fmriprep")
    next(folder.glob("*_from-MNI*.h5")).unlink()
    with caplog.at_level(logging.WARNING):
        assert provide(derivatives={"fmriprep": tmp_path / "fmriprep"}) == []
    (message,) = warnings_in(caplog)
    assert "sub-01" in message
    assert "from-MNI152NLin2009cAsym_to-T1w_mode-image_xfm.h5" in message
    assert not (tmp_path / "out").exists()


def test_a_failure_is_one_persons(provide, make_fmriprep: MakeFmriprep, tmp_path: Path) -> None:
    for subject in ("01", "02"):
        make_fmriprep(tmp_path / "fmriprep", subject)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "sub-01").write_text("in the way")
    (fault,) = provide(derivatives={"fmriprep": tmp_path / "fmriprep"})
    assert (fault.label, fault.subject, fault.status, fault.exit_code) == ("sub-01_anat", "01", "failed", 73)
    assert "something else stands in its place" in fault.message
    assert t1w_images(tmp_path / "out") == ["sub-02_desc-preproc_T1w.nii.gz"]
