"""The three steps from a recording to a running synthesis, for every kind of network that a bundle can hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
from jaxtyping import Float

from ..bold.grid import Grid
from ..bold.parcellation import Overlap
from ..bold.series_statistics import SeriesStatistics
from ..derivatives.encoding import Encoding
from ..eeg.recording import Recording, VolumeClock
from ..network.bundle import Network
from ..network.calhas2022.trained import TrainedCalhas2022
from ..network.neuralfield import NeuralField
from .block_size import VOLUMES_PER_BLOCK
from .cap_spectra import CapSpectra, compute_cap_spectra
from .grid_maps import GridMaps, make_grid_maps
from .parcel_forecast import ParcelForecast
from .prediction import ImageBlock, PredictionBlock, PredictionSummary
from .published import PublishedSynthesis
from .spectrogram import Spectrogram, compute_spectrogram
from .synthesise import Synthesis
from .volume_maps import VolumeMaps, make_volume_maps

Prepared: TypeAlias = Spectrogram | CapSpectra
Maps: TypeAlias = GridMaps | VolumeMaps


class RunningSynthesis(Protocol):
    """A prediction that has begun: iterate over its blocks once, then ask for what is known of them all."""

    def __iter__(self) -> Iterator[PredictionBlock]: ...

    def for_images(self, bold: Encoding, total_sd: Encoding) -> Iterator[ImageBlock]:
        """The same blocks as images take them: already in their numbers, where that saves time."""
        ...

    def features(self) -> Iterator[Float[np.ndarray, "volumes rows bands"]]:
        """What the network receives of every volume, block by block, made anew: long series are not kept."""
        ...

    def summary(self) -> PredictionSummary:
        """What is known once every block was yielded."""
        ...

    def statistics(self) -> SeriesStatistics:
        """Statistics of the volumes over time, once every block was yielded."""
        ...

    def forecast_parcels(self, lying: Overlap) -> ParcelForecast:
        """Means over any parcels, with what is needed to draw them; no block need be asked for before."""
        ...


@dataclass(frozen=True)
class _Steps:
    """How one kind of network is used; ``prepared`` and ``maps`` are what its own first two steps return."""

    prepare: Callable[[Any, Recording, Path | None], Prepared]
    make_maps: Callable[[Any, Grid, Path | None], Maps]
    start: Callable[[Any, Any, Any, VolumeClock, float, int], RunningSynthesis]


def _prepare_published(network: TrainedCalhas2022, recording: Recording, work_dir: Path | None) -> CapSpectra:
    # It takes its spectra when they are asked for.
    return compute_cap_spectra(recording, network.facts, network.n_bins)


def _start_published(
    network: TrainedCalhas2022,
    maps: VolumeMaps,
    spectra: CapSpectra,
    clock: VolumeClock,
    start_time_s: float,
    volumes_per_block: int,
) -> PublishedSynthesis:
    # Its windows end at a volume's onset, in training as here, whichever instant of the TR the volume stands for.
    return PublishedSynthesis(network, maps, spectra, clock, volumes_per_block)


_STEPS: dict[type[Network], _Steps] = {
    NeuralField: _Steps(
        lambda network, recording, work_dir: compute_spectrogram(recording, work_dir), make_grid_maps, Synthesis
    ),
    TrainedCalhas2022: _Steps(
        _prepare_published, lambda network, grid, folder: make_volume_maps(network, grid), _start_published
    ),
}


def prepare(network: Network, recording: Recording, work_dir: Path | None = None) -> Prepared:
    """What a network receives of a recording, whatever the output grid.

    Parameters
    ----------
    network, recording
        The network and the cleaned EEG.
    work_dir
        Where it may be kept in a file that vanishes with it; ``None`` keeps it in memory.

    Raises
    ------
    BadDataError
        The network cannot use this recording.
    """
    return _STEPS[type(network)].prepare(network, recording, work_dir)


def make_maps(network: Network, grid: Grid, folder: Path | None = None) -> Maps:
    """What a network needs to predict on an output grid, whatever the recording.

    What takes long is kept in ``folder``, of this network alone, for later runs.
    """
    return _STEPS[type(network)].make_maps(network, grid, folder)


def start_synthesis(
    network: Network,
    maps: Maps,
    prepared: Prepared,
    clock: VolumeClock,
    start_time_s: float = 0.0,
    volumes_per_block: int = VOLUMES_PER_BLOCK,
) -> RunningSynthesis:
    """Begin the prediction of one recording on one grid.

    Parameters
    ----------
    network, maps, prepared
        The network, and what :func:`make_maps` and :func:`prepare` made for it.
    clock
        When the volumes start.
    start_time_s
        Instant within the TR that a volume's value stands for.
    volumes_per_block
        Volumes predicted at once: fewer need less memory.
    """
    return _STEPS[type(network)].start(network, maps, prepared, clock, start_time_s, volumes_per_block)
