"""What training makes small: the error of the volumes, the distance of the two latent representations, penalties."""

from __future__ import annotations

from typing import Protocol

import jax.numpy as jnp
from jaxtyping import Array, Float

from ...network.calhas2022.losses import absolute_error, laplace_nll, matched_cosine
from ...network.calhas2022.network import Outputs
from .feed import Batch


class Trainable(Protocol):
    """What training needs of a network."""

    def outputs(self, eeg: Float[Array, "batch channels bins windows"], fmri: Float[Array, "batch x y z"]) -> Outputs:
        """Volumes, latent representations and penalty."""
        ...


def batch_loss(network: Trainable, batch: Batch) -> tuple[Float[Array, ""], dict[str, Float[Array, ""]]]:
    """The loss of a batch, and its parts: means over its volumes, without those that only fill it up."""
    parts, penalty = _parts(network, batch)
    means = {name: (values * batch.weights).sum() / batch.weights.sum() for name, values in parts.items()}
    means["penalty"] = penalty
    return sum(means.values(), start=jnp.zeros(())), means


def losses_by_volume(network: Trainable, batch: Batch) -> dict[str, Float[Array, " batch"]]:
    """The loss of every volume and its parts."""
    parts, penalty = _parts(network, batch)
    return {**parts, "loss": parts["reconstruction"] + parts["latent"] + penalty}


def _parts(network: Trainable, batch: Batch) -> tuple[dict[str, Float[Array, " batch"]], Float[Array, ""]]:
    target = batch.targets.astype(jnp.float32)
    outputs = network.outputs(as_input(batch.spectra), target)
    mean = outputs.mean.astype(jnp.float32)
    if outputs.sd is None:
        error = absolute_error(target, mean)
    else:
        error = laplace_nll(target, mean, outputs.sd.astype(jnp.float32))
    latent = jnp.zeros_like(error)
    if outputs.z_fmri is not None:
        latent = matched_cosine(outputs.z_eeg.astype(jnp.float32), outputs.z_fmri.astype(jnp.float32))
    return {"reconstruction": error, "latent": latent}, outputs.penalty


def as_input(
    spectra: Float[Array, "batch windows channels bins"],
) -> Float[Array, "batch channels bins windows"]:
    """Windows as the network's last axis."""
    return jnp.moveaxis(spectra, 1, -1)
