"""Model bundles that are cut, changed, from the future, or made to do harm."""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flax import nnx
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bids_eeg2fmri.errors import BadDataError, Eeg2fmriError, MissingInputError
from bids_eeg2fmri.network.bundle import load_bundle, save_bundle
from bids_eeg2fmri.network.neuralfield import NeuralField, NeuralFieldConfig

SMALL = NeuralFieldConfig(
    n_parcels=6, n_bands=2, n_states=5, band_groups=((0,), (1,)), n_maps=4, n_members=3, n_fourier=8, field_width=16
)
METADATA = {"name": "small", "version": "1", "training": {"datasets": []}, "targets": {"start_time_s": 0.0}}


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], bytes]:
    """Description and weights of a sound bundle."""
    folder = tmp_path_factory.mktemp("sound") / "model"
    save_bundle(folder, NeuralField(SMALL, rngs=nnx.Rngs(1)), METADATA, "# card")
    return json.loads((folder / "model.json").read_text()), (folder / "model.safetensors").read_bytes()


@pytest.fixture
def bundle(tmp_path: Path, content: tuple[dict[str, Any], bytes]) -> Callable[..., Path]:
    """Write the bundle with other weights, whose digest the description states, or with another description."""

    def write(weights: bytes | None = None, **changes: Any) -> Path:
        description, sound = content
        folder = tmp_path / "model"
        folder.mkdir(exist_ok=True)
        weights = sound if weights is None else weights
        (folder / "model.safetensors").write_bytes(weights)
        stated = {"sha256": hashlib.sha256(weights).hexdigest()}
        (folder / "model.json").write_text(json.dumps(description | stated | changes))
        return folder

    return write


