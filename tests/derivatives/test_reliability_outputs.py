"""The reliability maps as written: values, what their sidecars say, and that none outlives its model."""

from __future__ import annotations

import json
from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest

from bids_eeg2fmri.derivatives.encoding import bold_encoding
from bids_eeg2fmri.derivatives.evaluated_caps import EvaluatedCaps
from bids_eeg2fmri.derivatives.names import output_names, sidecar
from bids_eeg2fmri.derivatives.provenance import is_simulated
from bids_eeg2fmri.derivatives.reliability import remove_reliability, write_reliability
from bids_eeg2fmri.derivatives.sidecars import RunFacts, bold_sidecar

CAPS = EvaluatedCaps(40, ("26 to 45", "46 to 90"), 20, False)


@pytest.fixture
def facts(written, tmp_path) -> RunFacts:
    of_run = written[0].facts
    return replace(of_run, names=output_names(tmp_path / "out", of_run.file, of_run.grid))


def test_maps_hold_the_atlas_and_are_removed_whole(facts: RunFacts):
    rng = np.random.default_rng(0)
    expected_r = rng.uniform(-0.2, 0.8, len(facts.grid.tissue)).astype(np.float32)
    interpretable = expected_r > 0.3
    paths = write_reliability(facts, expected_r, interpretable, CAPS)
    assert paths == facts.names.with_reliability
    assert all(path.is_file() for path in paths)
    mask = facts.grid.mask
    image = nib.load(facts.names.reliability).get_fdata()
    np.testing.assert_allclose(image[mask], expected_r, atol=1e-4)
    assert not image[~mask].any()
    inside = nib.load(facts.names.interpretable).get_fdata()
    np.testing.assert_array_equal(inside[mask], interpretable)
    assert not inside[~mask].any()
    remove_reliability(facts.names)
    remove_reliability(facts.names)
    assert not any(path.exists() for path in paths)


def test_no_reader_of_masks_sees_a_second_one(facts: RunFacts):
    """Readers of fMRIPrep's derivatives merge every ``_mask`` of a run."""
    assert not any("_mask." in path.name or "desc-preproc" in path.name for path in facts.names.with_reliability)


def test_sidecars_say_on_whom_and_whether_they_were_simulated(facts: RunFacts):
    values = np.zeros(len(facts.grid.tissue), np.float32)
    write_reliability(facts, values, values > 0, CAPS)
    for path in (facts.names.reliability, facts.names.interpretable):
        described = json.loads(sidecar(path).read_text())
        assert described["Synthetic"] is True
        assert "90 %" in described["Description"] or "Correlation" in described["Description"]
        assert described["Reliability"] == {
            "Statement": "For 40 good electrodes, interpolated between caps of 26 to 45 and 46 to 90 electrodes on 20 "
            "held-out people.",
            "Electrodes": 40,
            "ElectrodesOfHeldOutPeople": ["26 to 45", "46 to 90"],
            "HeldOutPeople": 20,
            "HeldOutPeopleOf": ["phantom of bids-eeg2fmri (simulated)"],
            "Simulated": True,
        }


def test_the_bold_sidecar_tells_that_there_are_maps(facts: RunFacts):
    def described(caps):
        return bold_sidecar(facts, encoding=bold_encoding(), clipped=0, metrics={}, reliability=caps)

    assert "Reliability" not in described(None)
    assert described(CAPS)["Reliability"]["Electrodes"] == 40


def test_a_cap_beyond_the_evaluated_ones_is_told():
    alone = EvaluatedCaps(8, ("up to 25",), 1, True).statement
    assert "measured with caps of up to 25 electrodes on 1 held-out person." in alone
    assert alone.endswith("expect less.")


@pytest.mark.parametrize(
    ("names", "simulated"),
    [
        (("Phantom of X",), True),
        (("A (doi:1)", "2000 simulated people"), True),
        (("NODDI (doi:2)",), False),
        ((), False),
    ],
)
def test_simulations_are_known_by_their_name(names, simulated):
    assert is_simulated(names) is simulated
