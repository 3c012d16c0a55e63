"""From the spectrogram of a recording to its predicted volumes.

Volumes are predicted in blocks of one compiled shape; nothing here grows with the duration but the spectrogram, which
may lie in a file, and a few hundred numbers per volume.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property, partial
from typing import TypeVar

import jax
import numpy as np
from jaxtyping import Array, Float, Int

from ..bold.factored import factored_statistics
from ..bold.film import SliceFilm
from ..bold.parcellation import Overlap
from ..bold.series_statistics import SeriesStatistics
from ..bold.thinning import shown_volumes
from ..derivatives.encoding import Encoding
from ..eeg.recording import VolumeClock
from ..eeg.spectra import BANDS_HZ, HOP_S
from ..errors import BadDataError
from ..network.lags import MEMORY_S
from ..network.neuralfield import NeuralField
from ..network.recording_facts import RecordingFacts
from .ahead import one_ahead
from .block_size import VOLUMES_PER_BLOCK
from .description import Described, Weighed, describe, weigh
from .grid_maps import GridMaps
from .neuralfield_parcels import forecast_of_neuralfield
from .parcel_forecast import ParcelForecast
from .prediction import ImageBlock, PredictionBlock, PredictionSummary
from .render import Encoded, Rendered, pad_maps, render, render_encoded
from .spectrogram import SourceSpectrogram

_AnyRendered = TypeVar("_AnyRendered", Rendered, Encoded)


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
        self._facts = RecordingFacts(*map(jax.device_put, spectrogram.facts))
        self._volume_times_s = clock.onsets_s + start_time_s
        self._aleatoric = np.zeros(maps.n_voxels)
        self._epistemic = np.zeros(maps.n_voxels)
        self._mean_sd = np.zeros(clock.n_volumes, np.float32)
        self._parcel_mean, self._parcel_sd = np.zeros((2, clock.n_volumes, maps.n_parcels), np.float32)
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
    def _described(self) -> Described:
        """All volumes, up to a whole number of blocks; the features of those that can be shown."""
        n_members, n_maps = self._network.config.n_members, self._network.config.n_maps
        coefficients = np.empty((n_members, len(self._starts) * self._volumes_per_block, n_maps), np.float32)
        columns: list[list[np.ndarray]] = [[] for _ in Described._fields[1:]]
        for first, part in one_ahead((first, self._describe(first)) for first in self._starts):
            coefficients[:, self._filled(first)] = part.coefficients
            features, *others = map(np.asarray, part[1:])
            shown = shown_volumes(self._n_volumes, first, self._volumes_per_block)
            for column, value in zip(columns, (features[shown], *others), strict=True):
                column.append(value)
        return Described(coefficients, *map(np.concatenate, columns))

    @cached_property
    def _weighed(self) -> Weighed:
        described = self._described
        mean_energy = jax.device_put(described.energy[: self._n_volumes].mean(dtype=float).astype(np.float32))
        parts = []
        # Block by block as well: a program for all volumes would have to be compiled for every length.
        for volumes in map(self._filled, self._starts):
            evidence, novelty_parts = (jax.device_put(part[volumes]) for part in described[-2:])
            parts.append(weigh(self._network, mean_energy, evidence, novelty_parts, self._facts))
        weighed = Weighed(*(np.concatenate(column) for column in zip(*parts, strict=True)))
        if not (np.isfinite(mean_energy) and np.isfinite(weighed.amplitude[0])):
            raise BadDataError(
                "the prediction holds values that are not numbers.",
                remedy="Check the recording for extreme values, or the model.",
            )
        return weighed

    def __iter__(self) -> Iterator[PredictionBlock]:
        # Whatever stands in a loop's variables would be held while the next block is computed.
        yield from map(self._block, self._rendered(render))

    def _block(self, taken: tuple[int, Rendered]) -> PredictionBlock:
        first, rendered = taken
        mean_z, total_sd_z = self._cut(first, rendered.mean), self._cut(first, rendered.total_sd)
        self._mean_sd[self._of_block(first)] = total_sd_z.mean(axis=1)
        return PredictionBlock(first, mean_z, total_sd_z)

    def for_images(self, bold: Encoding, total_sd: Encoding) -> Iterator[ImageBlock]:
        """The same blocks in the numbers of images; as standardised values, where these numbers cannot hold them.

        Images of floating-point numbers get standardised values in any case.
        """
        if bold.is_integer and total_sd.is_integer:
            encoding = partial(render_encoded, bold=bold, total_sd=total_sd)
            yield from map(self._image_block, self._rendered(encoding))
        else:
            yield from map(_as_image, self)

    def _image_block(self, taken: tuple[int, Encoded]) -> ImageBlock:
        first, encoded = taken
        self._mean_sd[self._of_block(first)] = np.asarray(encoded.sd_sum)[: self._count(first)] / self._maps.n_voxels
        block = encoded if encoded.fits else render(*self._inputs(self._filled(first)), self._maps.voxels)
        return ImageBlock(self._cut(first, block.mean), self._cut(first, block.total_sd))

    def _rendered(self, rendering: Callable[..., _AnyRendered]) -> Iterator[tuple[int, _AnyRendered]]:
        """Blocks in their order, each computed while the one before it is used."""
        inputs = ((first, self._inputs(self._filled(first))) for first in self._starts)
        maps = self._maps
        return map(
            self._taken,
            one_ahead((first, rendering(*given, maps.voxels), render(*given, maps.parcels)) for first, given in inputs),
        )

    def _taken(self, rendered: tuple[int, _AnyRendered, Rendered]) -> tuple[int, _AnyRendered]:
        first, voxels, parcels = rendered
        self._aleatoric += np.asarray(voxels.aleatoric)[: self._maps.n_voxels]
        self._epistemic += np.asarray(voxels.epistemic)[: self._maps.n_voxels]
        for kept, part in ((self._parcel_mean, parcels.mean), (self._parcel_sd, parcels.total_sd)):
            kept[self._of_block(first)] = np.asarray(part)[: self._count(first), : self._maps.n_parcels]
        return first, voxels

    def _inputs(self, volumes: slice | Int[np.ndarray, " volumes"]) -> tuple[np.ndarray, ...]:
        """What :func:`.render.render` takes of these volumes."""
        weighed = self._weighed
        coefficients = weighed.amplitude[volumes, None] * self._described.coefficients[:, volumes]
        counted = (np.arange(len(weighed.amplitude))[volumes] < self._n_volumes).astype(np.float32)
        return coefficients, weighed.conditions[volumes], weighed.widening[volumes], counted

    def _filled(self, first: int) -> slice:
        """A block's volumes, with what fills up the last one."""
        return slice(first, first + self._volumes_per_block)

    def _of_block(self, first: int) -> slice:
        return slice(first, first + self._count(first))

    def _count(self, first: int) -> int:
        return min(self._volumes_per_block, self._n_volumes - first)

    def _cut(self, first: int, volumes: Array) -> np.ndarray:
        """Without what fills up the last block and the last step of voxels."""
        return np.asarray(volumes)[: self._count(first), : self._maps.n_voxels]

    def _times(self, first: int) -> Float[np.ndarray, " volumes"]:
        """When a block's volumes are, padded to one shape."""
        times_s = self._volume_times_s[first : first + self._volumes_per_block]
        return np.concatenate([times_s, np.full(self._volumes_per_block - len(times_s), times_s[-1])])

    def _describe(self, first_volume: int) -> Described:
        spectrogram, volume_times_s = self._spectrogram, self._times(first_volume)
        hop_s = spectrogram.times_s[1] - spectrogram.times_s[0]
        first = int(np.floor((volume_times_s[0] - MEMORY_S - spectrogram.times_s[0]) / hop_s))
        index = np.arange(first, first + self._frames_per_block)
        inside = (index >= 0) & (index < len(spectrogram.valid))
        recorded = inside & spectrogram.valid[np.clip(index, 0, len(spectrogram.valid) - 1)]
        # Times from the block's first frame: float32 keeps its precision however long the recording is.
        times_s = (index * hop_s - first * hop_s, volume_times_s - spectrogram.times_s[0] - first * hop_s)
        # Converted by NumPy: JAX would compile a program for every shape.
        known, frames_s, volumes_s = (jax.device_put(part.astype(np.float32)) for part in (recorded, *times_s))
        frames_z = jax.device_put(spectrogram.standardised(first, self._frames_per_block))
        return describe(self._network, frames_z, known, frames_s, volumes_s, self._facts)

    def features(self) -> Iterator[Float[np.ndarray, "volumes parcels bands"]]:
        """Band power after the response, block by block, made anew: long series are not kept."""
        for first in self._starts:
            yield np.asarray(self._describe(first).features)[: self._count(first)]

    def forecast_parcels(self, lying: Overlap) -> ParcelForecast:
        """Means over any parcels, with what is needed to draw them; no block need be asked for before."""
        inputs = self._inputs(slice(0, self._n_volumes))[:3]
        return forecast_of_neuralfield(self._network, self._maps, lying, self._facts, *inputs)

    def summary(self) -> PredictionSummary:
        """What is known once every block was yielded."""
        aleatoric, epistemic = self._variances
        return PredictionSummary(
            aleatoric_sd_z=np.sqrt(aleatoric).astype(np.float32),
            epistemic_sd_z=np.sqrt(epistemic).astype(np.float32),
            novelty=self._weighed.novelty[: self._n_volumes],
            parcel_mean_z=self._parcel_mean,
            parcel_sd_z=self._parcel_sd,
            features_z=self._described.features,
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
            self._weighed.amplitude[0] * self._described.coefficients[:, : self._n_volumes].mean(axis=0),
            np.asarray(self._maps.voxels.mean)[: self._maps.n_voxels],
            total_sd_z=np.sqrt(sum(self._variances)).astype(np.float32),
            mean_sd_z=self._mean_sd,
            film=self._film(),
        )

    def _film(self) -> SliceFilm:
        film = SliceFilm(self._maps.grid, self._n_volumes)
        mean, noise, factor = (np.asarray(part)[film.shown] for part in self._maps.voxels)
        rendered = render(*self._inputs(film.volumes), pad_maps(mean, noise, factor))
        film.fill(*(np.asarray(part)[:, : len(film.shown)] for part in (rendered.mean, rendered.total_sd)))
        return film


def _as_image(block: PredictionBlock) -> ImageBlock:
    return ImageBlock(block.mean_z, block.total_sd_z)
