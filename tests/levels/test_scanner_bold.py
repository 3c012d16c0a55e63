"""Finding the scanner's BOLD and one clock for both, and what is said where that fails."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from bids_eeg2fmri.bids.bold_file import BoldFile
from bids_eeg2fmri.bids.recording_file import RecordingFile
from bids_eeg2fmri.bold.real_bold import RealBold
from bids_eeg2fmri.eeg.recording import Recording, VolumeClock
from bids_eeg2fmri.errors import BadDataError
from bids_eeg2fmri.levels import scanner_bold
from bids_eeg2fmri.levels.model import Model
from bids_eeg2fmri.levels.scanner_bold import ScannerBold, meet_scanner
from bids_eeg2fmri.levels.scanner_file import Found
from bids_eeg2fmri.network.bundle import Bundle
from bids_eeg2fmri.network.neuralfield import NeuralField
from bids_eeg2fmri.settings import Settings

SETTINGS = Settings(Path("/data"), Path("/out"), "participant")
PREPROCESSED = replace(SETTINGS, derivatives={"fmriprep": Path("/prep")})
MARKERS = VolumeClock(6.0, 2.0, 50, "markers: R128")
ASSUMED = VolumeClock(0.0, 2.0, 53, "assumed: no volume markers")
FILE = RecordingFile(Path("/data/sub-01/eeg/x_eeg.edf"), Path("/data"), "raw", "01", "rest")
IMAGE = Path("/data/sub-01/func/sub-01_task-rest_bold.nii.gz")


def recording(clock: VolumeClock) -> Recording:
    fields: dict[str, Any] = dict.fromkeys(Recording.__dataclass_fields__)
    signals = {"signals_v": np.zeros((1, 1070), np.float32), "sfreq_hz": 10.0}
    return Recording(**fields | signals | {"clock": clock, "source": Path("/data/x_eeg.edf"), "warnings": ("first",)})


@pytest.fixture
def image(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets what reading the image gives."""

    def set_image(**changes: Any) -> Found:
        fields: dict[str, Any] = {"source": IMAGE, "tr_s": 2.0, "n_volumes": 50, "start_time_s": 0.0}
        fields |= {"affine": np.eye(4), "shape": (2, 2, 2)}
        real = RealBold(**fields | changes)
        monkeypatch.setattr(scanner_bold, "read_real_bold", lambda file, confound_columns: real)
        return Found(BoldFile(IMAGE, "raw", sidecar={"Simulated": True}))

    return set_image


def model(start_time_s: float | None = None, trained_on: tuple[str, ...] = ()) -> Model:
    """A model that predicts any instant, or one only; trained on some people of the dataset."""
    kind = NeuralField if start_time_s is None else object
    metadata = {
        "targets": {"start_time_s": start_time_s or 0.0},
        "training": {"datasets": ["data"], "people": {"training": list(trained_on), "test": ["01"]}},
    }
    return Model(cast(Bundle, SimpleNamespace(network=kind.__new__(kind), metadata=metadata)), ())


def meet(
    found: Found, clock: VolumeClock = MARKERS, settings: Settings = SETTINGS, of: Model | None = None
) -> tuple[Recording, ScannerBold | None, list[str]]:
    """The recording, the BOLD, and what became known about it."""
    met, scanner = meet_scanner(found, FILE, recording(clock), of or model(), settings)
    assert met.warnings[0] == "first"
    return met, scanner, list(met.warnings[1:])


def test_without_bold_nothing_happens() -> None:
    eeg = recording(MARKERS)
    assert meet_scanner(Found(), FILE, eeg, model(), SETTINGS) == (eeg, None)


def test_bold_on_the_same_clock(image: Any) -> None:
    met, scanner, said = meet(image())
    assert (met.clock, said) == (MARKERS, [])
    assert scanner is not None
    assert scanner.metadata == {
        "Source": "bids:raw:sub-01/func/sub-01_task-rest_bold.nii.gz",
        "Simulated": True,
        "Volumes": 50,
        "StartTime": 0.0,
        "ConfoundsRegressed": [],
    }


def test_clocks_that_disagree_are_told_with_their_numbers(image: Any, caplog: pytest.LogCaptureFixture) -> None:
    met, scanner, (sentence,) = meet(image(n_volumes=48))
    assert (met.clock, scanner) == (MARKERS, None)
    assert "50 volumes every 2 s" in sentence and "48 every 2 s" in sentence
    assert sentence.startswith("Not compared with the scanner's BOLD: x_eeg.edf: ")
    assert "/data/" not in sentence
    assert sentence in caplog.text


def test_an_assumed_clock_becomes_the_images(image: Any) -> None:
    met, scanner, (sentence,) = meet(image(tr_s=2.1), ASSUMED)
    assert scanner is not None
    assert (met.clock.tr_s, met.clock.n_volumes, met.clock.first_volume_onset_s) == (2.1, 50, 0.0)
    assert "50 volumes every 2.1 s" in sentence and "assumed" in sentence


def test_a_repetition_time_that_was_asked_for_stays(image: Any) -> None:
    met, scanner, (sentence,) = meet(image(tr_s=2.1), ASSUMED, replace(SETTINGS, tr_s=2.0))
    assert (met.clock, scanner) == (ASSUMED, None)
    assert "--tr asks for a volume every 2 s" in sentence and "every 2.1 s" in sentence


@pytest.mark.parametrize(("start_time_s", "told"), [(None, False), (1.0, False), (0.0, True)])
def test_another_instant_is_told(image: Any, start_time_s: float | None, told: bool) -> None:
    _, scanner, said = meet(image(start_time_s=1.0), of=model(start_time_s))
    assert scanner is not None
    assert bool(said) == told
    assert all("1 s" in sentence and "0 s" in sentence for sentence in said)


@pytest.mark.parametrize(("people", "told"), [((), False), (("02",), False), (("01", "02"), True)])
def test_scores_of_a_person_the_model_knows_are_called_so(image: Any, people: tuple[str, ...], told: bool) -> None:
    _, scanner, said = meet(image(), of=model(trained_on=people))
    assert scanner is not None
    sentence = "The model was trained on sub-01 of this dataset: the scores say nothing about other people."
    assert said == [sentence] * told


def test_a_model_of_simulated_people_knows_nobody() -> None:
    bundle = SimpleNamespace(metadata={"training": {"datasets": ["data"], "people": {"training": 240}}})
    assert not Model(cast(Bundle, bundle), ()).was_trained_on("01", "data")


def test_bold_that_cannot_be_used_is_a_warning_to_those_who_gave_derivatives(caplog: pytest.LogCaptureFixture) -> None:
    found = Found(problem=BadDataError("lies in the space of the scanner.", path=IMAGE, remedy="Run fMRIPrep."))
    with caplog.at_level(logging.INFO):
        _, scanner, said = meet(found)
    assert (scanner, said) == (None, [])
    assert caplog.records[-1].levelno == logging.INFO
    _, scanner, (sentence,) = meet(found, settings=PREPROCESSED)
    assert scanner is None
    assert "sub-01/func/sub-01_task-rest_bold.nii.gz: lies in the space of the scanner. Run fMRIPrep." in sentence
    assert caplog.records[-1].levelno == logging.WARNING
