"""What training makes small: the error of the volumes, the distance of the two latent representations, penalties."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Protocol, cast

import jax.numpy as jnp
from jaxtyping import Array, Float

from ...network.calhas2022 import losses
from ...network.calhas2022.config import HETEROSCEDASTIC, Calhas2022Config, Loss
from ...network.calhas2022.network import Outputs
from .feed import Batch

_ERRORS: dict[Loss, Callable[..., Float[Array, " batch"]]] = {
    "absolute": losses.absolute_error,
    "squared": losses.half_squared_error,
    "laplace": losses.laplace_nll,
    "gaussian": losses.gaussian_nll,
    "sd_score": losses.sd_score,
}


class Trainable(Protocol):
    """What training needs of a network."""

    def outputs(self, eeg: Float[Array, "batch channels bins windows"], fmri: Float[Array, "batch x y z"]) -> Outputs:
        """Volumes, latent representations and penalty."""
        ...

    def divergence(self) -> Float[Array, ""]:
        """Divergence of distributions over weights from their prior, in nats."""
        ...


@dataclass(frozen=True)
class Objective:
    """The loss of a training.

    Attributes
    ----------
    loss
        Error of a volume (see :class:`~bids_eeg2fmri.network.calhas2022.Calhas2022Config`).
    divergence_share
        Factor of the divergence of distributions over weights from their prior.
    """

    loss: Loss = "absolute"
    divergence_share: float = 0.0

    @classmethod
    def of(cls, config: Calhas2022Config, n_volumes: int) -> Objective:
        """The loss of a network that trains on this many volumes.

        Errors are means over volumes and voxels. Divided by both numbers, the divergence and an error that is a
        negative log-likelihood are the evidence lower bound (per voxel, its sign changed).
        """
        return cls(config.error_loss, config.divergence_weight / (n_volumes * prod(config.fmri_shape)))

    def of_batch(self, network: Trainable, batch: Batch) -> tuple[Float[Array, ""], dict[str, Float[Array, ""]]]:
        """The loss of a batch, and its parts: means over its volumes, without those that only fill it up."""
        parts, penalty = self._parts(network, batch)
        means = {name: (values * batch.weights).sum() / batch.weights.sum() for name, values in parts.items()}
        means["penalty"] = penalty
        return sum(means.values(), start=jnp.zeros(())), means

    def by_volume(self, network: Trainable, batch: Batch) -> dict[str, Float[Array, " batch"]]:
        """The loss of every volume and its parts."""
        parts, penalty = self._parts(network, batch)
        return {**parts, "loss": parts["reconstruction"] + parts["latent"] + penalty}

    def _parts(self, network: Trainable, batch: Batch) -> tuple[dict[str, Float[Array, " batch"]], Float[Array, ""]]:
        target = batch.targets.astype(jnp.float32)
        outputs = network.outputs(as_input(batch.spectra), target)
        # The configuration has checked that these losses come with the aleatoric head.
        predicted = [outputs.mean, cast(Array, outputs.sd)] if self.loss in HETEROSCEDASTIC else [outputs.mean]
        error = _ERRORS[self.loss](target, *(part.astype(jnp.float32) for part in predicted))
        latent = jnp.zeros_like(error)
        if outputs.z_fmri is not None:
            latent = losses.matched_cosine(outputs.z_eeg.astype(jnp.float32), outputs.z_fmri.astype(jnp.float32))
        penalty = outputs.penalty + self.divergence_share * network.divergence()
        return {"reconstruction": error, "latent": latent}, penalty


def as_input(
    spectra: Float[Array, "batch windows channels bins"],
) -> Float[Array, "batch channels bins windows"]:
    """Windows as the network's last axis."""
    return jnp.moveaxis(spectra, 1, -1)
