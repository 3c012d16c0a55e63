"""A tiny network with every kind of state, its data, and a training that tests run in processes of their own.

    python tiny_training.py FOLDER [WAIT]

prints the digest of the trained weights. It sleeps WAIT seconds after each step, so that it can be killed.
"""

from __future__ import annotations

import hashlib
import sys
import time
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from bids_eeg2fmri.learning.options import TrainingOptions
from bids_eeg2fmri.learning.published import loop
from bids_eeg2fmri.learning.published.cache import content_key, find_cached, write_cached
from bids_eeg2fmri.learning.published.devices import join_hosts
from bids_eeg2fmri.learning.published.objective import Objective
from bids_eeg2fmri.learning.published.volumes import Volumes

SCRIPT = Path(__file__)
N_WINDOWS, EEG, FMRI = 3, (4, 5), (4, 3, 2)
OPTIONS = TrainingOptions(epochs=3, batch_size=8, learning_rate=0.01, patience=3, checkpoint_steps=2, seed=5)


class Outputs(NamedTuple):
    mean: jax.Array
    sd: jax.Array | None
    z_eeg: jax.Array
    z_fmri: jax.Array | None
    penalty: jax.Array


class TinyNetwork(nnx.Module):
    """Dense layers, batch normalisation, dropout and a drawn perturbation."""

    def __init__(self, seed: int = 0) -> None:
        rngs = nnx.Rngs(seed)
        self.encoder = nnx.Linear(EEG[0] * EEG[1] * N_WINDOWS, 8, use_bias=False, rngs=rngs)
        self.norm = nnx.BatchNorm(8, rngs=rngs)
        self.fmri_encoder = nnx.Linear(24, 8, rngs=rngs)
        self.dropout = nnx.Dropout(0.5, rngs=rngs)
        self.decoder = nnx.Linear(8, 24, rngs=rngs)

    def outputs(self, eeg: jax.Array, fmri: jax.Array) -> Outputs:
        latent = self.norm(self.encoder(eeg.reshape(len(eeg), -1)))
        z_fmri = self.dropout(self.fmri_encoder(fmri.reshape(len(fmri), -1)))
        mean = self.decoder(jax.nn.relu(latent)).reshape(fmri.shape)
        cube = (-1, 2, 2, 2)
        return Outputs(mean, None, latent.reshape(cube), z_fmri.reshape(cube), jnp.zeros(()))

    def divergence(self) -> jax.Array:
        return jnp.zeros(())


def make_people(cache: Path, n_volumes: int = 20) -> tuple[Volumes, Volumes]:
    """Volumes of three training and two validation people, whose BOLD is a linear function of their EEG."""
    rng = np.random.default_rng(0)
    mixing = rng.standard_normal((EEG[0] * EEG[1], 24)) / 5
    recordings = []
    for number in range(5):
        spectra = rng.standard_normal((n_volumes + number, *EEG)).astype(np.float32)
        targets = np.roll(spectra.reshape(len(spectra), -1) @ mixing, 1, axis=0).reshape(-1, *FMRI)
        key = content_key(spectra, targets)
        recordings.append(
            find_cached(cache, key, f"p{number}")
            or write_cached(
                cache,
                key,
                f"p{number}",
                spectra=spectra,
                targets=targets,
                usable=np.arange(N_WINDOWS, len(spectra)),
                profile=np.zeros(1),
            )
        )
    return Volumes(tuple(recordings[:3]), N_WINDOWS), Volumes(tuple(recordings[3:]), N_WINDOWS)


def digest(network: nnx.Module) -> str:
    """Digest of all weights and statistics."""
    arrays = jax.tree.leaves(nnx.state(network, nnx.Any(nnx.Param, nnx.BatchStat)))
    return hashlib.sha256(b"".join(np.asarray(array).tobytes() for array in arrays)).hexdigest()


def main(folder: Path, wait_s: float) -> None:
    join_hosts()
    training, validation = make_people(folder / "cache")
    make_step = loop.make_step

    def slow(*arguments: object) -> object:
        step = make_step(*arguments)

        def waiting(state: object, batch: object) -> object:
            result = step(state, batch)
            jax.block_until_ready(result)
            print("step", flush=True)
            time.sleep(wait_s)
            return result

        return waiting

    loop.make_step = slow
    identity = {"network": "tiny"}
    network, rows = loop.train(TinyNetwork(), training, validation, OPTIONS, folder / "run", identity, Objective())
    print("losses", *(f"{row.loss!r}:{row.validation_loss!r}" for row in rows))
    print("digest", digest(network))


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 0.0)
