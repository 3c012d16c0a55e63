"""Bundles of the published network: what was saved comes back, draws included, and what does not fit is refused."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
from flax import nnx
from safetensors.numpy import load_file

from bids_eeg2fmri.errors import BadDataError
from bids_eeg2fmri.network.bundle import load_bundle, save_bundle
from bids_eeg2fmri.network.calhas2022 import VariationalCosine
from bids_eeg2fmri.network.calhas2022.trained import Bands, Calhas2022Facts, TrainedCalhas2022

NAMES = (
    *("Fp1", "Fp2", "F7", "F3", "Fz", "F4", "F8", "T7", "C3", "Cz"),
    *("C4", "T8", "P7", "P3", "Pz", "P4", "P8", "O1", "O2"),
)
METADATA = {"name": "tiny", "version": "1", "training": {"datasets": ["noise"]}, "targets": {"start_time_s": 1.0}}
RESIDUAL_SD = np.random.default_rng(0).uniform(0.5, 1, (9, 10, 8))
COSINE = {"decoder_shape": (4, 4, 4), "variational_idct": VariationalCosine((2, 2, 2), random_padding=True)}


def volumes(trained: TrainedCalhas2022, windows: np.ndarray) -> np.ndarray:
    return np.asarray(nnx.jit(lambda model, inputs: model(inputs))(trained.network, windows))


@pytest.fixture(scope="module")
def windows() -> np.ndarray:
    return np.random.default_rng(1).standard_normal((3, 19, 40, 5)).astype(np.float32)


@pytest.fixture(scope="module")
def original(tiny_published, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    trained = tiny_published(NAMES, constants={"residual_sd": RESIDUAL_SD, "gain": 0.4})
    folder = tmp_path_factory.mktemp("published") / "model"
    save_bundle(folder, trained, METADATA, "# card")
    return trained, folder


@pytest.fixture
def saved(original: tuple[Any, Path], tmp_path: Path) -> tuple[Any, Path]:
    """The network, and a copy of its bundle that may be spoilt."""
    return original[0], shutil.copytree(original[1], tmp_path / "model")


def weights(trained: TrainedCalhas2022) -> list[np.ndarray]:
    """Everything but the random streams."""
    _, state = nnx.state(trained, nnx.RngState, ...)
    return [np.asarray(leaf) for leaf in jax.tree.leaves(state)]


def test_round_trip(saved: tuple[Any, Path], windows: np.ndarray) -> None:
    trained, folder = saved
    bundle = load_bundle(str(folder))
    network = bundle.network
    assert isinstance(network, TrainedCalhas2022)
    assert bundle.metadata["network"] == "calhas2022"
    assert (network.facts, network.config) == (trained.facts, trained.config)
    assert (network.n_windows, network.n_bins, network.history_s) == (5, 40, 10.0)
    assert float(network.gain[...]) == pytest.approx(0.4)
    np.testing.assert_allclose(network.residual_sd[...], RESIDUAL_SD, rtol=1e-6)
    expected = volumes(trained, windows)
    np.testing.assert_allclose(volumes(network, windows), expected, atol=5e-3 * np.abs(expected).max())
    np.testing.assert_array_equal(network.novelty.quantiles[...], trained.novelty.quantiles[...])


@pytest.mark.parametrize(
    "options",
    [{"decoder_dropout": 0.5}, COSINE, {"aleatoric": True}, {"style": "none", "attention": False, "fourier": "fixed"}],
    ids=["dropout", "cosine", "aleatoric", "plain"],
)
def test_every_kind_of_state_comes_back(tiny_published, tmp_path: Path, options: dict[str, Any]) -> None:
    trained = tiny_published(NAMES, **options)
    save_bundle(tmp_path, trained, METADATA, "")
    arrays = load_file(tmp_path / "model.safetensors")
    # Random streams are no weights; large arrays are stored in half precision.
    assert not any("key" in name.split(".") for name in arrays)
    assert {array.dtype for array in arrays.values() if array.size > 10_000} <= {np.dtype(np.float16)}
    loaded = load_bundle(str(tmp_path)).network
    assert loaded.stochastic == trained.stochastic
    for ours, theirs in zip(weights(loaded), weights(trained), strict=True):
        assert ours.dtype == theirs.dtype
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-6)


def _rewrite(folder: Path, part: str, **changes: Any) -> None:
    path = folder / "model.json"
    metadata = json.loads(path.read_text())
    metadata["hyperparameters"][part] |= changes
    path.write_text(json.dumps(metadata))


@pytest.mark.parametrize(
    ("part", "changes"),
    [
        ("config", {"latent_shape": [2, 3, 3]}),
        ("config", {"depth": 7}),
        ("config", {"style": "baroque"}),
        ("config", {"eeg_blocks": {"kernels": [[50, 7, 2]], "strides": [[1, 1, 1]]}}),
        ("facts", {"channel_names": ["Cz"]}),
        ("facts", {"affine": [1, 2, 3]}),
        ("facts", {"tr_s": "two"}),
        ("facts", {"colour": "red"}),
    ],
)
def test_what_does_not_fit_is_refused(saved: tuple[Any, Path], part: str, changes: dict[str, Any]) -> None:
    _rewrite(saved[1], part, **changes)
    with pytest.raises(BadDataError, match="do not fit"):
        load_bundle(str(saved[1]))


def test_the_weights_of_another_network_are_refused(saved: tuple[Any, Path]) -> None:
    path = saved[1] / "model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"network": "neuralfield"}))
    with pytest.raises(BadDataError, match="do not fit"):
        load_bundle(str(saved[1]))


def test_facts_survive_json(saved: tuple[Any, Path]) -> None:
    facts = saved[0].facts
    assert Calhas2022Facts.from_json(json.loads(json.dumps(asdict(facts)))) == facts


def test_constants_of_another_shape_are_refused(original: tuple[Any, Path]) -> None:
    trained = original[0]
    with pytest.raises(ValueError, match=r"shape \(3,\)"):
        TrainedCalhas2022(trained.network, trained.facts, residual_sd=np.ones(3))


def test_bands_hold_the_bins_of_their_frequencies() -> None:
    bands = Bands(2.0, 26)
    # The last bin, 13 Hz, is all that there is of the next band.
    assert bands.edges_hz == ((1.0, 4.0), (4.0, 8.0), (8.0, 13.0))
    # Bin k lies at (k + 1) / 2 Hz: 8 to 12.5 Hz are bins 15 to 24.
    spectrum = np.arange(26.0)
    np.testing.assert_allclose(bands.means(spectrum), [3.5, 10.5, 19.5])
