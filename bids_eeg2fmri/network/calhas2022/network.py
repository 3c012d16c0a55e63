"""The published network of EEG-to-fMRI synthesis, with every option of its reference implementation.

Calhas and Henriques (2022), "EEG to fMRI synthesis benefits from attentional graphs of electrode relationships"
(arXiv 2203.03481). An encoder maps windows of EEG spectra to a latent representation, a decoder that to a volume; an
encoder of the measured volume serves the training loss, which wants both latent representations alike.
"""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from .attention import Scores
from .config import ArchitectureError, Calhas2022Config
from .decoder import Decoded, Decoder
from .encoder import EegEncoder, Encoder, Latent
from .regularisers import max_norm, organise_channels, weight_decay

Eeg = Float[Array, "batch channels bins windows"]
Volumes = Float[Array, "batch x y z"]


class Outputs(NamedTuple):
    """What a training loss looks at.

    Attributes
    ----------
    mean, sd
        Volumes, and the scale of their error if there is an aleatoric head.
    z_eeg, z_fmri
        Latent representations; that of the volume if one was given and there is an encoder for it.
    penalty
        Sum of all regularisers: weight decay, unseen channels, phases out of range.
    """

    mean: Volumes
    sd: Volumes | None
    z_eeg: Latent
    z_fmri: Latent | None
    penalty: Float[Array, ""]


class Calhas2022(nnx.Module):
    """The network; see the module's docstring.

    Batch normalisation, dropout and drawn weights follow ``train()`` and ``eval()``; after ``eval()`` every output is
    a deterministic function of the input. The random streams are called ``dropout`` and ``sample``.

    Parameters
    ----------
    config
        Hyper-parameters.

    Raises
    ------
    ArchitectureError
        A block does not fit the shape of its input.
    """

    def __init__(self, config: Calhas2022Config, *, rngs: nnx.Rngs) -> None:
        self.config = config
        noise = nnx.Rngs(dropout=rngs.dropout(), sample=rngs.sample())
        self.eeg_encoder = EegEncoder(config, rngs=rngs)
        self.decoder = Decoder(config, noise=noise, rngs=rngs)
        self.fmri_encoder = (
            None
            if config.fmri_blocks is None
            else Encoder(
                config.fmri_shape,
                config.fmri_blocks,
                config,
                dropout=config.fmri_dropout,
                noise=noise,
                name="fMRI encoder",
                rngs=rngs,
            )
        )

    def __call__(self, eeg: Eeg) -> Volumes:
        """Volumes of windows of EEG spectra."""
        return self.predict(eeg)[0]

    def predict(self, eeg: Eeg) -> tuple[Volumes, Volumes | None]:
        """Volumes, and the scale of their error if there is an aleatoric head."""
        decoded = self.decoder(*self.eeg_encoder(eeg))
        return decoded.mean, decoded.sd

    def outputs(self, eeg: Eeg, fmri: Volumes | None = None) -> Outputs:
        """Everything a training loss looks at, in one pass: batch statistics move once."""
        z_eeg, scores = self.eeg_encoder(eeg)
        decoded = self.decoder(z_eeg, scores)
        z_fmri = None if fmri is None or self.fmri_encoder is None else self.fmri_encoder(fmri)
        return Outputs(decoded.mean, decoded.sd, z_eeg, z_fmri, self._penalty(scores, decoded))

    def divergence(self) -> Float[Array, ""]:
        """Kullback-Leibler divergence of the distributions over weights and coefficients from their priors, in nats."""
        return self.decoder.divergence()

    def encode_eeg(self, eeg: Eeg) -> Latent:
        """Latent representations of EEG."""
        return self.eeg_encoder(eeg)[0]

    def encode_fmri(self, fmri: Volumes) -> Latent:
        """Latent representations of volumes.

        Raises
        ------
        ArchitectureError
            The network was made without an fMRI encoder.
        """
        if self.fmri_encoder is None:
            raise ArchitectureError("This network has no fMRI encoder.", remedy="Give fmri_blocks.")
        return self.fmri_encoder(fmri)

    def attention_scores(self, eeg: Eeg) -> Scores:
        """Weights (rows sum to one) with which each channel attends to all channels.

        Raises
        ------
        ArchitectureError
            The network was made without attention.
        """
        _, scores = self.eeg_encoder.attend(eeg)
        if scores is None:
            raise ArchitectureError("This network has no attention.", remedy="Set attention=True.")
        return scores

    def _penalty(self, scores: Scores | None, decoded: Decoded) -> Float[Array, ""]:
        penalty = jnp.zeros(())
        if self.config.weight_decay:
            encoders = [self.eeg_encoder.encoder, self.fmri_encoder]
            blocks = [block for encoder in encoders if encoder is not None for block in encoder.blocks]
            penalty += weight_decay([w for block in blocks for w in block.weights()], self.config.weight_decay)
        if self.config.organize_channels and scores is not None:
            penalty += organise_channels(scores)
        if self.config.max_norm_regularizer:
            penalty += max_norm(decoded.phases)
        return penalty
