"""Bundles come back as they were saved, and foreign or damaged ones are refused."""

import json
import shutil

import jax
import numpy as np
import pytest
from flax import nnx

from bids_eeg2fmri.errors import BadDataError, MissingInputError
from bids_eeg2fmri.network.bundle import load_bundle, save_bundle
from bids_eeg2fmri.network.bundle_files import bundled_models
from bids_eeg2fmri.network.neuralfield import NeuralField, NeuralFieldConfig

SMALL = NeuralFieldConfig(
    n_parcels=6, n_bands=2, n_states=5, band_groups=((0,), (1,)), n_maps=4, n_members=3, n_fourier=8, field_width=16
)


@pytest.fixture
def saved(tmp_path):
    network = NeuralField(SMALL, rngs=nnx.Rngs(1))
    network.linear[...] = jax.random.normal(jax.random.key(0), network.linear.shape)
    metadata = {"name": "small", "version": "1", "training": {"datasets": []}, "targets": {"start_time_s": 0.0}}
    save_bundle(tmp_path / "model", network, metadata, "# card")
    return network, tmp_path / "model"


def test_round_trip(saved):
    network, folder = saved
    bundle = load_bundle(str(folder))
    assert (bundle.name, bundle.version, len(bundle.sha256)) == ("small", "1", 64)
    np.testing.assert_array_equal(bundle.network.linear[...], network.linear[...])
    points = np.random.default_rng(0).uniform(-60, 60, (7, 3)).astype(np.float32)
    grey = np.linspace(0, 1, 7, dtype=np.float32)
    np.testing.assert_allclose(bundle.network.field(points, grey), network.field(points, grey), rtol=1e-6)


def test_changed_weights_are_refused(saved):
    weights = saved[1] / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(BadDataError, match="sha256"):
        load_bundle(str(saved[1]))


def _rewrite(folder, **changes):
    path = folder / "model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"network": "resnet"}, "not a bundle"),
        ({"format": "other/1"}, "not a bundle"),
        ({"targets": {}}, "lacks targets.start_time_s"),
        ({"hyperparameters": {"n_parcels": 7}}, "do not fit"),
        ({"hyperparameters": {"layers": 7}}, "do not fit"),
    ],
)
def test_foreign_bundles_are_refused(saved, changes, message):
    _rewrite(saved[1], **changes)
    with pytest.raises(BadDataError, match=message):
        load_bundle(str(saved[1]))


def test_truncated_description_and_missing_weights(saved, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(saved[1], copy)
    (copy / "model.json").write_text("{")
    with pytest.raises(BadDataError, match="JSON"):
        load_bundle(str(copy))
    (saved[1] / "model.safetensors").unlink()
    with pytest.raises(BadDataError, match=r"no model\.safetensors"):
        load_bundle(str(saved[1]))


def test_unknown_names_list_the_known_ones():
    with pytest.raises(MissingInputError) as raised:
        load_bundle("no-such-model")
    assert all(name in str(raised.value) for name in bundled_models())
