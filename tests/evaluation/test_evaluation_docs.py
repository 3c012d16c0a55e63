"""The page on the evaluation names every score, baseline and null of the code."""

from pathlib import Path

import pytest

from bids_eeg2fmri.evaluation import baselines, nulls
from bids_eeg2fmri.evaluation.definitions import SCORES
from bids_eeg2fmri.evaluation.scorecard import MAX_PICTURES

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "evaluation.md").read_text("utf-8")


@pytest.mark.parametrize("name", SCORES)
def test_every_score_is_defined(name):
    assert f"`{name}`" in PAGE


@pytest.mark.parametrize("name", [name for name in vars(baselines) if name.isupper() and name != "FIXED_SIGNS"])
def test_every_baseline_is_defined(name):
    assert f"| {getattr(baselines, name)} |" in PAGE


def test_the_numbers_of_the_nulls():
    assert f"{nulls.N_SURROGATES:,}" in PAGE
    assert f"{nulls.MIN_SHIFT_S:g} s" in PAGE
    assert f"{MAX_PICTURES} volumes" in PAGE
