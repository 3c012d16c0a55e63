from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from bids_eeg2fmri.bold.atlas import load_atlas
from bids_eeg2fmri.bold.grid import grey_fraction
from bids_eeg2fmri.eeg.leadfield import HEAD_RADIUS_M, RELATIVE_RADII
from bids_eeg2fmri.phantom.draw import draw_person
from bids_eeg2fmri.phantom.networks import draw_networks, mirror_parcels
from bids_eeg2fmri.phantom.person import BANDS


def test_same_seed_same_person_other_seed_other_person():
    one, again, other = draw_person(7), draw_person(7), draw_person(8)
    for field in dataclasses.fields(one):
        np.testing.assert_array_equal(getattr(one, field.name), getattr(again, field.name))
    assert not np.array_equal(one.coordinates_mm, other.coordinates_mm)
    assert one.alpha_hz != other.alpha_hz


@pytest.mark.parametrize("seed", range(5))
def test_person_lies_within_what_is_known_of_people(seed):
    person = draw_person(seed)
    assert 6 <= person.n_networks <= 18
    assert 400 <= person.n_sources <= 700
    assert 8.0 <= person.alpha_hz <= 12.0
    assert person.hrf_peak_s.min() >= 4.0
    assert person.hrf_peak_s.max() <= 7.0
    assert np.linalg.norm(person.head_positions_m, axis=1).max() < RELATIVE_RADII[0] * HEAD_RADIUS_M
    np.testing.assert_allclose(np.linalg.norm(person.orientations, axis=1), 1, atol=1e-5)
    assert grey_fraction(person.coordinates_mm).mean() > 0.5
    coupling = dict(zip(BANDS, np.median(person.network_coupling, axis=1), strict=True))
    assert coupling["alpha"] < -0.15
    assert coupling["beta"] < -0.1
    assert coupling["gamma"] > 0.1
    assert abs(coupling["theta"]) < 0.12


def test_sources_are_in_the_order_of_the_parcels_and_near_them(person):
    atlas = load_atlas()
    assert (np.diff(person.parcels) >= 0).all()
    assert set(person.parcels) == set(range(len(atlas)))
    assert np.median(np.linalg.norm(person.coordinates_mm - atlas.centres_mm[person.parcels], axis=1)) < 15


def test_thalamus_opposes_the_visual_cortex_but_its_alpha_rises(person):
    thalamic = np.array(["Thalamus" in name for name in load_atlas().names])[person.parcels]
    assert (person.coupling_sign[BANDS.index("alpha"), thalamic] == -1).all()
    assert (person.coupling_sign[:, ~thalamic] == 1).all()
    leader = np.abs(person.network_weights[thalamic]).sum(0).argmax()
    assert (person.network_weights[thalamic, leader] < 0).all()


def test_states_have_about_unit_variance(person):
    power = (person.network_weights**2).sum(1) + person.private_weights**2
    assert np.median(np.abs(power - 1)) < 0.05


def test_networks_are_mostly_bilateral():
    atlas = load_atlas()
    mirror = mirror_parcels(atlas)
    assert (atlas.centres_mm[mirror][:, 0] * atlas.centres_mm[:, 0] < 0).mean() > 0.95
    rng = np.random.default_rng(0)
    weights = np.concatenate([draw_networks(atlas, 12, rng) for _ in range(5)], axis=1) > 0
    assert weights[mirror][weights].mean() > 0.6
    assert 0.02 < weights.mean() < 0.3
