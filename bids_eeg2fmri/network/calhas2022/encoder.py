"""Encoders: from EEG or from a volume to a latent representation of the same shape."""

from __future__ import annotations

from math import prod

from flax import nnx
from jaxtyping import Array, Float

from .attention import Scores, TopographicalAttention
from .blocks import ResBlock
from .config import ArchitectureError, Blocks, Calhas2022Config, Shape3

Latent = Float[Array, "batch p q r"]


class Encoder(nnx.Module):
    """Residual blocks and a dense layer.

    Parameters
    ----------
    in_shape
        Shape of the input.
    blocks
        Kernels and strides of the residual blocks.
    config
        Filters, shape of the latent representation, and options of the blocks.
    dropout
        Share of latent units dropped in training.
    noise
        Random stream of the dropout.
    name
        What error messages call the encoder.

    Raises
    ------
    ArchitectureError
        A block does not fit what comes before it.
    """

    def __init__(
        self,
        in_shape: Shape3,
        blocks: Blocks,
        config: Calhas2022Config,
        *,
        dropout: float = 0.0,
        noise: nnx.Rngs | None = None,
        name: str,
        rngs: nnx.Rngs,
    ) -> None:
        self.in_shape, self.latent_shape, self.name = in_shape, config.latent_shape, name
        stack: list[ResBlock] = []
        shape = in_shape
        for number, (kernel, strides) in enumerate(zip(blocks.kernels, blocks.strides, strict=True), start=1):
            block = ResBlock(
                shape,
                config.n_filters if stack else 1,
                config.n_filters,
                kernel=kernel,
                strides=strides,
                pool=blocks.pool,
                pool_stride=blocks.pool_stride,
                skip_connection=config.skip_connections,
                batch_norm=config.batch_norm,
                name=f"block {number} of the {name}",
                rngs=rngs,
            )
            shape = block.out_shape
            stack.append(block)
        self.blocks = nnx.List(stack)
        n_features = prod(shape) * (config.n_filters if stack else 1)
        glorot = nnx.initializers.glorot_uniform()
        self.dense = nnx.Linear(n_features, prod(config.latent_shape), kernel_init=glorot, rngs=rngs)
        self.dropout = nnx.Dropout(dropout, rngs=noise) if dropout > 0 else None

    def __call__(self, x: Float[Array, "batch a b c"]) -> Latent:
        """Latent representations.

        Raises
        ------
        ArchitectureError
            The input has another shape than the encoder was made for.
        """
        if x.shape[1:] != self.in_shape:
            raise ArchitectureError(f"The {self.name} takes arrays of shape {self.in_shape}, given {x.shape[1:]}.")
        y = x[..., None]
        for block in self.blocks:
            y = block(y)
        z = self.dense(y.reshape(len(y), -1))
        if self.dropout is not None:
            z = self.dropout(z)
        return z.reshape(-1, *self.latent_shape)


class EegEncoder(nnx.Module):
    """An encoder behind topographical attention.

    Parameters
    ----------
    config
        Of the whole network.
    """

    def __init__(self, config: Calhas2022Config, *, rngs: nnx.Rngs) -> None:
        n_channels, n_bins, n_windows = config.eeg_shape
        self.attention = TopographicalAttention(n_channels, n_bins * n_windows, rngs=rngs) if config.attention else None
        self.encoder = Encoder(config.eeg_shape, config.eeg_blocks, config, name="EEG encoder", rngs=rngs)

    def __call__(self, eeg: Float[Array, "batch channels bins windows"]) -> tuple[Latent, Scores | None]:
        """Latent representations, and the attention scores if there is attention."""
        attended, scores = self.attend(eeg)
        return self.encoder(attended), scores

    def attend(
        self, eeg: Float[Array, "batch channels bins windows"]
    ) -> tuple[Float[Array, "batch channels bins windows"], Scores | None]:
        """Attended channels, and the scores."""
        if self.attention is None:
            return eeg, None
        flat, scores = self.attention(eeg.reshape(*eeg.shape[:2], -1))
        return flat.reshape(eeg.shape), scores
