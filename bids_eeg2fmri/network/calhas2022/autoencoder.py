"""The published autoencoder of volumes: the network's fMRI encoder and a dense decoder."""

from __future__ import annotations

from math import prod

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from .config import ArchitectureError, Calhas2022Config
from .decoder import OutputFilter
from .encoder import Encoder, Latent

Volumes = Float[Array, "batch x y z"]


class FmriAutoencoder(nnx.Module):
    """Volumes from latent representations of themselves.

    The encoder is that of :class:`~.network.Calhas2022`; the decoder is one dense layer to all voxels. Dropout and
    batch normalisation follow ``train()`` and ``eval()``.

    Parameters
    ----------
    config
        Of the network; shapes of volume and latent representation, the fMRI encoder's blocks and options, and
        ``output_filter`` are read.
    attention
        Units of the latent representation attend to each other, with one head per filter and as many features per
        head as there are units, which is how the reference implementation sizes them.

    Raises
    ------
    ArchitectureError
        There are no blocks for the encoder, or one does not fit what comes before it.
    """

    def __init__(self, config: Calhas2022Config, *, attention: bool = False, rngs: nnx.Rngs) -> None:
        if config.fmri_blocks is None:
            raise ArchitectureError("An autoencoder of volumes needs an fMRI encoder.", remedy="Give fmri_blocks.")
        self.fmri_shape = config.fmri_shape
        self.encoder = Encoder(
            config.fmri_shape,
            config.fmri_blocks,
            config,
            dropout=config.fmri_dropout,
            noise=nnx.Rngs(dropout=rngs.dropout()),
            name="fMRI encoder",
            rngs=rngs,
        )
        n_units = prod(config.latent_shape)
        glorot = nnx.initializers.glorot_uniform()
        self.attention = (
            nnx.MultiHeadAttention(
                config.n_filters, 1, config.n_filters * n_units, kernel_init=glorot, decode=False, rngs=rngs
            )
            if attention
            else None
        )
        self.dense = nnx.Linear(n_units, prod(config.fmri_shape), kernel_init=glorot, rngs=rngs)
        self.filter = OutputFilter(rngs=rngs) if config.output_filter else None

    def __call__(self, fmri: Volumes) -> Volumes:
        """Reconstructed volumes."""
        z = self.encode(fmri)
        volumes = self.dense(z.reshape(len(z), -1)).reshape(-1, *self.fmri_shape)
        return volumes if self.filter is None else self.filter(volumes)

    def encode(self, fmri: Volumes) -> Latent:
        """Latent representations."""
        z = self.encoder(fmri)
        if self.attention is None:
            return z
        units = z.reshape(len(z), -1, 1)
        return jnp.reshape(self.attention(units), z.shape)
