"""``neuralfield``: one network for any montage, any repetition time and any output grid.

BOLD(t, x) = sum_r a_r(t) phi_r(x) + noise(t, x), with maps phi_r from a
:class:`~bids_eeg2fmri.network.field.SpatialField` and a noise variance that factorises in the same way. BOLD is
standardised over time (z).

The coefficients come in two steps. The brain's slow state is a Gaussian over a few patterns of parcels, ``s = L z``
with ``z ~ N(0, I)``; the evidence u (lagged band power, weighted by band and lag) and its Fisher information F
(:mod:`bids_eeg2fmri.eeg.modulation`) make its posterior mean ``(I + L' F L)^-1 L' u``. F is that of the recording at
hand: what its electrodes cannot tell apart, or do not see, is drawn towards what the patterns say, or to zero. A linear
map per ensemble member then takes the states to coefficients.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float

from .field import SpatialField
from .lags import MEMORY_S, lagged_features
from .novelty import Novelty
from .recording_facts import RecordingFacts
from .reliability import Reliability

LOG_VARIANCE_RANGE = (-6.0, 2.0)
# In standard deviations over the training recordings.
MAX_CONDITION = 3.0
_LEAST_STRENGTH = 1e-4


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
    n_states
        Patterns of parcels that the slow state is made of.
    band_groups
        Bands whose evidence goes through the posterior together; every lag and group may then differ by region.
    n_gains
        Knots of the amplitude as a function of the prediction's strength.
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
    n_states: int = 96
    band_groups: tuple[tuple[int, ...], ...] = ((0, 1), (2, 3, 4), (5,))
    n_gains: int = 5
    n_fourier: int = 192
    field_width: int = 256
    field_scale_mm: float = 14.0
    noise_fourier: int = 48
    noise_width: int = 64
    noise_scale_mm: float = 25.0
    n_novelty_axes: int = 24

    def __post_init__(self) -> None:
        bands = [band for group in self.band_groups for band in group]
        responses = (*self.peaks_s, *self.widths_s)
        if len(self.peaks_s) != len(self.widths_s) or not all(0 < value < float("inf") for value in responses):
            raise ValueError("every response needs a peak and a width above zero")
        if not all(0 < scale_mm < float("inf") for scale_mm in (self.field_scale_mm, self.noise_scale_mm)):
            raise ValueError("both fields need a scale above zero")
        if not all(isinstance(band, int) and 0 <= band < self.n_bands for band in bands):
            raise ValueError(f"the groups hold bands other than 0 to {self.n_bands - 1}")

    @property
    def n_features(self) -> int:
        """Length of a volume's feature vector."""
        return self.n_parcels * self.n_bands * len(self.peaks_s)

    @property
    def n_streams(self) -> int:
        """Posterior means per volume: one of every lag and group of bands."""
        return len(self.peaks_s) * len(self.band_groups)

    @property
    def n_inputs(self) -> int:
        """Length of what the linear map receives."""
        return self.n_streams * self.n_states

    @property
    def n_conditions(self) -> int:
        """Numbers that the noise variance depends on: missing evidence, information, the prediction's strength."""
        return 3


