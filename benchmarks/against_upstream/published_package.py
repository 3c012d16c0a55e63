"""The published package's worker; it runs in the environment made for it.

Everything it is asked for is called the way that is fastest for it: compiled graphs, where its notebook runs eagerly,
and the decoder alone where only volumes are wanted.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from .serving import Arrays, make_eeg, make_recording, make_volumes, serve

_LATENT, _EEG, _FMRI, _FILTERS = (7, 7, 7), (64, 134, 10, 1), (64, 64, 30, 1), 4
_FMRI_BLOCKS = ([(14, 6, 12), (6, 4, 6), (12, 47, 5)], [(2, 1, 1), (1, 1, 1), (1, 1, 1)], True, (2, 2, 2), (1, 1, 1))
_LEARNING_RATE = 0.002980911194116198
_TR_S, _SFREQ_HZ = 2.16, 250


def make_model() -> Any:
    """The published configuration: the notebook's flags."""
    synthesizers = import_module("eeg_to_fmri.models.synthesizers")
    fmri = (
        _LATENT,
        _FMRI,
        (9, 9, 4),
        (1, 1, 1),
        _FILTERS,
        True,
        True,
        0.0,
        True,
        3,
        True,
        False,
        1,
        False,
        None,
        False,
    )
    model = synthesizers.EEG_to_fMRI(
        _LATENT,
        _EEG,
        synthesizers.na_specification_eeg,
        _FILTERS,
        fmri_args=(*fmri, _FMRI_BLOCKS),
        fourier_features=True,
        random_fourier=True,
        topographical_attention=True,
        conditional_attention_style=True,
        conditional_attention_style_prior=False,
    )
    model.build((None, *_EEG), (None, *_FMRI))
    return model


def weights_of(model: Any) -> Iterator[tuple[str, Any]]:
    """Every weight with the name that :mod:`bids_eeg2fmri.network.calhas2022.upstream` knows it by."""
    encoder = {id(layer) for layer in model.eeg_encoder.layers}
    parts = {
        "eeg_encoder": model.eeg_encoder.layers,
        "fmri_encoder": model.fmri_encoder.layers,
        "decoder": [layer for layer in model.decoder.layers if id(layer) not in encoder],
    }
    for part, layers in parts.items():
        counts: dict[str, int] = {}
        for layer in layers:
            kind = type(layer).__name__
            counts[kind] = counts.get(kind, -1) + 1
            named = _block_weights(layer) if kind == "ResBlock" else _layer_weights(layer)
            for name, weight in named:
                yield f"{part}.{kind}_{counts[kind]}.{name}", weight


def _block_weights(block: Any) -> Iterator[tuple[str, Any]]:
    for side in ("left", "right"):
        n_convs = n_norms = 0
        for layer in getattr(block, f"{side}_layers"):
            if "Conv" in type(layer).__name__:
                n_convs += 1
                yield f"{side}.conv{n_convs}.kernel", layer.kernel
                yield f"{side}.conv{n_convs}.bias", layer.bias
            elif "Batch" in type(layer).__name__:
                n_norms += 1
                for array in ("gamma", "beta", "moving_mean", "moving_variance"):
                    yield f"{side}.bn{n_norms}.{array}", getattr(layer, array)


def _layer_weights(layer: Any) -> Iterator[tuple[str, Any]]:
    for weight in layer.weights:
        yield weight.name.split(":")[0].removeprefix(f"{layer.name}/").replace("/", "."), weight


def randomise(model: Any) -> None:
    """Weights as training could leave them: nothing is zero or one that need not be."""
    rng = np.random.default_rng(0)
    for name, weight in weights_of(model):
        value = weight.numpy()
        noise = rng.normal(size=value.shape)
        if name.endswith("moving_variance"):
            value = np.exp(0.3 * noise)
        elif name.endswith(("moving_mean", "gamma", "beta")) or (name.endswith("bias") and "Fourier" not in name):
            value = value + 0.1 * noise
        weight.assign(value.astype(np.float32))


def main(path: Path) -> None:
    """Serve with the weights of the file, or make it."""
    masking: Any = import_module("nilearn.masking")
    # Renamed since the version that the package was written for.
    if not hasattr(masking, "_apply_mask_fmri"):
        masking._apply_mask_fmri = masking.apply_mask
    tf = import_module("tensorflow")
    tasks = {
        "weights": lambda _: _weights(path),
        "forward": lambda batch: _forward(tf, loaded_model(path), batch),
        "training": lambda batch: _training(tf, loaded_model(path), batch, compiled=True),
        "eager training": lambda batch: _training(tf, loaded_model(path), batch, compiled=False),
        "spectra": lambda _: _spectra(),
    }
    serve(lambda task, batch: tasks[task](batch))


@cache
def loaded_model(path: Path) -> Any:
    """The model with the weights of a file, made once: Keras counts its layers on in a second one."""
    model = make_model()
    with np.load(path) as arrays:
        for name, weight in weights_of(model):
            weight.assign(arrays[name])
    return model


def _weights(path: Path) -> tuple[Callable[[], object], Arrays]:
    model = make_model()
    randomise(model)
    np.savez(path, **{name: weight.numpy() for name, weight in weights_of(model)})
    return lambda: None, {}


def _forward(tf: Any, model: Any, batch: int) -> tuple[Callable[[], object], Arrays]:
    eeg = make_eeg(batch)[..., None]
    decode = tf.function(lambda x: model.decoder(x, training=False))

    def run() -> np.ndarray:
        volumes: np.ndarray = decode(tf.constant(eeg)).numpy()
        return volumes

    return run, {"volumes": run()[..., 0]}


def _training(tf: Any, model: Any, batch: int, *, compiled: bool) -> tuple[Callable[[], object], Arrays]:
    train, losses = import_module("eeg_to_fmri.learning.train"), import_module("eeg_to_fmri.learning.losses")
    tf.config.run_functions_eagerly(not compiled)
    eeg, volumes = make_eeg(batch)[..., None], make_volumes(batch)[..., None]
    # Whichever call comes first decides whether its graph trains.
    predicted = model(tf.constant(eeg), tf.constant(volumes), training=True)[0].numpy()
    error = np.abs(predicted - volumes).mean()
    optimiser = tf.keras.optimizers.Adam(_LEARNING_RATE)
    optimiser.build(model.trainable_variables)

    def published_step(x: Any, y: Any) -> Any:
        return train.train_step(model, (x, y), optimiser, losses.mae_cosine, u_architecture=True)

    step = tf.function(published_step) if compiled else published_step
    return lambda: step(tf.constant(eeg), tf.constant(volumes)).numpy(), {"error": np.asarray(error)}


def _spectra() -> tuple[Callable[[], object], Arrays]:
    eeg_utils, stats = import_module("eeg_to_fmri.data.eeg_utils"), import_module("scipy.stats")
    signals = make_recording()

    def run() -> np.ndarray:
        # As get_data does for every person.
        channels = [
            eeg_utils.stft(signals, channel=channel, window_size=_TR_S, fs=_SFREQ_HZ)[1]
            for channel in range(len(signals))
        ]
        z: np.ndarray = stats.zscore(np.array(channels))
        return z

    return run, {"spectra": run()}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
