from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from bids_eeg2fmri import errors
from bids_eeg2fmri.errors import Eeg2fmriError

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Eeg2fmriError)]


@pytest.mark.parametrize("kind", KINDS)
def test_errors_survive_the_way_back_from_a_worker(kind: type[Eeg2fmriError]) -> None:
    back = pickle.loads(pickle.dumps(kind("a problem.", path="x/y", remedy="Do this.")))  # noqa: S301
    assert type(back) is kind
    assert (back.problem, back.path, back.remedy) == ("a problem.", Path("x/y"), "Do this.")


@pytest.mark.parametrize(
    ("path", "remedy", "text"),
    [
        (None, None, "a problem."),
        ("x", None, "x: a problem."),
        (None, "Do this.", "a problem. Do this."),
        ("x", "Do this.", "x: a problem. Do this."),
    ],
)
def test_text(path: str | None, remedy: str | None, text: str) -> None:
    assert str(Eeg2fmriError("a problem.", path=path, remedy=remedy)) == text


def test_exit_codes_are_those_of_the_execution_specification() -> None:
    assert {kind.__name__: kind.exit_code for kind in KINDS} == {
        "Eeg2fmriError": 1,
        "InvalidDatasetError": 16,
        "UnknownLevelError": 17,
        "NothingSelectedError": 18,
        "UsageError": 64,
        "BadDataError": 65,
        "MissingInputError": 66,
        "OutputError": 73,
        "WriteError": 74,
        "TemporaryError": 75,
    }
