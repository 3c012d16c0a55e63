"""The decoder: from a latent representation to a volume, and to the scale of its error."""

from __future__ import annotations

from math import prod
from typing import NamedTuple, TypeAlias, cast

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float, PRNGKeyArray

from .attention import Scores
from .config import Calhas2022Config
from .cosine import cosine_transform, inverse_cosine
from .dense_variational import DenseFlipout, DenseVariational
from .factored_dense import FactoredLinear
from .fourier import FixedFourierFeatures, RandomFourierFeatures
from .style import GraphStyle, StylePrior
from .variational_cosine import VariationalInverseCosine

Volumes = Float[Array, "batch x y z"]
Dense: TypeAlias = nnx.Linear | DenseVariational | DenseFlipout


class Decoded(NamedTuple):
    """What the decoder makes of a latent representation.

    Attributes
    ----------
    mean
        The volumes.
    sd
        Scale of their error, if there is an aleatoric head.
    phases
        Of the random Fourier features, or else the dense layer's output in their place.
    """

    mean: Volumes
    sd: Volumes | None
    phases: Float[Array, "batch features"]


class OutputFilter(nnx.Module):
    """A factor and an offset, common to all voxels: a convolution with a kernel of one voxel."""

    def __init__(self, *, rngs: nnx.Rngs) -> None:
        self.factor = nnx.Param(nnx.initializers.glorot_uniform()(rngs.params(), (1, 1))[0, 0])
        self.offset = nnx.Param(jnp.zeros(()))

    def __call__(self, x: Volumes) -> Volumes:
        """Filtered volumes."""
        return self.factor[...] * x + self.offset[...]


class Decoder(nnx.Module):
    """Features, style, a dense layer or cosine transforms, and a filter.

    Layers with distributions over their weights draw while ``deterministic`` is false, as dropout does, and use their
    expectation otherwise.

    Parameters
    ----------
    config
        Of the whole network.
    noise
        Random streams ``dropout`` and ``sample``.

    Raises
    ------
    ArchitectureError, ValueError
        Options contradict each other, or more coefficients than voxels.
    """

    def __init__(self, config: Calhas2022Config, *, noise: nnx.Rngs, rngs: nnx.Rngs) -> None:
        n_features = prod(config.latent_shape)
        self.fmri_shape, self.low_shape = config.fmri_shape, config.decoder_shape
        self.deterministic = False
        self.draws_are_held = False
        self.features = _make_features(config, n_features, rngs)
        self.takes_cosine = config.fourier != "none"
        self.style = _make_style(config, n_features, rngs)
        self.dropout = nnx.Dropout(config.decoder_dropout, rngs=noise) if config.decoder_dropout > 0 else None
        shape = config.latent_shape if config.decoder_shape is None else config.decoder_shape
        self.spectrum_shape, self.transforms, self.inverts = shape, config.transforms, config.inverts
        self.low_dense, self.voxel_dense = _make_dense_layers(config, n_features, rngs)
        self.variational = _make_variational(config, rngs)
        self.filter = OutputFilter(rngs=rngs) if config.output_filter else None
        self.log_scale = OutputFilter(rngs=rngs) if config.aleatoric else None
        draws = config.variational_idct is not None or config.has_variational_dense or config.has_flipout
        self.sample = noise.sample.fork() if draws else None

    def __call__(self, z: Float[Array, "batch p q r"], scores: Scores | None) -> Decoded:
        """Volumes of latent representations."""
        phases = self.features(z.reshape(len(z), -1))
        styled = self.styled(phases, scores)
        low = self.low_resolution(styled if self.dropout is None else self.dropout(styled))
        volumes = self.to_voxels(low)
        if self.filter is not None:
            volumes = self.filter(volumes)
        sd = None if self.log_scale is None else jnp.exp(self.log_scale(volumes))
        return Decoded(volumes, sd, phases)

    def hold_draws(self) -> None:
        """From now on a draw is one network for the whole batch: the same weights, the same units dropped."""
        self.draws_are_held = True
        if self.dropout is not None:
            self.dropout.broadcast_dims = (0,)

    def divergence(self) -> Float[Array, ""]:
        """Kullback-Leibler divergence of the distributions over weights and coefficients from their priors, in nats."""
        layers = (self.low_dense, self.voxel_dense, self.variational)
        drawn = [layer for layer in layers if isinstance(layer, DenseFlipout | VariationalInverseCosine)]
        return sum((layer.divergence() for layer in drawn), start=jnp.zeros(()))

    def styled(self, phases: Float[Array, "batch features"], scores: Scores | None) -> Float[Array, "batch features"]:
        """Cosine of the phases, times the style."""
        x = jnp.cos(phases) if self.takes_cosine else phases
        # A graph style comes with attention, which the configuration has checked.
        return x if self.style is None else self.style(x, cast(Scores, scores))

    def low_resolution(self, x: Float[Array, "batch features"]) -> Float[Array, "batch a b c"]:
        """Features as an array of the low resolution, or of the latent shape, and its cosine transform if asked for."""
        if self.low_dense is not None:
            x = self._dense(self.low_dense, x)
        spectrum = x.reshape(-1, *self.spectrum_shape)
        return cosine_transform(spectrum) if self.transforms else spectrum

    def to_voxels(self, x: Float[Array, "batch a b c"]) -> Volumes:
        """Volumes before the filter."""
        if self.variational is not None:
            return self.variational(x, self._key())
        if self.voxel_dense is None:
            return inverse_cosine(x, self.fmri_shape)
        return self._dense(self.voxel_dense, x.reshape(len(x), -1)).reshape(-1, *self.fmri_shape)

    def _dense(self, layer: Dense | FactoredLinear, x: Float[Array, "batch inputs"]) -> Float[Array, "batch outputs"]:
        if isinstance(layer, nnx.Linear | FactoredLinear):
            return layer(x)
        if isinstance(layer, DenseFlipout):
            return layer(x, self._key(), shared=self.draws_are_held)
        return layer(x, self._key())

    def _key(self) -> PRNGKeyArray | None:
        return None if self.sample is None or self.deterministic else self.sample()


