from __future__ import annotations

import warnings

import mne
import numpy as np
import pytest

from bids_eeg2fmri.eeg import leadfield as lf
from bids_eeg2fmri.errors import BadDataError

CAP = [
    "Fp1",
    "Fp2",
    "F7",
    "F3",
    "Fz",
    "F4",
    "F8",
    "T7",
    "C3",
    "Cz",
    "C4",
    "T8",
    "P7",
    "P3",
    "Pz",
    "P4",
    "P8",
    "O1",
    "O2",
    "AFz",
]


def _mne_leadfield(directions, sources):
    """The same head through MNE (Berg-Scherg approximation of the shells)."""
    names = [f"E{i}" for i in range(len(directions))]
    info = mne.create_info(names, 100.0, "eeg")
    montage = mne.channels.make_dig_montage(
        dict(zip(names, directions * lf.HEAD_RADIUS_M, strict=True)), coord_frame="head"
    )
    info.set_montage(montage)
    sphere = mne.make_sphere_model(
        r0=(0.0, 0.0, 0.0),
        head_radius=lf.HEAD_RADIUS_M,
        relative_radii=lf.RELATIVE_RADII,
        sigmas=lf.CONDUCTIVITIES_S_PER_M,
        verbose="error",
    )
    outward = sources / np.maximum(np.linalg.norm(sources, axis=1, keepdims=True), 1e-9)
    space = mne.setup_volume_source_space(pos={"rr": sources, "nn": outward}, sphere=sphere, verbose="error")
    forward = mne.make_forward_solution(info, None, space, sphere, meg=False, eeg=True, mindist=0.0, verbose="error")
    assert forward["nsource"] == len(sources)
    return forward["sol"]["data"].reshape(len(directions), len(sources), 3)


def test_matches_mne():
    rng = np.random.default_rng(0)
    rays = rng.standard_normal((60, 3))
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    sources = rays * rng.uniform(0.005, 0.072, (60, 1))
    directions = lf.template_directions(CAP)
    ours, theirs = lf.leadfield(directions, sources), _mne_leadfield(directions, sources)
    ours, theirs = ours - ours.mean(0), theirs - theirs.mean(0)
    error = np.linalg.norm(ours - theirs, axis=(0, 2)) / np.linalg.norm(theirs, axis=(0, 2))
    assert error.max() < 0.01


def test_one_shell_matches_closed_form():
    """In a homogeneous ball the series has the sum 2/d - ln(1 - s.e + d), d the distance over the radius."""
    directions = lf.template_directions(CAP)
    source = np.array([0.01, -0.03, 0.05])
    ours = lf.leadfield(directions, source[None], [0.33], [1.0])[:, 0]
    offset = directions - source / lf.HEAD_RADIUS_M
    distance = np.linalg.norm(offset, axis=1, keepdims=True)
    nearness = 1 - directions @ (source / lf.HEAD_RADIUS_M)
    logarithm = (directions + offset / distance) / (nearness[:, None] + distance)
    expected = (2 * offset / distance**3 + logarithm) / (4 * np.pi * 0.33 * lf.HEAD_RADIUS_M**2)
    np.testing.assert_allclose(ours, expected, atol=1e-4 * np.abs(expected).max())


def test_rotation_turns_the_leadfield_with_the_head():
    rng = np.random.default_rng(1)
    turn = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    directions = lf.template_directions(CAP)
    sources = rng.uniform(-0.03, 0.03, (5, 3))
    straight = lf.leadfield(directions, sources) @ turn.T
    np.testing.assert_allclose(lf.leadfield(directions @ turn.T, sources @ turn.T), straight, atol=1e-6)


def test_sources_outside_the_brain_are_refused_or_drawn_in():
    with pytest.raises(ValueError, match="innermost"):
        lf.leadfield(lf.template_directions(CAP), np.array([[0.0, 0.0, 0.089]]))
    drawn = lf.sources_in_sphere(np.array([[0.0, -200.0, 0.0], [0.0, -16.0, 0.0]]))
    limit = lf.DEEPEST_SKULL_FRACTION * lf.RELATIVE_RADII[0] * lf.HEAD_RADIUS_M
    np.testing.assert_allclose(np.linalg.norm(drawn[0]), limit)
    assert np.linalg.norm(drawn[1]) < 0.005


def test_standard_cap_lands_on_the_template_from_any_frame():
    template = lf.template_directions(CAP)
    positions = lf.template_positions_m(CAP)
    np.testing.assert_allclose(lf.sphere_directions(positions, CAP), template, atol=1e-9)
    turn = np.linalg.qr(np.random.default_rng(2).standard_normal((3, 3)))[0]
    turn *= np.sign(np.linalg.det(turn))
    moved = 1.1 * positions @ turn.T + [0.02, -0.01, 0.05]
    np.testing.assert_allclose(lf.sphere_directions(moved, [n.upper() for n in CAP]), template, atol=1e-9)


def test_unnamed_cap_uses_the_head_axes():
    names = list(lf.load_template().positions_m)
    found = lf.sphere_directions(lf.template_positions_m(names), [f"E{i}" for i in range(len(names))])
    angle = np.degrees(np.arccos(np.clip((found * lf.template_directions(names)).sum(1), -1, 1)))
    assert angle.max() < 1e-3


def test_unknown_electrode_is_named():
    with pytest.raises(BadDataError, match="O9"):
        lf.template_directions(["Cz", "O9"])


def test_no_deprecation_warning():
    lf.load_template.cache_clear()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        lf.load_template()
