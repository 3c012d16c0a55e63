"""From the spectrogram of a recording to its predicted volumes.

Volumes are predicted in blocks of one compiled shape; nothing here grows with the duration but the spectrogram and a
few hundred numbers per volume.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property, partial
from typing import Any, NamedTuple, TypeAlias, TypeVar

import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float

from ..bold.factored import factored_statistics
from ..bold.film import SliceFilm
from ..bold.parcellation import Overlap
from ..bold.series_statistics import SeriesStatistics
from ..derivatives.encoding import Encoding
from ..eeg.recording import VolumeClock
from ..eeg.spectra import BANDS_HZ, HOP_S
from ..errors import BadDataError
from ..network.lags import CANONICAL_LAG, MEMORY_S
from ..network.neuralfield import NeuralField
from ..network.recording_facts import RecordingFacts
from .block_size import VOLUMES_PER_BLOCK
from .grid_maps import GridMaps
from .neuralfield_parcels import forecast_of_neuralfield
from .parcel_forecast import ParcelForecast
from .prediction import ImageBlock, PredictionBlock, PredictionSummary
from .render import Encoded, Rendered, pad_maps, render, render_encoded
from .spectrogram import SourceSpectrogram

# JAX's where it is computed, NumPy's where it is kept.
_AnyArray: TypeAlias = Any
_AnyRendered = TypeVar("_AnyRendered", Rendered, Encoded)


class _Described(NamedTuple):
    """Volumes before the recording as a whole is known; the coefficients as they are before their amplitude."""

    coefficients: Float[_AnyArray, "members volumes maps"]
    evidence: Float[_AnyArray, " volumes"]
    novelty_parts: Float[_AnyArray, "volumes parts"]
    features: Float[_AnyArray, "volumes parcels bands"]


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


class _Weighed(NamedTuple):
    """Volumes about to be rendered, as :func:`.render.render` takes them; and percentiles of the novelty."""

    coefficients: Float[_AnyArray, "members volumes maps"]
    conditions: Float[_AnyArray, "volumes conditions"]
    widening: Float[_AnyArray, " volumes"]
    counted: Float[_AnyArray, " volumes"]
    novelty: Float[_AnyArray, " volumes"]
    novelty_parts: Float[_AnyArray, "volumes parts"]


@nnx.jit
def _weigh(
    network: NeuralField, described: _Described, counted: Float[Array, " volumes"], facts: RecordingFacts
) -> _Weighed:
    """How strong the prediction is as a whole decides its amplitude."""
    strength = network.strength(described.coefficients, counted)
    score = described.novelty_parts.max(axis=1)
    return _Weighed(
        network.amplitude(strength) * described.coefficients,
        network.conditions(described.evidence, facts, strength),
        network.novelty.widening(score),
        counted,
        network.novelty.percentile(score),
        network.novelty.percentile(described.novelty_parts),
    )


class Synthesis:
    """The prediction of one recording: iterate over its blocks once, then ask for what is known of them all.

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
        self._mean_sd: list[np.ndarray] = []
        self._parcel_mean: list[np.ndarray] = []
        self._parcel_sd: list[np.ndarray] = []
        self._volumes_per_block = volumes_per_block
        self._frames_per_block = int(np.ceil((volumes_per_block * clock.tr_s + MEMORY_S) / HOP_S)) + 2

    @property
    def _n_volumes(self) -> int:
        return len(self._volume_times_s)

    @property
    def _starts(self) -> range:
        """First volume of every block."""
        return range(0, self._n_volumes, self._volumes_per_block)

    @cached_property
    def _described(self) -> _Described:
        """All volumes, up to a whole number of blocks: there are few such shapes to compile for."""
        parts = [self._describe(self._times(first)) for first in self._starts]
        columns = zip(*(map(np.asarray, part) for part in parts), strict=True)
        coefficients, *others = (list(column) for column in columns)
        return _Described(np.concatenate(coefficients, axis=1), *map(np.concatenate, others))

    @cached_property
    def _weighed(self) -> _Weighed:
        counted = np.arange(len(self._described.evidence)) < self._n_volumes
        weighed = _weigh(self._network, self._described, jnp.asarray(counted, jnp.float32), self._facts)
        if not np.isfinite(weighed.coefficients).all():
            raise BadDataError(
                "the prediction holds values that are not numbers.",
                remedy="Check the recording for extreme values, or the model.",
            )
        return _Weighed(*map(np.asarray, weighed))

    def __iter__(self) -> Iterator[PredictionBlock]:
        for first, rendered in self._rendered(render):
            mean_z, total_sd_z = self._cut(first, rendered.mean), self._cut(first, rendered.total_sd)
            self._mean_sd.append(total_sd_z.mean(axis=1))
            yield PredictionBlock(first, mean_z, total_sd_z)

    def for_images(self, bold: Encoding, total_sd: Encoding) -> Iterator[ImageBlock]:
        """The same blocks in the numbers of images; as standardised values, where these numbers cannot hold them.

        Images of floating-point numbers get standardised values in any case.
        """
        if not (bold.is_integer and total_sd.is_integer):
            yield from (ImageBlock(block.mean_z, block.total_sd_z) for block in self)
            return
        for first, encoded in self._rendered(partial(render_encoded, bold=bold, total_sd=total_sd)):
            self._mean_sd.append(np.asarray(encoded.sd_sum)[: self._count(first)] / self._maps.n_voxels)
            block = encoded if encoded.fits else render(*self._inputs(first), self._maps.voxels)
            yield ImageBlock(self._cut(first, block.mean), self._cut(first, block.total_sd))

    def _rendered(self, rendering: Callable[..., _AnyRendered]) -> Iterator[tuple[int, _AnyRendered]]:
        """Blocks in their order, each computed while the one before it is used."""
        ahead = None
        for first in self._starts:
            inputs = self._inputs(first)
            following = (first, rendering(*inputs, self._maps.voxels), render(*inputs, self._maps.parcels))
            if ahead is not None:
                yield self._taken(*ahead)
            ahead = following
        if ahead is not None:
            yield self._taken(*ahead)

    def _inputs(self, first: int) -> tuple[np.ndarray, ...]:
        block = slice(first, first + self._volumes_per_block)
        coefficients, *others = self._weighed[:4]
        return coefficients[:, block], *(part[block] for part in others)

    def _taken(self, first: int, voxels: _AnyRendered, parcels: Rendered) -> tuple[int, _AnyRendered]:
        self._aleatoric += np.asarray(voxels.aleatoric)[: self._maps.n_voxels]
        self._epistemic += np.asarray(voxels.epistemic)[: self._maps.n_voxels]
        # Copies: a view would keep the whole block.
        for kept, part in ((self._parcel_mean, parcels.mean), (self._parcel_sd, parcels.total_sd)):
            kept.append(np.asarray(part)[: self._count(first), : self._maps.n_parcels].copy())
        return first, voxels

    def _count(self, first: int) -> int:
        return min(self._volumes_per_block, self._n_volumes - first)

    def _cut(self, first: int, volumes: Array) -> np.ndarray:
        """Without what fills up the last block and the last step of voxels."""
        return np.asarray(volumes)[: self._count(first), : self._maps.n_voxels]

    def _times(self, first: int) -> Float[np.ndarray, " volumes"]:
        """When a block's volumes are, padded to one shape."""
        times_s = self._volume_times_s[first : first + self._volumes_per_block]
        return np.concatenate([times_s, np.full(self._volumes_per_block - len(times_s), times_s[-1])])

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
        coefficients, *others = self._weighed[:3]
        inputs = (coefficients[:, : self._n_volumes], *(part[: self._n_volumes] for part in others))
        return forecast_of_neuralfield(self._network, self._maps, lying, self._facts, *inputs)

    def summary(self) -> PredictionSummary:
        """What is known once every block was yielded."""
        aleatoric, epistemic = self._variances
        return PredictionSummary(
            aleatoric_sd_z=np.sqrt(aleatoric).astype(np.float32),
            epistemic_sd_z=np.sqrt(epistemic).astype(np.float32),
            novelty=self._weighed.novelty[: self._n_volumes],
            parcel_mean_z=np.concatenate(self._parcel_mean),
            parcel_sd_z=np.concatenate(self._parcel_sd),
            features_z=self._described.features[: self._n_volumes],
            bands_hz=BANDS_HZ,
            resolution=self._spectrogram.resolution,
            novelty_parts=self._weighed.novelty_parts[: self._n_volumes],
        )

    @property
    def _variances(self) -> tuple[Float[np.ndarray, " voxels"], Float[np.ndarray, " voxels"]]:
        """Both parts of the uncertainty, means over the volumes."""
        return self._aleatoric / self._n_volumes, self._epistemic / self._n_volumes

    def statistics(self) -> SeriesStatistics:
        """Statistics of the volumes over time, once every block was yielded."""
        return factored_statistics(
            self._maps.grid,
            self._weighed.coefficients[:, : self._n_volumes].mean(axis=0),
            np.asarray(self._maps.voxels.mean)[: self._maps.n_voxels],
            total_sd_z=np.sqrt(sum(self._variances)).astype(np.float32),
            mean_sd_z=np.concatenate(self._mean_sd),
            film=self._film(),
        )

    def _film(self) -> SliceFilm:
        film = SliceFilm(self._maps.grid, self._n_volumes)
        mean, noise, factor = (np.asarray(part)[film.shown] for part in self._maps.voxels)
        coefficients, *others = self._weighed[:4]
        inputs = (coefficients[:, film.volumes], *(part[film.volumes] for part in others))
        rendered = render(*inputs, pad_maps(mean, noise, factor))
        film.fill(*(np.asarray(part)[:, : len(film.shown)] for part in (rendered.mean, rendered.total_sd)))
        return film
