"""Our worker: what `participant` and `train` run with the published network."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from bids_eeg2fmri.eeg.volume_spectra import volume_spectra
from bids_eeg2fmri.learning.options import TrainingOptions
from bids_eeg2fmri.learning.published.devices import make_mesh, replicated, split_over
from bids_eeg2fmri.learning.published.feed import Batch
from bids_eeg2fmri.learning.published.objective import Objective
from bids_eeg2fmri.learning.published.optimiser import make_optimiser
from bids_eeg2fmri.learning.published.state import first_state, take_apart
from bids_eeg2fmri.learning.published.step import make_step
from bids_eeg2fmri.network.calhas2022 import Calhas2022, Calhas2022Config, from_upstream
from bids_eeg2fmri.network.calhas2022.trained import Calhas2022Facts, TrainedCalhas2022
from bids_eeg2fmri.synthesis.published import VolumePredictor

from .serving import Arrays, make_eeg, make_recording, make_volumes, serve

_TR_S, _SFREQ_HZ = 2.16, 250.0
_N_STEPS = 1000
_FACTS = Calhas2022Facts(
    tuple(f"E{number}" for number in range(64)),
    ((0.0, 0.0, 0.0),) * 64,
    _TR_S,
    ((3.0, 0.0, 0.0, 0.0), (0.0, 3.0, 0.0, 0.0), (0.0, 0.0, 3.0, 0.0), (0.0, 0.0, 0.0, 1.0)),
)


def main(path: Path) -> None:
    """Serve with the weights of the file."""

    def network() -> Calhas2022:
        with np.load(path) as arrays:
            return from_upstream(dict(arrays), Calhas2022Config())

    # As `participant` does, and the published package's worker: one network for batches of all sizes.
    @cache
    def predictor() -> VolumePredictor:
        return VolumePredictor(TrainedCalhas2022(network(), _FACTS))

    tasks = {
        "forward": lambda batch: _forward(predictor(), batch),
        "training": lambda batch: _training(network(), batch),
        "eager training": lambda batch: _training(network(), batch),
        "spectra": lambda _: _spectra(),
    }
    serve(lambda task, batch: tasks[task](batch))


def _forward(predict: VolumePredictor, batch: int) -> tuple[Callable[[], object], Arrays]:
    eeg = make_eeg(batch)
    volumes = predict.members(eeg)[0][0].reshape(batch, *Calhas2022Config().fmri_shape)
    return lambda: predict.members(eeg), {"volumes": volumes}


def _training(network: Calhas2022, batch: int) -> tuple[Callable[[], object], Arrays]:
    eeg, volumes = make_eeg(batch), make_volumes(batch)
    anatomy, weights = take_apart(network)
    predicted = jax.jit(lambda network, x: network(x))(nnx.clone(network), jnp.asarray(eeg))
    error = np.abs(np.asarray(predicted) - volumes).mean()
    options = TrainingOptions(batch_size=batch)
    mesh, optimiser = make_mesh(batch), make_optimiser(options, _N_STEPS)
    step = make_step(anatomy, optimiser, options, mesh, Objective.of(network.config, _N_STEPS))
    state = [jax.device_put(first_state(weights, optimiser), replicated(mesh))]
    # Only the state's copy of the weights is needed from here on.
    del network, weights
    # As the feed reads them: windows first, volumes in half precision.
    arrays = (np.moveaxis(eeg, -1, 1), volumes.astype(np.float16), np.ones(batch, np.float32))
    send = partial(jax.device_put, device=split_over(mesh))

    def run() -> float:
        state[0], loss = step(state[0], Batch(*map(send, arrays)))
        return float(loss)

    return run, {"error": np.asarray(error)}


def _spectra() -> tuple[Callable[[], object], Arrays]:
    signals = make_recording()
    length = round(_TR_S * _SFREQ_HZ)
    # The published package leaves the last window out.
    onsets_s = _TR_S * np.arange(-(-signals.shape[1] // length) - 1)

    def run() -> np.ndarray:
        return volume_spectra(signals, _SFREQ_HZ, onsets_s, _TR_S).z

    return run, {"spectra": np.moveaxis(run(), 0, -1)}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