class Harm:
    """What pickle would do on loading."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


def safetensors(header: bytes, claimed: int | None = None, data: bytes = b"") -> bytes:
    return struct.pack("<Q", len(header) if claimed is None else claimed) + header + data


def npz_of_objects(path: Path) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, linear=np.array([Harm(path)], dtype=object))
    return stream.getvalue()


@pytest.mark.parametrize("kept", [0.0, 0.01, 0.5, 0.999])
def test_cut_weights(bundle, content, kept: float) -> None:
    _, sound = content
    part = sound[: round(kept * len(sound))]
    with pytest.raises(BadDataError, match="do not fit"):
        load_bundle(str(bundle(part)))
    with pytest.raises(BadDataError, match="sha256"):
        load_bundle(str(bundle(part, sha256=hashlib.sha256(sound).hexdigest())))


@pytest.mark.parametrize("name", ["m" * 300, "m/" * 3000, "a\0b"])
def test_names_that_no_file_has(name: str) -> None:
    with pytest.raises(MissingInputError, match="no model"):
        load_bundle(name)


def test_weights_that_would_run_something(bundle, tmp_path: Path) -> None:
    harm = tmp_path / "harm"
    pickled = pickle.dumps({"linear": Harm(harm)})
    for weights in (pickled, npz_of_objects(harm), safetensors(pickled), safetensors(b"{}", data=pickled)):
        with pytest.raises(BadDataError, match="do not fit"):
            load_bundle(str(bundle(weights)))
    assert not harm.exists()
    pickle.loads(pickled)  # noqa: S301
    assert harm.is_dir()


@pytest.mark.parametrize(
    "weights",
    [
        safetensors(b"{}", claimed=2**63),
        safetensors(b"{}", claimed=2**40),
        safetensors(b'{"linear":{"dtype":"F32","shape":[4294967295,4294967295],"data_offsets":[0,8]}}', data=bytes(8)),
        safetensors(b'{"linear":{"dtype":"F32","shape":[2],"data_offsets":[0,99999999999]}}', data=bytes(8)),
        safetensors(b'{"../../linear":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', data=bytes(8)),
        safetensors(b"[" * 100_000),
    ],
)
def test_weights_whose_header_lies(bundle, weights: bytes) -> None:
    with pytest.raises(BadDataError, match="do not fit"):
        load_bundle(str(bundle(weights)))


def test_a_newer_format_asks_for_a_newer_program(bundle) -> None:
    with pytest.raises(BadDataError, match=r"bids-eeg2fmri-bundle/2; this version.*newer one"):
        load_bundle(str(bundle(format="bids-eeg2fmri-bundle/2", network="something new", hyperparameters=None)))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"name": ["a"]}, "name"),
        ({"sha256": 5}, "sha256"),
        ({"targets": {"start_time_s": "soon"}}, "start_time_s"),
        ({"targets": {"start_time_s": float("nan")}}, "start_time_s"),
        ({"targets": {"start_time_s": float("inf")}}, "start_time_s"),
        ({"targets": {"start_time_s": 10**400}}, "start_time_s"),
        ({"training": {"datasets": "all"}}, "datasets"),
        ({"training": {"datasets": [], "people": ["01"]}}, "people"),
        ({"calibration": 3}, "calibration"),
        ({"hyperparameters": None}, "hyperparameters"),
        ({"hyperparameters": {"peaks_s": [0.0, 1.0], "widths_s": [1.0, 1.0]}}, "above zero"),
        ({"hyperparameters": {"band_groups": [[0, 99]]}}, "bands"),
        ({"hyperparameters": {"field_scale_mm": 0.0}}, "scale above zero"),
        ({"hyperparameters": {"noise_scale_mm": float("inf")}}, "scale above zero"),
        ({"hyperparameters": {"n_maps": 10**12}}, "do not fit"),
        ({"network": "../../calhas2022"}, "not a bundle"),
    ],
)
def test_descriptions_that_are_wrong(bundle, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(BadDataError, match=says) as caught:
        load_bundle(str(bundle(**changes)))
    assert caught.value.path is not None and caught.value.remedy


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a": ' + "1" * 5000 + "}", '{"name": "\\ud800"}', "\0", "[]", "3"])
def test_descriptions_that_are_none(bundle, text: str) -> None:
    folder = bundle()
    (folder / "model.json").write_text(text)
    with pytest.raises(BadDataError):
        load_bundle(str(folder))


def test_links_are_followed_to_files_only(bundle, content, tmp_path: Path) -> None:
    """Annexed bundles consist of links; but a link elsewhere gives nothing away, and one to a device ends."""
    folder = bundle()
    weights = folder / "model.safetensors"
    annexed = weights.rename(tmp_path / "annexed")
    weights.symlink_to(annexed)
    assert load_bundle(str(folder)).name == "small"
    secret = tmp_path / "secret"
    secret.write_text("root:x:0:0")
    weights.unlink()
    weights.symlink_to(secret)
    with pytest.raises(BadDataError, match="sha256") as caught:
        load_bundle(str(folder))
    assert "x:0:0" not in str(caught.value)
    for target in ("/dev/zero", tmp_path / "nowhere", tmp_path, weights.name):
        weights.unlink()
        weights.symlink_to(target)
        with pytest.raises(BadDataError, match=r"no model\.safetensors"):
            load_bundle(str(folder))
    (folder / "model.json").unlink()
    (folder / "model.json").symlink_to("/dev/zero")
    with pytest.raises(MissingInputError):
        load_bundle(str(folder))


numbers = st.one_of(st.integers(-2, 20), st.integers(), st.floats(), st.booleans())
anything = st.recursive(
    st.one_of(st.none(), numbers, st.text(max_size=10)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=5,
)
keys = st.sampled_from(["format", "network", "name", "version", "training", "targets", "calibration", "scores", "x"])
shape_keys = st.sampled_from([*SMALL.__dataclass_fields__, "x"])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(keys, anything, max_size=2), st.dictionaries(shape_keys, anything, max_size=2))
@example({}, {"n_novelty_axes": True})
@example({}, {"n_members": -1})
@example({}, {"field_scale_mm": 0})
@example({}, {"noise_scale_mm": 10**400})
@example({}, {"n_fourier": 0})
@example({}, {"field_width": 0})
@example({}, {"field_width": 2**62})
@example({}, {"n_fourier": 10**30, "n_parcels": 10**30})
def test_any_description(bundle, content, changes: dict[str, Any], shapes: dict[str, Any]) -> None:
    description, _ = content
    folder = bundle(**changes, hyperparameters=description["hyperparameters"] | shapes)
    try:
        loaded = load_bundle(str(folder))
    except Eeg2fmriError as error:
        assert str(error)
    else:
        assert loaded.metadata["sha256"] == loaded.sha256
