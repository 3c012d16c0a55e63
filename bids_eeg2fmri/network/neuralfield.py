"""``neuralfield``: one network for any montage, any repetition time and any output grid.

BOLD(t, x) = sum_r a_r(t) phi_r(x) + noise(t, x), with coefficients a_r linear in lagged source band power (one set
per ensemble member), maps phi_r from a :class:`~bids_eeg2fmri.network.field.SpatialField`, and a noise variance
that factorises in the same way. BOLD is standardised over time (z).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from .field import SpatialField
from .lags import MEMORY_S, lagged_features
from .novelty import Novelty

LOG_VARIANCE_RANGE = (-6.0, 2.0)
# In standard deviations of the training caps.
MAX_CAP_POSITION = 2.5


@dataclass(frozen=True)
class NeuralFieldConfig:
    """Hyper-parameters; they travel in ``model.json``.

    Attributes
    ----------
    n_parcels, n_bands
        Shape of a frame's features.
    peaks_s, widths_s
        The bank of haemodynamic responses.
    n_maps
        Number R of spatial maps.
    n_members
        Ensemble members.
    n_cap_axes
        Axes along which caps differ in how well they see the parcels.
    n_fourier, field_width, field_scale_mm
        The field of the mean.
    noise_fourier, noise_width, noise_scale_mm
        The field of the noise variance.
    n_novelty_axes
        Principal axes of the training features kept for the novelty score.
    """

    n_parcels: int = 214
    n_bands: int = 6
    peaks_s: tuple[float, ...] = (3.5, 5.5, 8.0, 12.0)
    widths_s: tuple[float, ...] = (1.5, 2.0, 3.0, 4.5)
    n_maps: int = 64
    n_members: int = 5
    n_cap_axes: int = 3
    n_fourier: int = 192
    field_width: int = 256
    field_scale_mm: float = 14.0
    noise_fourier: int = 48
    noise_width: int = 64
    noise_scale_mm: float = 25.0
    n_novelty_axes: int = 24

    @property
    def n_features(self) -> int:
        """Length of a volume's feature vector."""
        return self.n_parcels * self.n_bands * len(self.peaks_s)

    @property
    def n_conditions(self) -> int:
        """Numbers that the noise variance depends on: missing evidence, and the cap's axes."""
        return 1 + self.n_cap_axes


class NeuralField(nnx.Module):
    """The network; see the module's docstring for the model."""

    NAME: ClassVar[str] = "neuralfield"

    def __init__(self, config: NeuralFieldConfig, *, rngs: nnx.Rngs) -> None:
        self.config = config
        self.linear = nnx.Param(jnp.zeros((config.n_members, config.n_features, config.n_maps)))
        self.gain = nnx.Param(jnp.ones(()))
        self.cap_mean = nnx.Variable(jnp.zeros(config.n_parcels))
        self.cap_axes = nnx.Variable(jnp.zeros((config.n_parcels, config.n_cap_axes)))
        self.field = SpatialField(
            config.n_maps,
            n_fourier=config.n_fourier,
            width=config.field_width,
            scale_mm=config.field_scale_mm,
            rngs=rngs,
        )
        self.noise = SpatialField(
            1 + config.n_conditions,
            n_fourier=config.noise_fourier,
            width=config.noise_width,
            scale_mm=config.noise_scale_mm,
            rngs=rngs,
        )
        # Calibration of the predictive sd: of a voxel by its parcel, of a parcel's mean.
        self.voxel_factor = nnx.Variable(jnp.ones(config.n_parcels + 1))
        self.parcel_factor = nnx.Variable(jnp.ones(config.n_parcels))
        self.novelty = Novelty(config.n_features, config.n_parcels * config.n_bands, config.n_novelty_axes)

    @property
    def history_s(self) -> float:
        """Length of the EEG history that a volume depends on."""
        return MEMORY_S

    @property
    def epistemic(self) -> str:
        """What the epistemic uncertainty of this network is."""
        return "what the members of the model disagree on"

    @property
    def hyperparameters(self) -> dict[str, Any]:
        """What :meth:`from_hyperparameters` needs, as JSON can hold it."""
        return asdict(self.config)

    @classmethod
    def from_hyperparameters(cls, values: dict[str, Any]) -> NeuralField:
        """An untrained network of the given shape.

        Raises
        ------
        TypeError
            A hyper-parameter is not known.
        """
        arguments: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in dict(values).items()
        }
        return cls(NeuralFieldConfig(**arguments), rngs=nnx.Rngs(0))

    def features(
        self,
        frames_z: Float[Array, "frames parcels bands"],
        frame_times_s: Float[Array, " frames"],
        volume_times_s: Float[Array, " volumes"],
        hop_s: float,
    ) -> Float[Array, "volumes features"]:
        """Lagged band power of every volume."""
        return lagged_features(
            frames_z,
            frame_times_s,
            volume_times_s,
            peaks_s=self.config.peaks_s,
            widths_s=self.config.widths_s,
            hop_s=hop_s,
        )

    def cap_position(self, resolution: Float[Array, " parcels"]) -> Float[Array, " axes"]:
        """Where a cap lies among the training caps, from how well it sees each parcel; never far outside them."""
        position = (jnp.log(resolution) - self.cap_mean[...]) @ self.cap_axes[...]
        return jnp.clip(position, -MAX_CAP_POSITION, MAX_CAP_POSITION)

    def coefficients(self, features: Float[Array, "volumes features"]) -> Float[Array, "members volumes maps"]:
        """Coefficients a_r(t) of every ensemble member."""
        return self.gain[...] * jnp.einsum("vf,mfr->mvr", features, self.linear[...])

    def conditions(
        self, evidence: Float[Array, " volumes"], cap: Float[Array, " axes"]
    ) -> Float[Array, "volumes conditions"]:
        """What the noise variance of a volume depends on.

        ``evidence`` is the share (0-1) of the volume's haemodynamic memory that was recorded and clean.
        """
        caps = jnp.broadcast_to(cap, (len(evidence), len(cap)))
        return jnp.concatenate([1 - evidence[:, None], caps], axis=1)


def log_variance(
    conditions: Float[Array, "volumes conditions"], noise_maps: Float[Array, "voxels maps"]
) -> Float[Array, "volumes voxels"]:
    """Log of the aleatoric variance: a map, and maps that the conditions scale."""
    value = noise_maps[:, 0] + conditions @ noise_maps[:, 1:].T
    return jnp.clip(value, *LOG_VARIANCE_RANGE)
