"""Regions of interest by name."""

import numpy as np
import pytest

from bids_eeg2fmri.bold.atlas import NETWORKS, load_atlas
from bids_eeg2fmri.bold.grid import make_grid
from bids_eeg2fmri.errors import UsageError
from bids_eeg2fmri.explanation.regions import chosen_regions, known_regions, region_weights
from bids_eeg2fmri.levels.model import load_model
from bids_eeg2fmri.settings import OutputSpace, Settings


def test_no_names_are_the_networks():
    regions = chosen_regions(())
    assert [region.name for region in regions] == list(NETWORKS)
    assert sorted(parcel for region in regions for parcel in region.parcels) == list(range(len(load_atlas())))


def test_networks_structures_and_parcels_in_any_case_and_once():
    visual, thalamus, parcel = chosen_regions(("vis", "Thalamus", "L-Vis-1", "Vis"))
    assert visual.name == "Vis"
    assert [load_atlas().names[each] for each in thalamus.parcels] == ["L-Thalamus", "R-Thalamus"]
    assert parcel.parcels == (0,)
    assert parcel.label == "LVis1"


def test_labels_are_unique_and_fit_for_bids():
    labels = [region.label for region in known_regions().values()]
    assert len(set(labels)) == len(labels)
    assert all(label.isalnum() for label in labels)


def test_an_unknown_region_is_refused_with_the_known_before_the_model_is_read(tmp_path):
    settings = Settings(tmp_path, tmp_path, "participant", explain=("Occipital",), model="no such model")
    with pytest.raises(UsageError) as refusal:
        load_model(settings)
    text = str(refusal.value)
    assert "Occipital" in text
    assert all(name in text for name in (*NETWORKS, "Thalamus", "L-Vis-1"))


def test_weights_average_the_voxels_of_a_region():
    coordinates = make_grid(OutputSpace(resolution="4")).coordinates_mm
    weights = region_weights(chosen_regions(("Vis", "Amygdala")), coordinates)
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-4)
    centre = weights[[0]] @ coordinates
    assert centre[0, 1] < -60
