"""Model bundles: a folder with weights, what they mean, and a model card."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from ..errors import BadDataError, MissingInputError
from .calhas2022.trained import TrainedCalhas2022
from .neuralfield import NeuralField

FORMAT = "bids-eeg2fmri-bundle/1"
Network: TypeAlias = NeuralField | TrainedCalhas2022
# A network that bundles can hold has a NAME, and makes itself from its own ``hyperparameters``.
NETWORKS: dict[str, type[Network]] = {kind.NAME: kind for kind in (NeuralField, TrainedCalhas2022)}
_NEEDED = (
    *("format", "network", "name", "version", "hyperparameters", "sha256"),
    *("training.datasets", "targets.start_time_s"),
)


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


def bundled_models() -> tuple[str, ...]:
    """Names of the models that ship with the package."""
    folder = files("bids_eeg2fmri.assets") / "models"
    return tuple(sorted(item.name for item in folder.iterdir() if item.is_dir() and not item.name.startswith("_")))


def find_bundle(name_or_folder: str) -> Path:
    """Folder of a bundled model or of the user's own.

    Raises
    ------
    MissingInputError
        Neither a bundled name nor a folder with a ``model.json``.
    """
    if name_or_folder in bundled_models():
        return Path(str(files("bids_eeg2fmri.assets") / "models" / name_or_folder))
    folder = Path(name_or_folder)
    if not (folder / "model.json").is_file():
        raise MissingInputError(
            f"no model {name_or_folder!r}.",
            path=folder,
            remedy=f"Give the folder of a bundle (with model.json), or one of: {', '.join(bundled_models())}.",
        )
    return folder


def load_bundle(name_or_folder: str) -> Bundle:
    """Load a bundle and check that its weights are the ones its description speaks of.

    Raises
    ------
    MissingInputError
        There is no such bundle.
    BadDataError
        The bundle is corrupt, or made for another network or format.
    """
    folder = find_bundle(name_or_folder)
    metadata = _read_metadata(folder / "model.json")
    weights = folder / "model.safetensors"
    if not weights.is_file():
        raise BadDataError("the bundle has no model.safetensors.", path=folder, remedy="Copy the whole folder again.")
    digest = _sha256(weights)
    if digest != metadata["sha256"]:
        raise BadDataError(
            "the weights are not the ones model.json describes (sha256 differs).",
            path=weights,
            remedy="The file is corrupt or was replaced: copy the bundle again.",
        )
    try:
        arrays = load_file(weights)
        network = _network_with(NETWORKS[metadata["network"]], metadata["hyperparameters"], arrays)
    except (SafetensorError, TypeError, KeyError, ValueError) as error:
        raise BadDataError(
            f"the weights do not fit the network ({error}).", path=weights, remedy="Use a bundle made by this version."
        ) from error
    return Bundle(network, metadata, digest)


def save_bundle(folder: Path, network: Network, metadata: dict[str, Any], card: str) -> None:
    """Write a bundle; weights in half precision where their range allows it.

    ``metadata`` lacks the entries made here: format, network, hyperparameters, sha256.
    """
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {name: _compact(np.asarray(value)) for name, value in _weights(network).items()}
    save_file(arrays, folder / "model.safetensors")
    (folder / "model.safetensors").chmod(0o644)
    description = {
        "format": FORMAT,
        "network": network.NAME,
        **metadata,
        "hyperparameters": network.hyperparameters,
        "sha256": _sha256(folder / "model.safetensors"),
    }
    (folder / "model.json").write_text(json.dumps(description, indent=2, ensure_ascii=False) + "\n", "utf-8")
    (folder / "MODEL_CARD.md").write_text(card, "utf-8")


def _read_metadata(path: Path) -> dict[str, Any]:
    try:
        metadata = json.loads(path.read_text("utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise BadDataError(f"not readable as JSON ({error}).", path=path, remedy="Copy the bundle again.") from error
    missing = [name for name in _NEEDED if not _has(metadata, name)]
    if missing or metadata["format"] != FORMAT or str(metadata["network"]) not in NETWORKS:
        what = f"lacks {', '.join(missing)}" if missing else f"is {metadata['format']} {metadata['network']}"
        needed = f"Needed: {FORMAT}, {' or '.join(NETWORKS)}."
        raise BadDataError(f"not a bundle of this program (it {what}).", path=path, remedy=needed)
    return metadata


def _has(metadata: Any, name: str) -> bool:
    """Whether nested objects hold an entry, named by its keys with dots between them."""
    for key in name.split("."):
        if not isinstance(metadata, dict) or key not in metadata:
            return False
        metadata = metadata[key]
    return True


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
    filled = jax.tree_util.tree_map_with_path(lambda path, leaf: jnp.asarray(arrays[_name(path)], leaf.dtype), state)
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


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
