"""The planted groups of the classification benchmark differ in what they say, and in nothing else."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from benchmarks.groups.planted import ALPHA_FACTOR, FLAT_FACTOR, GROUPS, of_group
from bids_eeg2fmri.phantom.draw import draw_person
from bids_eeg2fmri.phantom.person import BANDS

_CHANGED = {"usual": set(), "other": set(), "alpha": {"band_rms"}, "flat": {"coupling_strength"}}


@pytest.mark.parametrize("group", GROUPS)
def test_groups_differ_in_one_thing(group):
    usual = draw_person(1)
    member = of_group(usual, group)
    changed = {
        field.name
        for field in dataclasses.fields(usual)
        if not np.array_equal(getattr(usual, field.name), getattr(member, field.name))
    }
    assert changed == _CHANGED[group]
    alpha = BANDS.index("alpha")
    np.testing.assert_array_equal(np.delete(usual.band_rms, alpha, axis=1), np.delete(member.band_rms, alpha, axis=1))
    if group == "alpha":
        np.testing.assert_allclose(member.band_rms[:, alpha], ALPHA_FACTOR * usual.band_rms[:, alpha])
    if group == "flat":
        assert member.coupling_strength == FLAT_FACTOR * usual.coupling_strength
