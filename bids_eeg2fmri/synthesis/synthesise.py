"""From the spectrogram of a recording to its predicted volumes.

Volumes are predicted in blocks of one compiled shape; nothing here grows with the duration but the spectrogram and a
few hundred numbers per volume.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float

from ..bold.parcellation import Overlap
from ..eeg.recording import VolumeClock
from ..eeg.spectra import BANDS_HZ, HOP_S
from ..network.lags import CANONICAL_LAG, MEMORY_S
from ..network.neuralfield import NeuralField
from ..network.recording_facts import RecordingFacts
from .block_size import VOLUMES_PER_BLOCK
from .grid_maps import GridMaps
from .neuralfield_parcels import forecast_of_neuralfield
from .parcel_forecast import ParcelForecast
from .prediction import PredictionBlock, PredictionSummary
from .render import render
from .spectrogram import SourceSpectrogram


class _Described(NamedTuple):
    """Volumes before they are rendered; the coefficients as they are before the amplitude is known."""

    coefficients: Float[Array, "members volumes maps"]
    evidence: Float[Array, " volumes"]
    novelty_parts: Float[Array, "volumes parts"]
    features: Float[Array, "volumes parcels bands"]


@nnx.jit
def _describe(
    network: NeuralField,
    frames_z: Float[Array, "frames parcels bands"],
    recorded: Float[Array, " frames"],
    frame_times_s: Float[Array, " frames"],
    volume_times_s: Float[Array, " volumes"],
    facts: RecordingFacts,
) -> _Described:
    """Everything about a block of volumes but the volumes themselves."""
    features = network.features(frames_z, frame_times_s, volume_times_s, HOP_S)
    ones = jnp.broadcast_to(recorded[:, None, None], (len(recorded), 1, 1))
    evidence = network.features(ones, frame_times_s, volume_times_s, HOP_S)
    evidence = jnp.clip(evidence[:, CANONICAL_LAG], 0, 1)
    by_lag = features.reshape(len(volume_times_s), len(network.config.peaks_s), *frames_z.shape[1:])
    return _Described(
        network.coefficients(network.states(features, facts)),
        evidence,
        network.novelty.parts(features, facts.description, evidence),
        by_lag[:, CANONICAL_LAG],
    )


class Synthesis:
    """The prediction of one recording: iterate over its blocks, then ask for the summary.

    Parameters
    ----------
    network, maps
        The network and its maps on the output grid.
    spectrogram, clock
        The recording.
    start_time_s
        Instant within the TR that a volume's value stands for.
    volumes_per_block
        Volumes rendered at once: fewer need less memory.
    """

    def __init__(
        self,
        network: NeuralField,
        maps: GridMaps,
        spectrogram: SourceSpectrogram,
        clock: VolumeClock,
        start_time_s: float = 0.0,
        volumes_per_block: int = VOLUMES_PER_BLOCK,
    ) -> None:
        self._network, self._maps, self._spectrogram = network, maps, spectrogram
        self._facts = RecordingFacts(*map(jnp.asarray, spectrogram.facts))
        self._volume_times_s = clock.onsets_s + start_time_s
        self._aleatoric = np.zeros(maps.n_voxels)
        self._epistemic = np.zeros(maps.n_voxels)
        self._parcel_mean: list[np.ndarray] = []
        self._parcel_sd: list[np.ndarray] = []
        self._volumes_per_block = volumes_per_block
        self._frames_per_block = int(np.ceil((volumes_per_block * clock.tr_s + MEMORY_S) / HOP_S)) + 2

    @cached_property
    def _described(self) -> _Described:
        """All volumes: how strong the prediction is as a whole decides its amplitude."""
        starts = range(0, len(self._volume_times_s), self._volumes_per_block)
        blocks = [self._describe(self._times(first)) for first in starts]
        kept = [min(self._volumes_per_block, len(self._volume_times_s) - first) for first in starts]

        def joined(name: str, axis: int = 0) -> Any:
            parts = [np.asarray(getattr(block, name)) for block in blocks]
            return np.concatenate([part.take(range(n), axis) for part, n in zip(parts, kept, strict=True)], axis)

        return _Described(joined("coefficients", 1), joined("evidence"), joined("novelty_parts"), joined("features"))

    @cached_property
    def _strength(self) -> Float[Array, ""]:
        coefficients = jnp.asarray(self._described.coefficients)
        return self._network.strength(coefficients, jnp.ones(coefficients.shape[1]))

    @cached_property
    def _novelty(self) -> Float[Array, " volumes"]:
        return jnp.asarray(self._described.novelty_parts).max(axis=1)

    @cached_property
    def _conditions(self) -> Float[Array, "volumes conditions"]:
        """Of all volumes: the recording's information is weighed once, not in every block."""
        return self._network.conditions(jnp.asarray(self._described.evidence), self._facts, self._strength)

    def __iter__(self) -> Iterator[PredictionBlock]:
        for first in range(0, len(self._volume_times_s), self._volumes_per_block):
            yield self._predict(first)

    def _times(self, first: int) -> Float[np.ndarray, " volumes"]:
        """When a block's volumes are, padded to one shape."""
        times_s = self._volume_times_s[first : first + self._volumes_per_block]
        return np.concatenate([times_s, np.full(self._volumes_per_block - len(times_s), times_s[-1])])

    def _predict(self, first: int) -> PredictionBlock:
        network, maps, size = self._network, self._maps, self._volumes_per_block
        index = np.minimum(np.arange(first, first + size), len(self._volume_times_s) - 1)
        count = min(size, len(self._volume_times_s) - first)
        counted = (np.arange(size) < count).astype(np.float32)
        coefficients = network.amplitude(self._strength) * self._described.coefficients[:, index]
        conditions = self._conditions[index]
        widening = network.novelty.widening(self._novelty[index])
        voxels = render(coefficients, conditions, widening, counted, maps.voxels)
        parcels = render(coefficients, conditions, widening, counted, maps.parcels)
        n_voxels = maps.n_voxels
        self._aleatoric += np.asarray(voxels.aleatoric)[:n_voxels]
        self._epistemic += np.asarray(voxels.epistemic)[:n_voxels]
        self._parcel_mean.append(np.asarray(parcels.mean)[:count, : maps.n_parcels])
        self._parcel_sd.append(np.asarray(parcels.total_sd)[:count, : maps.n_parcels])
        mean_z, total_sd_z = (np.asarray(part)[:count, :n_voxels] for part in (voxels.mean, voxels.total_sd))
        return PredictionBlock(first, mean_z, total_sd_z)

    def _describe(self, volume_times_s: Float[np.ndarray, " volumes"]) -> _Described:
        spectrogram = self._spectrogram
        hop_s = spectrogram.times_s[1] - spectrogram.times_s[0]
        first = int(np.floor((volume_times_s[0] - MEMORY_S - spectrogram.times_s[0]) / hop_s))
        index = np.arange(first, first + self._frames_per_block)
        inside = (index >= 0) & (index < len(spectrogram.valid))
        recorded = inside & spectrogram.valid[np.clip(index, 0, len(spectrogram.valid) - 1)]
        # Times from the block's first frame: float32 keeps its precision however long the recording is.
        return _describe(
            self._network,
            jnp.asarray(spectrogram.standardised(first, self._frames_per_block)),
            jnp.asarray(recorded, jnp.float32),
            jnp.asarray(index * hop_s - first * hop_s, jnp.float32),
            jnp.asarray(volume_times_s - spectrogram.times_s[0] - first * hop_s, jnp.float32),
            self._facts,
        )

    def forecast_parcels(self, lying: Overlap) -> ParcelForecast:
        """Means over any parcels, with what is needed to draw them; no block need be asked for before."""
        widening = self._network.novelty.widening(self._novelty)
        return forecast_of_neuralfield(
            self._network,
            self._maps,
            lying,
            self._facts,
            np.asarray(self._network.amplitude(self._strength)) * self._described.coefficients,
            np.asarray(self._conditions),
            np.asarray(widening),
        )

    def summary(self) -> PredictionSummary:
        """What is known once every block was yielded."""
        n_volumes = len(self._volume_times_s)
        return PredictionSummary(
            aleatoric_sd_z=np.sqrt(self._aleatoric / n_volumes).astype(np.float32),
            epistemic_sd_z=np.sqrt(self._epistemic / n_volumes).astype(np.float32),
            novelty=np.asarray(self._network.novelty.percentile(self._novelty)),
            parcel_mean_z=np.concatenate(self._parcel_mean),
            parcel_sd_z=np.concatenate(self._parcel_sd),
            features_z=np.asarray(self._described.features),
            bands_hz=BANDS_HZ,
            resolution=self._spectrogram.resolution,
            novelty_parts=np.asarray(self._network.novelty.percentile(jnp.asarray(self._described.novelty_parts))),
        )
