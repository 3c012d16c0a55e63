"""Hyper-parameters of the published network; the defaults are the published configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from ...errors import UsageError

Shape3 = tuple[int, int, int]
Fourier = Literal["random", "fixed", "none"]
FourierNormalization = Literal["layer", "tanh"]
Style = Literal["graph", "prior", "none"]
Distribution = Literal["Normal", "VonMises"]
Loss = Literal["absolute", "squared", "laplace", "gaussian", "sd_score"]
# Those that look at the scale of the error.
HETEROSCEDASTIC: tuple[Loss, ...] = ("laplace", "gaussian", "sd_score")


class ArchitectureError(UsageError, ValueError):
    """Hyper-parameters that contradict each other or the shape of the data."""


@dataclass(frozen=True)
class Blocks:
    """The residual blocks of an encoder, first to last.

    Attributes
    ----------
    kernels, strides
        Kernel and stride of each block's first convolutions, along the three axes of the input.
    pool, pool_stride
        Window and stride of the maximum pooling after them, the same in all blocks; ``pool=None``: no pooling.
    """

    kernels: tuple[Shape3, ...]
    strides: tuple[Shape3, ...]
    pool: Shape3 | None = (2, 2, 1)
    pool_stride: Shape3 = (1, 1, 1)

    def __post_init__(self) -> None:
        if len(self.kernels) != len(self.strides):
            raise ArchitectureError(f"{len(self.kernels)} kernels and {len(self.strides)} strides.")


EEG_BLOCKS = Blocks(
    kernels=((7, 37, 2), (7, 7, 2)), strides=((3, 5, 1), (2, 2, 1)), pool=(2, 2, 1), pool_stride=(1, 1, 1)
)
FMRI_BLOCKS = Blocks(
    kernels=((14, 6, 12), (6, 4, 6), (12, 47, 5)),
    strides=((2, 1, 1), (1, 1, 1), (1, 1, 1)),
    pool=(2, 2, 2),
    pool_stride=(1, 1, 1),
)


@dataclass(frozen=True)
class VariationalCosine:
    """Options of the inverse cosine transform with drawn high frequencies.

    Attributes
    ----------
    random_shape
        How many coefficients are drawn along each axis.
    dependent
        Mix ``n_heads`` distributions by weights that depend on the input.
    n_heads
        Number of distributions.
    distribution
        What coefficients are drawn from.
    random_padding
        Scatter the known coefficients among the drawn ones; no cosine transform comes before then.
    """

    random_shape: Shape3
    dependent: bool = False
    n_heads: int = 1
    distribution: Distribution = "Normal"
    random_padding: bool = False


@dataclass(frozen=True)
class Calhas2022Config:
    """Everything that determines the network but its weights.

    Attributes
    ----------
    eeg_shape
        Channels, frequency bins, windows.
    fmri_shape
        Voxels along x, y, z.
    latent_shape
        Shape of both latent representations.
    n_filters
        Filters of every convolution in the residual blocks.
    eeg_blocks, fmri_blocks
        The encoders' residual blocks. ``fmri_blocks=None``: no fMRI encoder, which only the training loss needs.
    attention
        Topographical attention over the channels.
    fourier
        Features of the latent representation: random or fixed frequencies, or a dense layer (``"none"``).
    fourier_normalization
        What brings the phases of random features to the cosine's monotone range.
    style
        What the features are multiplied by: a function of the attention scores (``"graph"``), weights (``"prior"``).
    decoder_shape
        Decode to this lower resolution first.
    dct
        Cosine transform of the decoded array.
    inverse_dct
        Inverse cosine transform, zero-padded to ``fmri_shape``, instead of a dense layer to all voxels.
    max_norm_regularizer
        Penalise phases of random features far from the middle of the cosine's monotone range.
    weight_decay
        Factor of the sum of squares of the residual blocks' kernels and biases in the penalty.
    fmri_dropout, decoder_dropout
        Share of units dropped in training: the fMRI encoder's latent, the styled features.
    variational_idct
        Draw high frequencies instead of padding with zeros; implies ``inverse_dct``.
    aleatoric
        Also predict the scale of the error. As published, the dense layer of ``decoder_shape``, or else of the
        voxels, has distributions over its weights then.
    dense_variational
        The decoder's dense layer moves its weights along a learned direction.
    organize_channels
        Penalise attention that leaves a channel unseen.
    skip_connections, batch_norm
        Parts of the residual blocks.
    output_filter
        A factor and an offset, common to all voxels, at the end.
    loss
        Error of a volume that training makes small: ``"absolute"``, ``"squared"``, or with the aleatoric head
        ``"laplace"``, ``"gaussian"`` (negative log-likelihoods) or ``"sd_score"``. ``None``: as published, that is
        ``"laplace"`` with the head and ``"absolute"`` without.
    divergence_weight
        Factor of the Kullback-Leibler divergence of distributions over weights from their prior; 1 is the evidence
        lower bound, 0 leaves the prior out.
    """

    eeg_shape: Shape3 = (64, 134, 10)
    fmri_shape: Shape3 = (64, 64, 30)
    latent_shape: Shape3 = (7, 7, 7)
    n_filters: int = 4
    eeg_blocks: Blocks = EEG_BLOCKS
    fmri_blocks: Blocks | None = FMRI_BLOCKS
    attention: bool = True
    fourier: Fourier = "random"
    fourier_normalization: FourierNormalization = "layer"
    style: Style = "graph"
    decoder_shape: Shape3 | None = None
    dct: bool = False
    inverse_dct: bool = False
    max_norm_regularizer: bool = False
    weight_decay: float = 0.0
    fmri_dropout: float = 0.5
    variational_idct: VariationalCosine | None = None
    aleatoric: bool = False
    dense_variational: bool = False
    organize_channels: bool = False
    decoder_dropout: float = 0.0
    skip_connections: bool = True
    batch_norm: bool = True
    output_filter: bool = True
    loss: Loss | None = None
    divergence_weight: float = 1.0

    def __post_init__(self) -> None:
        _check_choice("fourier", self.fourier, get_args(Fourier))
        _check_choice("fourier_normalization", self.fourier_normalization, get_args(FourierNormalization))
        _check_choice("style", self.style, get_args(Style))
        if self.variational_idct is not None:
            _check_choice("distribution", self.variational_idct.distribution, get_args(Distribution))
        _check_choice("loss", self.error_loss, get_args(Loss))
        if (self.error_loss in HETEROSCEDASTIC) != self.aleatoric:
            raise ArchitectureError(
                f"loss={self.loss!r} does not fit aleatoric={self.aleatoric}.",
                remedy=f"The aleatoric head learns by {', '.join(HETEROSCEDASTIC)}, and only these need it.",
            )
        if not self.attention and (self.style == "graph" or self.organize_channels):
            option = "style='graph'" if self.style == "graph" else "organize_channels"
            raise ArchitectureError(f"{option} needs attention=True.", remedy="Both read the attention scores.")
        if self.max_norm_regularizer and self.fourier != "random":
            raise ArchitectureError("max_norm_regularizer needs fourier='random'.", remedy="It reads their phases.")
        if self.dense_variational and self.inverts and self.decoder_shape is None:
            raise ArchitectureError(
                "dense_variational needs a dense layer.", remedy="Give decoder_shape, or no inverse cosine transform."
            )

    @property
    def error_loss(self) -> Loss:
        """The error of a volume that training makes small."""
        return self.loss or ("laplace" if self.aleatoric else "absolute")

    @property
    def inverts(self) -> bool:
        """Whether an inverse cosine transform makes the volume."""
        return self.inverse_dct or self.variational_idct is not None

    @property
    def transforms(self) -> bool:
        """Whether a cosine transform comes before it."""
        return self.dct and not (self.variational_idct is not None and self.variational_idct.random_padding)

    @property
    def has_variational_dense(self) -> bool:
        """Whether the (first) dense layer behind the features moves along a learned direction."""
        published = self.aleatoric and self.variational_idct is None and self.decoder_shape is not None
        return self.dense_variational or published

    @property
    def has_flipout(self) -> bool:
        """Whether the dense layer to the voxels has independent distributions over its weights."""
        only_layer_is_variational = self.dense_variational and self.decoder_shape is None
        return self.aleatoric and not self.inverts and not only_layer_is_variational

    @property
    def stochastic(self) -> bool:
        """Whether predictions can be drawn."""
        variational = self.variational_idct is not None or self.has_variational_dense or self.has_flipout
        return variational or self.decoder_dropout > 0

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Calhas2022Config:
        """The configuration from what :func:`dataclasses.asdict` and JSON made of it.

        Raises
        ------
        TypeError
            A name is unknown.
        ArchitectureError
            Values contradict each other.
        """
        arguments = {name: _tuples(value) for name, value in values.items()}
        for name, kind in (("eeg_blocks", Blocks), ("fmri_blocks", Blocks), ("variational_idct", VariationalCosine)):
            if arguments.get(name) is not None:
                arguments[name] = kind(**{key: _tuples(value) for key, value in arguments[name].items()})
        return cls(**arguments)


def _tuples(value: Any) -> Any:
    """Lists, which JSON makes of tuples, as tuples again."""
    return tuple(_tuples(item) for item in value) if isinstance(value, list | tuple) else value


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ArchitectureError(f"{name}={value!r} does not exist.", remedy=f"Choose one of {', '.join(choices)}.")
