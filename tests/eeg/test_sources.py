"""The source projection against the physics it inverts."""

import numpy as np
import pytest

from bids_eeg2fmri.bold.atlas import load_atlas, source_points
from bids_eeg2fmri.eeg.leadfield import leadfield, sources_in_sphere, template_directions, template_positions_m
from bids_eeg2fmri.eeg.sources import make_projection, padded_width, project_gain, referenced_gain
from bids_eeg2fmri.phantom.caps import cap_names


def _project(n_channels, good=None):
    names = cap_names(n_channels)
    good = np.ones(len(names), bool) if good is None else good
    return make_projection(template_positions_m(names), names, good, *source_points())


@pytest.fixture(scope="module")
def projection64():
    return _project(64)


def test_bad_channels_leave_and_the_reference_does_not_matter(projection64):
    assert projection64.operator.shape == (3 * 214, 64)
    np.testing.assert_allclose(projection64.operator.sum(axis=1), 0, atol=1e-5)
    good = np.ones(64, bool)
    good[[3, 17]] = False
    without = _project(64, good)
    assert not without.operator[:, ~good].any()
    np.testing.assert_allclose(without.operator.sum(axis=1), 0, atol=1e-5)


def test_cortical_dipoles_are_found_where_they_are(projection64):
    atlas = load_atlas()
    directions = template_directions(cap_names(64))
    superficial = [i for i, name in enumerate(atlas.networks) if name in ("Vis", "SomMot", "Cont")][::6]
    error_mm = []
    for parcel in superficial:
        position = sources_in_sphere(atlas.centres_mm[[parcel]])
        outward = position[0] / np.linalg.norm(position[0])
        scalp = leadfield(directions, position)[:, 0] @ outward
        virtual = projection64.operator @ (scalp - scalp.mean())
        power = np.square(virtual).reshape(214, 3).sum(axis=1)
        error_mm.append(np.linalg.norm(atlas.centres_mm[power.argmax()] - atlas.centres_mm[parcel]))
    assert np.median(error_mm) < 20


def test_more_electrodes_see_more(projection64):
    resolution = [_project(19).resolution, projection64.resolution, _project(128).resolution]
    medians = [np.median(value) for value in resolution]
    assert medians == sorted(medians)
    cortex = np.array(load_atlas().networks) != "Subcortical"
    assert np.median(resolution[1][cortex]) > 2 * np.median(resolution[1][~cortex])


def test_positions_in_the_head_frame_give_the_template_operator(projection64):
    names = cap_names(64)
    points, parcel = source_points()
    field = leadfield(template_directions(names), sources_in_sphere(points)).reshape(64, -1)
    from_directions = project_gain(field - field.mean(axis=0), np.ones(64, bool), parcel)
    np.testing.assert_allclose(projection64.operator, from_directions.operator, atol=1e-3)
    np.testing.assert_allclose(projection64.resolution, from_directions.resolution, atol=1e-3)


def test_the_gain_is_referenced_to_the_good_channels_alone():
    names = cap_names(32)
    good = np.ones(len(names), bool)
    good[[0, 9]] = False
    points = source_points()[0][::50]
    gain = referenced_gain(template_positions_m(names), names, good, points)
    kept = [name for name, keep in zip(names, good, strict=True) if keep]
    field = leadfield(template_directions(kept), sources_in_sphere(points))
    expected = field - field.mean(axis=0)
    assert gain.shape == (good.sum(), 3 * len(points))
    # Three orientations per source, source by source.
    for source in (0, 7):
        for axis in range(3):
            np.testing.assert_allclose(
                gain[:, 3 * source + axis], expected[:, source, axis], atol=1e-6 * np.abs(gain).max()
            )


def test_widths_are_few():
    assert [padded_width(n) for n in (8, 32, 33, 64, 100, 256, 600)] == [32, 32, 64, 64, 128, 256, 600]