class NeuralField(nnx.Module):
    """The network; see the module's docstring for the model."""

    NAME: ClassVar[str] = "neuralfield"

    def __init__(self, config: NeuralFieldConfig, *, rngs: nnx.Rngs) -> None:
        self.config = config
        self.loadings = nnx.Variable(jnp.eye(config.n_parcels, config.n_states))
        self.band_weights = nnx.Param(jnp.zeros((len(config.peaks_s), config.n_bands)))
        self.log_precision = nnx.Param(jnp.zeros(config.n_bands))
        self.linear = nnx.Param(jnp.zeros((config.n_members, config.n_inputs, config.n_maps)))
        self.gain_knots = nnx.Variable(jnp.linspace(-3.0, 0.0, config.n_gains))
        self.gain = nnx.Param(jnp.ones(config.n_gains))
        # Mean and sd over the training recordings of information and strength.
        self.usual = nnx.Variable(jnp.array([[0.0, 0.0], [1.0, 1.0]]))
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
        # Log variance of a parcel's mean: a number, and what every condition adds.
        self.parcel_noise = nnx.Variable(jnp.zeros((config.n_parcels, 1 + config.n_conditions)))
        # Calibration of the predictive sd: of a voxel by its parcel, of a parcel's mean.
        self.voxel_factor = nnx.Variable(jnp.ones(config.n_parcels + 1))
        self.parcel_factor = nnx.Variable(jnp.ones(config.n_parcels))
        self.novelty = Novelty(
            config.n_features, config.n_parcels * config.n_bands, config.n_novelty_axes, n_condition=4 * config.n_bands
        )
        self.reliability = Reliability(rngs=rngs)

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
        return cls(NeuralFieldConfig(**{name: _as_tuple(value) for name, value in values.items()}), rngs=nnx.Rngs(0))

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

    def states(
        self, features: Float[Array, "volumes features"], facts: RecordingFacts
    ) -> Float[Array, "volumes inputs"]:
        """Posterior mean of the slow state of every volume, one after the other for every lag and group of bands."""
        config, loadings = self.config, self.loadings[...]
        shape = (len(features), len(config.peaks_s), config.n_parcels, config.n_bands)
        evidence = features.reshape(shape) * facts.amplitude
        weights = self.band_weights[...]
        streams = [
            jnp.einsum("vlpb,lb,ps->vls", evidence[..., group], weights[:, group], loadings)
            for group in map(np.array, config.band_groups)
        ]
        stacked = jnp.stack(streams, axis=2).reshape(-1, config.n_states)
        posterior = jax.scipy.linalg.cho_solve((self._precision(facts), True), stacked.T).T
        return posterior.reshape(len(features), config.n_inputs)

    def _precision(self, facts: RecordingFacts) -> Float[Array, "states states"]:
        """Cholesky factor of the posterior precision of the slow state."""
        total = jnp.einsum("bpq,b->pq", facts.information, jnp.exp(self.log_precision[...]))
        loadings = self.loadings[...]
        return jnp.linalg.cholesky(jnp.eye(self.config.n_states) + loadings.T @ total @ loadings)

    def informed(self, facts: RecordingFacts) -> Float[Array, ""]:
        """Share (0-1) of the slow state's prior variance that the recording's information explains."""
        return 1 - jnp.square(self._posterior_root(facts)).sum() / jnp.square(self.loadings[...]).sum()

    def posterior_covariance(self, facts: RecordingFacts) -> Float[Array, "parcels parcels"]:
        """Covariance that the recording leaves to the slow state of the parcels."""
        root = self._posterior_root(facts)
        return root.T @ root

    def _posterior_root(self, facts: RecordingFacts) -> Float[Array, "states parcels"]:
        return jax.scipy.linalg.solve_triangular(self._precision(facts), self.loadings[...].T, lower=True)

    def coefficients(self, states: Float[Array, "volumes inputs"]) -> Float[Array, "members volumes maps"]:
        """Coefficients a_r(t) of every ensemble member, before :meth:`amplitude`."""
        return jnp.einsum("vi,mir->mvr", states, self.linear[...])

    def strength(
        self, coefficients: Float[Array, "members volumes maps"], counted: Float[Array, " volumes"]
    ) -> Float[Array, ""]:
        """Log of the prediction's variance over the counted volumes of a recording."""
        return self.strength_of((self.energy(coefficients) * counted).sum() / counted.sum())

    def energy(self, coefficients: Float[Array, "members volumes maps"]) -> Float[Array, " volumes"]:
        """The prediction's square, summed over the maps."""
        return jnp.square(coefficients.mean(axis=0)).sum(axis=-1)

    def strength_of(self, mean_energy: Float[Array, ""]) -> Float[Array, ""]:
        """:meth:`strength`, from the mean of :meth:`energy` over the counted volumes."""
        return jnp.log(mean_energy + _LEAST_STRENGTH)

    def amplitude(self, strength: Float[Array, ""]) -> Float[Array, ""]:
        """Factor on the coefficients of a recording: weak predictions are mostly noise and are believed less."""
        return jnp.interp(strength, self.gain_knots[...], self.gain[...])

    def conditions(
        self, evidence: Float[Array, " volumes"], facts: RecordingFacts, strength: Float[Array, ""]
    ) -> Float[Array, "volumes conditions"]:
        """What the noise variance of a volume depends on.

        ``evidence`` is the share (0-1) of the volume's haemodynamic memory that was recorded and clean.
        """
        mean, sd = self.usual[...]
        recording = (jnp.stack([self.informed(facts), strength]) - mean) / sd
        recording = jnp.clip(recording, -MAX_CONDITION, MAX_CONDITION)
        return jnp.concatenate(
            [1 - evidence[:, None], jnp.broadcast_to(recording, (len(evidence), len(recording)))], axis=1
        )


def _as_tuple(value: Any) -> Any:
    """JSON's lists as the tuples that they were."""
    return tuple(_as_tuple(item) for item in value) if isinstance(value, list) else value


def log_variance(
    conditions: Float[Array, "volumes conditions"], noise_maps: Float[Array, "voxels maps"]
) -> Float[Array, "volumes voxels"]:
    """Log of the aleatoric variance: a map, and maps that the conditions scale."""
    base, *scaled = noise_maps.T
    # A matrix product over so few conditions is slower than their sum.
    value = base + sum(condition[:, None] * noise for condition, noise in zip(conditions.T, scaled, strict=True))
    return jnp.clip(value, *LOG_VARIANCE_RANGE)
