"""Model bundles: a folder with weights, what they mean, and a model card."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from ..errors import BadDataError
from .bundle_files import DESCRIPTION, FORMAT, WEIGHTS, checked_bundle, file_sha256
from .calhas2022.trained import TrainedCalhas2022
from .neuralfield import NeuralField

Network: TypeAlias = NeuralField | TrainedCalhas2022
# A network that bundles can hold has a NAME, and makes itself from its own ``hyperparameters``.
NETWORKS: dict[str, type[Network]] = {kind.NAME: kind for kind in (NeuralField, TrainedCalhas2022)}


@dataclass(frozen=True)
class Bundle:
    """A trained network and everything that must be known to use it.

    Attributes
    ----------
    network
        The network with its weights.
    metadata
        The content of ``model.json``: name, version, training data, features, scores, calibration.
    sha256
        Digest of ``model.safetensors``.
    """

    network: Network
    metadata: dict[str, Any]
    sha256: str

    @property
    def name(self) -> str:
        """Name of the model."""
        return str(self.metadata["name"])

    @property
    def version(self) -> str:
        """Version of the model."""
        return str(self.metadata["version"])


def load_bundle(name_or_folder: str) -> Bundle:
    """Load a bundle and check that its weights are the ones its description speaks of.

    Raises
    ------
    MissingInputError
        There is no such bundle.
    BadDataError
        The bundle is corrupt, or made for another network or format.
    """
    folder, metadata = checked_bundle(name_or_folder)
    weights = folder / WEIGHTS
    try:
        arrays = load_file(weights)
        network = _network_with(NETWORKS[metadata["network"]], metadata["hyperparameters"], arrays)
    # The hyperparameters may be any numbers: zero to divide by, or sizes that no memory holds.
    except (SafetensorError, TypeError, KeyError, ValueError, ArithmeticError, MemoryError) as error:
        raise BadDataError(
            f"the weights do not fit the network ({error}).", path=weights, remedy="Use a bundle made by this version."
        ) from error
    return Bundle(network, metadata, metadata["sha256"])


def save_bundle(folder: Path, network: Network, metadata: dict[str, Any], card: str) -> None:
    """Write a bundle; weights in half precision where their range allows it.

    ``metadata`` lacks the entries made here: format, network, hyperparameters, sha256.
    """
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {name: _compact(np.asarray(value)) for name, value in _weights(network).items()}
    save_file(arrays, folder / WEIGHTS)
    (folder / WEIGHTS).chmod(0o644)
    description = {
        "format": FORMAT,
        "network": network.NAME,
        **metadata,
        "hyperparameters": network.hyperparameters,
        "sha256": file_sha256(folder / WEIGHTS),
    }
    (folder / DESCRIPTION).write_text(json.dumps(description, indent=2, ensure_ascii=False) + "\n", "utf-8")
    (folder / "MODEL_CARD.md").write_text(card, "utf-8")


def _network_with(kind: type[Network], hyperparameters: dict[str, Any], arrays: dict[str, np.ndarray]) -> Network:
    # eval_shape builds the structure without running the initialisers: loading costs what the weights cost.
    network = nnx.eval_shape(lambda: kind.from_hyperparameters(hyperparameters))
    graph, streams, *(state,) = nnx.split(network, nnx.RngState, ...)
    shapes = _flat(state)
    if set(shapes) != set(arrays):
        raise ValueError(f"other arrays: {sorted(set(shapes) ^ set(arrays))[:3]}")
    for name, shape in shapes.items():
        if arrays[name].shape != shape.shape:
            raise ValueError(f"{name} has shape {arrays[name].shape}, needed {shape.shape}")
    # NumPy converts: JAX would compile a program for every shape. The arrays may share memory; nobody changes it.
    filled = jax.tree_util.tree_map_with_path(
        lambda path, leaf: jax.device_put(np.asarray(arrays[_name(path)], leaf.dtype)), state
    )
    loaded = nnx.merge(graph, jax.tree.map(_fresh, streams), filled)
    loaded.eval()
    return loaded


def _fresh(leaf: jax.ShapeDtypeStruct) -> jax.Array:
    """A random stream at its beginning: its key, or its count. Whoever draws from a network seeds it."""
    return jax.random.key(0) if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key) else jnp.zeros(leaf.shape, leaf.dtype)


def _weights(network: Network) -> dict[str, Any]:
    """Everything a network consists of but its random streams."""
    _, state = nnx.state(network, nnx.RngState, ...)
    return _flat(state)


def _flat(state: nnx.State) -> dict[str, Any]:
    return {_name(path): leaf for path, leaf in jax.tree_util.tree_leaves_with_path(state)}


def _name(path: tuple[Any, ...]) -> str:
    keys = [getattr(key, "key", getattr(key, "name", None)) for key in path]
    return ".".join(str(key) for key in keys if key not in (None, "value"))


def _compact(array: np.ndarray) -> np.ndarray:
    """Large arrays of floats in half precision where their range allows it, other floats in single precision."""
    if not np.issubdtype(array.dtype, np.floating):
        return array
    largest = np.abs(array).max(initial=0.0)
    return array.astype(np.float16 if array.size > 10_000 and largest < 1e4 else np.float32)