def _make_features(
    config: Calhas2022Config, n_features: int, rngs: nnx.Rngs
) -> RandomFourierFeatures | FixedFourierFeatures | nnx.Linear:
    if config.fourier == "random":
        return RandomFourierFeatures(n_features, normalization=config.fourier_normalization, rngs=rngs)
    if config.fourier == "fixed":
        return FixedFourierFeatures(n_features)
    return _linear(n_features, n_features, rngs)


def _make_style(config: Calhas2022Config, n_features: int, rngs: nnx.Rngs) -> GraphStyle | StylePrior | None:
    if config.style == "graph":
        return GraphStyle(config.eeg_shape[0], n_features, rngs=rngs)
    return StylePrior(n_features, rngs=rngs) if config.style == "prior" else None


def _make_dense_layers(config: Calhas2022Config, n_features: int, rngs: nnx.Rngs) -> tuple[Dense | None, Dense | None]:
    """Dense layers to the low resolution and to the voxels, where there are such layers."""
    low: Dense | None = None
    voxels: Dense | None = None
    if config.decoder_shape is not None:
        n_low = prod(config.decoder_shape)
        variational = config.has_variational_dense
        low = DenseVariational(n_features, n_low, rngs=rngs) if variational else _linear(n_features, n_low, rngs)
        n_features = n_low
    if not config.inverts:
        n_voxels = prod(config.fmri_shape)
        if config.has_flipout:
            voxels = DenseFlipout(n_features, n_voxels, rngs=rngs)
        elif config.has_variational_dense and config.decoder_shape is None:
            voxels = DenseVariational(n_features, n_voxels, rngs=rngs)
        else:
            voxels = _linear(n_features, n_voxels, rngs)
    return low, voxels


def _make_variational(config: Calhas2022Config, rngs: nnx.Rngs) -> VariationalInverseCosine | None:
    options = config.variational_idct
    if options is None:
        return None
    return VariationalInverseCosine(
        config.latent_shape if config.decoder_shape is None else config.decoder_shape,
        config.fmri_shape,
        options.random_shape,
        dependent=options.dependent,
        n_heads=options.n_heads,
        distribution=options.distribution,
        random_padding=options.random_padding,
        rngs=rngs,
    )


def _linear(n_inputs: int, n_outputs: int, rngs: nnx.Rngs) -> nnx.Linear:
    return nnx.Linear(n_inputs, n_outputs, kernel_init=nnx.initializers.glorot_uniform(), rngs=rngs)
