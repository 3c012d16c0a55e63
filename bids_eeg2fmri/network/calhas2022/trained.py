"""The published network with everything that must be known to use it on a new person.

The network itself only maps arrays to arrays. What its channels, windows and voxels mean, how far its volumes are
from the truth, and what its training people looked like, is added here and stored with the weights. Its inputs come
from :mod:`bids_eeg2fmri.synthesis.cap_spectra`, in training as in use.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Bool, Float

from ...eeg.spectra import BANDS_HZ
from ..novelty import Novelty
from .config import Calhas2022Config
from .network import Calhas2022

N_PARCELS = 214
MAX_NOVELTY_AXES = 24

Affine = tuple[tuple[float, float, float, float], ...]


@dataclass(frozen=True)
class Calhas2022Facts:
    """What the axes of the network's arrays mean; they travel in ``model.json``.

    Attributes
    ----------
    channel_names
        Electrodes of the cap, normalised names, in the order of the input's channels.
    positions_m
        Their positions in metres, head frame (RAS), one triple each.
    tr_s
        Repetition time of the training data: the length of one window of the input, in seconds.
    affine
        Voxel indices of the volume to millimetres in MNI152NLin2009cAsym, four rows of four.
    highest_hz
        Highest frequency that the training data held; ``None`` for that of the last bin.
    """

    channel_names: tuple[str, ...]
    positions_m: tuple[tuple[float, float, float], ...]
    tr_s: float
    affine: Affine
    highest_hz: float | None = None

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Calhas2022Facts:
        """The facts from what :func:`dataclasses.asdict` and JSON made of them.

        Raises
        ------
        TypeError, ValueError
            Entries are missing, unknown, or not of the needed shape.
        """
        positions, affine = np.asarray(values["positions_m"], float), np.asarray(values["affine"], float)
        return cls(
            **{
                **values,
                "channel_names": tuple(map(str, values["channel_names"])),
                "positions_m": tuple(map(tuple, positions.tolist())),
                "affine": tuple(map(tuple, affine.tolist())),
                "tr_s": float(values["tr_s"]),
            }
        )


@dataclass(frozen=True)
class Bands:
    """The frequency bands that the bins of a window's spectrum reach the middle of.

    Attributes
    ----------
    tr_s, n_bins
        Length of a window in seconds; its bins are ``1 / tr_s`` Hz apart and begin there.
    """

    tr_s: float
    n_bins: int

    @property
    def edges_hz(self) -> tuple[tuple[float, float], ...]:
        """Lower (in) and upper (out) edge of each band."""
        return tuple(band for band, is_held in zip(BANDS_HZ, self._held, strict=True) if is_held)

    def means(self, spectra: Float[np.ndarray, "*batch bins"]) -> Float[np.ndarray, "*batch bands"]:
        """Mean over the bins of each band."""
        inside = self._inside[:, self._held]
        return spectra @ (inside / inside.sum(axis=0)).astype(np.float32)

    @property
    def _frequencies_hz(self) -> Float[np.ndarray, " bins"]:
        return np.arange(1, self.n_bins + 1) / self.tr_s

    @property
    def _inside(self) -> Bool[np.ndarray, "bins bands"]:
        return np.stack([(self._frequencies_hz >= low) & (self._frequencies_hz < high) for low, high in BANDS_HZ], 1)

    @property
    def _held(self) -> Bool[np.ndarray, " bands"]:
        reached = np.array([(low + high) / 2 <= self._frequencies_hz[-1] for low, high in BANDS_HZ])
        return reached & self._inside.any(axis=0)


class TrainedCalhas2022(nnx.Module):
    """A trained :class:`~.network.Calhas2022`, its facts, and the constants of its predictive distribution.

    Parameters
    ----------
    network
        The network; its fMRI encoder, if it has one, is kept, so that training can go on from a bundle.
    facts
        The meaning of its axes.
    gain
        Factor on the network's volumes (z over time); below one where they are too bold for people not trained on.
    residual_sd
        Sd per voxel of the error that is left after ``gain``, over people not trained on: in units of the sd that the
        aleatoric head states when the network has that head, else of z. Default: one everywhere.
    voxel_factor, parcel_factor
        Calibration of the predictive sd: of a voxel by its parcel (first entry: no parcel), and of a parcel's mean,
        which is the root mean square of its voxels' sd times this factor. Default: one everywhere.

    Raises
    ------
    ValueError
        The facts or arrays do not fit the network's shapes.
    """

    NAME: ClassVar[str] = "calhas2022"

    def __init__(
        self,
        network: Calhas2022,
        facts: Calhas2022Facts,
        *,
        gain: float = 1.0,
        residual_sd: Float[np.ndarray, "x y z"] | None = None,
        voxel_factor: Float[np.ndarray, " labels"] | None = None,
        parcel_factor: Float[np.ndarray, " parcels"] | None = None,
    ) -> None:
        _check(network.config, facts)
        self.network = network
        self.facts = facts
        self.gain = nnx.Variable(jnp.asarray(gain, jnp.float32))
        self.residual_sd = nnx.Variable(_filled(residual_sd, network.config.fmri_shape))
        self.voxel_factor = nnx.Variable(_filled(voxel_factor, (N_PARCELS + 1,)))
        self.parcel_factor = nnx.Variable(_filled(parcel_factor, (N_PARCELS,)))
        n_features = len(facts.channel_names) * len(self.bands.edges_hz)
        self.novelty = Novelty(n_features, n_features, min(MAX_NOVELTY_AXES, n_features))

    @property
    def config(self) -> Calhas2022Config:
        """Hyper-parameters of the network."""
        return self.network.config

    @property
    def n_bins(self) -> int:
        """Frequency bins of a window, from ``1 / tr_s`` Hz in steps of that."""
        return self.config.eeg_shape[1]

    @property
    def n_windows(self) -> int:
        """Windows of one repetition time before the onset of the predicted volume."""
        return self.config.eeg_shape[2]

    @property
    def history_s(self) -> float:
        """Length of the EEG history that a volume depends on."""
        return self.n_windows * self.facts.tr_s

    @property
    def affine(self) -> Float[np.ndarray, "4 4"]:
        """Voxel indices of the volume to millimetres."""
        return np.array(self.facts.affine)

    @property
    def bands(self) -> Bands:
        """Bands of the input's bins, for the novelty score and the report."""
        return Bands(self.facts.tr_s, self.n_bins)

    @property
    def stochastic(self) -> bool:
        """Whether the network can be drawn from; a deterministic one states no epistemic uncertainty."""
        return self.config.stochastic

    @property
    def epistemic(self) -> str:
        """What the epistemic uncertainty of this network is."""
        if self.stochastic:
            return "what draws from the network's distributions over weights, coefficients or units disagree on"
        return (
            "not estimated and zero everywhere, because this network is deterministic; its total standard deviation "
            "was calibrated on people it was not trained on"
        )

    @property
    def hyperparameters(self) -> dict[str, Any]:
        """What :meth:`from_hyperparameters` needs, as JSON can hold it."""
        return {"config": asdict(self.config), "facts": asdict(self.facts)}

    @classmethod
    def from_hyperparameters(cls, values: dict[str, Any]) -> TrainedCalhas2022:
        """An untrained network of the given shape.

        Raises
        ------
        KeyError, TypeError, ValueError
            Hyper-parameters are missing, unknown, or contradict each other.
        """
        config, facts = Calhas2022Config.from_json(values["config"]), Calhas2022Facts.from_json(values["facts"])
        return cls(Calhas2022(config, rngs=nnx.Rngs(0)), facts)


def _check(config: Calhas2022Config, facts: Calhas2022Facts) -> None:
    n_channels = config.eeg_shape[0]
    if len(facts.channel_names) != n_channels or np.shape(facts.positions_m) != (n_channels, 3):
        raise ValueError(f"{n_channels} channels need as many names and positions")
    if np.shape(facts.affine) != (4, 4):
        raise ValueError("the affine has not four rows of four")
    if not facts.tr_s > 0:
        raise ValueError(f"a repetition time of {facts.tr_s} s")


def _filled(values: Float[np.ndarray, "..."] | None, shape: tuple[int, ...]) -> Float[Array, "..."]:
    """The values as float32, or ones."""
    filled = jnp.ones(shape) if values is None else jnp.asarray(values, jnp.float32)
    if filled.shape != shape:
        raise ValueError(f"an array has shape {filled.shape}, needed {shape}")
    return filled
