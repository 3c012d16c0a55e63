"""From the spectra of a recording to the volumes that the published network predicts.

The network's volumes are z over time by training (every person's targets had mean zero and unit variance). Nothing is
taken from what it predicts: the mean over time of the synthetic series is the network's, not zero by construction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax.tree_util import PyTreeDef
from jaxtyping import Array, Bool, Float

from ..bold.online import OnlineStatistics
from ..bold.parcellation import Overlap
from ..bold.series_statistics import SeriesStatistics
from ..bold.thinning import shown_volumes
from ..derivatives.encoding import Encoding
from ..eeg.recording import VolumeClock
from ..network.calhas2022.network import Calhas2022
from ..network.calhas2022.trained import TrainedCalhas2022
from ..network.novelty import as_description
from .cap_spectra import CapSpectra
from .drawn import Drawn, aleatoric_variance, summarised
from .parcel_forecast import ParcelForecast
from .prediction import ImageBlock, PredictionBlock, PredictionSummary
from .published_parcels import block_of_parcels, joined_parcels
from .volume_maps import VolumeMaps

N_DRAWS = 20
VOXELS_PER_STEP = 32768

Forward: TypeAlias = Callable[[list[Array], list[Array], Array], tuple[Array, Array | None]]


class Described(NamedTuple):
    """What is known of volumes besides their prediction.

    Attributes
    ----------
    features
        Band means of the windows before each volume, less the recording's (volumes x channels x bands, flattened):
        what the novelty score looks at.
    evidence
        Share (0-1) of the windows before each volume that were recorded.
    latest
        Band means of the last window before each volume, z over the recording; zero where it was not recorded.
    """

    features: Float[np.ndarray, "volumes features"]
    evidence: Float[np.ndarray, " volumes"]
    latest: Float[np.ndarray, "volumes channels bands"]


def describe(
    spectra: CapSpectra,
    windows: Float[np.ndarray, "volumes channels bins windows"],
    recorded: Bool[np.ndarray, "volumes windows"],
) -> Described:
    """Describe volumes by the windows before them (see :meth:`CapSpectra.before`)."""
    bands = spectra.bands.means(np.moveaxis(windows, -1, 1))
    weights = recorded / np.maximum(recorded.sum(axis=1, keepdims=True), 1)
    deviation = np.where(recorded[..., None, None], bands - spectra.band_mean, 0)
    return Described(
        features=np.einsum("vt,vtcb->vcb", weights, deviation).reshape(len(windows), -1).astype(np.float32),
        evidence=recorded.mean(axis=1, dtype=np.float32),
        latest=deviation[:, -1] / spectra.band_sd,
    )


class VolumePredictor:
    """A trained network's volumes on its own grid, by Monte Carlo where it can be drawn from.

    Each draw (of weights, coefficients, dropped units) is one and the same member of an ensemble from the first volume
    to the last. The epistemic variance is that of the members' means, E[x^2] - E[x]^2, taken as a sum of squared
    deviations and divided by one less than their number; the aleatoric one is the mean of what they state.
    """

    def __init__(self, trained: TrainedCalhas2022, n_draws: int = N_DRAWS) -> None:
        # A copy of the structure with the same arrays, so that the modes can be set.
        network = nnx.merge(*nnx.split(trained.network))
        network.eval()
        if trained.stochastic:
            network.decoder.train()
            network.decoder.hold_draws()
        graph, streams, *weights = nnx.split(network, nnx.RngState, ...)
        # Taken apart once: at a volume at a time, looking at the structure would cost as much as a layer.
        self._weights, structure = jax.tree.flatten((trained.gain[...], weights))
        draws = [_seeded(streams, draw) for draw in range(n_draws if trained.stochastic else 1)]
        self._streams = [jax.tree.leaves(draw) for draw in draws]
        self._forward = _compiled_forward(graph, jax.tree.structure(streams), structure)

    def __call__(self, windows: Float[np.ndarray, "volumes channels bins windows"]) -> Drawn:
        """Volumes of these windows."""
        return summarised(*self.members(windows))

    def members(
        self, windows: Float[np.ndarray, "volumes channels bins windows"]
    ) -> tuple[list[Float[np.ndarray, "volumes voxels"]], Float[np.ndarray, "volumes voxels"] | float]:
        """Every draw's volumes, and the variance that the aleatoric head states (one without such a head)."""
        batch = jnp.asarray(windows)
        draws = [self._forward(streams, self._weights, batch) for streams in self._streams]
        means, sds = zip(*draws, strict=True)
        stated = 1.0 if sds[0] is None else np.asarray(sum(sd**2 for sd in sds) / len(sds))
        return [np.asarray(mean) for mean in means], stated


class PublishedSynthesis:
    """The prediction of one recording: iterate over its blocks once, then ask for what is known of them all.

    Parameters
    ----------
    network, maps
        The network and what carries its volumes to the output grid.
    spectra, clock
        The recording.
    volumes_per_block
        Volumes predicted at once: fewer need less memory.
    """

    def __init__(
        self,
        network: TrainedCalhas2022,
        maps: VolumeMaps,
        spectra: CapSpectra,
        clock: VolumeClock,
        volumes_per_block: int,
    ) -> None:
        self._network, self._maps, self._spectra = network, maps, spectra
        self._onsets_s = clock.onsets_s
        self._volumes_per_block = volumes_per_block
        self._predict_volumes = VolumePredictor(network)
        self._aleatoric = np.zeros(maps.n_voxels)
        self._epistemic = np.zeros(maps.n_voxels)
        self._statistics = OnlineStatistics(maps.grid, len(self._onsets_s))
        self._kept: dict[str, list[np.ndarray]] = {"novelty": [], "mean": [], "sd": [], "features": []}

    def __iter__(self) -> Iterator[PredictionBlock]:
        for first in range(0, len(self._onsets_s), self._volumes_per_block):
            block = self._predict(first)
            self._statistics.update(block.mean_z, block.total_sd_z)
            yield block

    def for_images(self, bold: Encoding, total_sd: Encoding) -> Iterator[ImageBlock]:
        """The same blocks; the images make numbers of their standardised values."""
        for block in self:
            yield ImageBlock(block.mean_z, block.total_sd_z)

    def _predict(self, first: int) -> PredictionBlock:
        described, padded = self._described(first)
        drawn = self._predict_volumes(padded)
        novelty, score = self._network.novelty, self._score(described)
        widening = np.asarray(novelty.widening(score))
        mean_z, total_sd_z, parcel_variance = self._render(drawn, described.evidence, widening)
        averaging, factor = self._maps.averaging, self._maps.parcel_factor
        shown = shown_volumes(len(self._onsets_s), first, len(described.latest))
        for name, value in (
            ("novelty", novelty.percentile(score)),
            ("features", described.latest[shown]),
            ("mean", (averaging @ mean_z.T).T),
            ("sd", factor * np.sqrt(parcel_variance)),
        ):
            self._kept[name].append(np.asarray(value))
        return PredictionBlock(first, mean_z, total_sd_z)

    def _described(self, first: int) -> tuple[Described, Float[np.ndarray, "volumes channels bins windows"]]:
        """A block of volumes, and the windows before them."""
        onsets_s = self._onsets_s[first : first + self._volumes_per_block]
        windows, recorded = self._spectra.before(onsets_s, self._network.n_windows)
        # The last block is filled up, so that one compiled shape serves all.
        padding = [(0, self._volumes_per_block - len(onsets_s))] + [(0, 0)] * 3
        return describe(self._spectra, windows, recorded), np.pad(windows, padding)

    def _score(self, described: Described) -> Array:
        features, evidence = jnp.asarray(described.features), jnp.asarray(described.evidence)
        return self._network.novelty.score(features, as_description(self._spectra.profile), evidence)

    def forecast_parcels(self, lying: Overlap) -> ParcelForecast:
        """Means over any parcels, with what is needed to draw them; no block need be asked for before."""
        parts = []
        for first in range(0, len(self._onsets_s), self._volumes_per_block):
            described, padded = self._described(first)
            members, stated = self._predict_volumes.members(padded)
            widening = np.asarray(self._network.novelty.widening(self._score(described)))
            drawn = summarised(members, stated)
            parts.append(block_of_parcels(self._maps, lying, drawn, members, described.evidence, widening))
        return joined_parcels(parts)

    def _render(
        self, drawn: Drawn, evidence: Float[np.ndarray, " volumes"], widening: Float[np.ndarray, " volumes"]
    ) -> tuple[np.ndarray, np.ndarray, Float[np.ndarray, "volumes parcels"]]:
        """Mean and total sd at the output's voxels, and the variance averaged over each parcel; in steps of voxels."""
        maps, count = self._maps, len(evidence)
        mean_z, total_sd_z = (np.empty((count, maps.n_voxels), np.float32) for _ in range(2))
        parcel_variance = np.zeros((count, maps.averaging.shape[0]), np.float32)
        by_voxel = maps.averaging.T.tocsr()
        squared = np.square(widening)[:, None]
        for start in range(0, maps.n_voxels, VOXELS_PER_STEP):
            voxels = slice(start, start + VOXELS_PER_STEP)
            mean, stated, epistemic = drawn.carried(maps.interpolation[voxels], count)
            aleatoric = aleatoric_variance(mean, maps.residual_sd[voxels] ** 2 * stated, evidence)
            parcel_variance += squared * ((aleatoric + epistemic) @ by_voxel[voxels])
            scale = squared * maps.voxel_factor[voxels] ** 2
            mean_z[:, voxels] = mean
            total_sd_z[:, voxels] = np.sqrt(scale * (aleatoric + epistemic))
            self._aleatoric[voxels] += (scale * aleatoric).sum(axis=0)
            self._epistemic[voxels] += (scale * epistemic).sum(axis=0)
        return mean_z, total_sd_z, parcel_variance

    def features(self) -> Iterator[Float[np.ndarray, "volumes channels bands"]]:
        """Amplitudes in the window just before each volume, block by block, made anew: long series are not kept."""
        for first in range(0, len(self._onsets_s), self._volumes_per_block):
            yield self._described(first)[0].latest

    def summary(self) -> PredictionSummary:
        """What is known once every block was yielded."""
        n_volumes = len(self._onsets_s)
        kept = {name: np.concatenate(parts) for name, parts in self._kept.items()}
        return PredictionSummary(
            aleatoric_sd_z=np.sqrt(self._aleatoric / n_volumes).astype(np.float32),
            epistemic_sd_z=np.sqrt(self._epistemic / n_volumes).astype(np.float32),
            novelty=kept["novelty"],
            parcel_mean_z=kept["mean"],
            parcel_sd_z=kept["sd"],
            features_z=kept["features"],
            bands_hz=self._spectra.bands.edges_hz,
            cap=self._spectra.cap,
            epistemic_estimated=self._network.stochastic,
        )

    def statistics(self) -> SeriesStatistics:
        """Statistics of the volumes over time, once every block was yielded."""
        return self._statistics.finish()


@lru_cache(maxsize=4)
def _compiled_forward(graph: nnx.GraphDef[Calhas2022], streams: PyTreeDef, rest: PyTreeDef) -> Forward:
    """One draw of a network of this structure: volumes and what the aleatoric head states, flattened."""

    @jax.jit
    def forward(stream_leaves: list[Array], leaves: list[Array], windows: Array) -> tuple[Array, Array | None]:
        gain, weights = jax.tree.unflatten(rest, leaves)
        mean, sd = nnx.merge(graph, jax.tree.unflatten(streams, stream_leaves), *weights).predict(windows)
        return gain * mean.reshape(len(mean), -1), None if sd is None else sd.reshape(len(sd), -1)

    return forward


def _seeded(streams: nnx.State, draw: int) -> nnx.State:
    """Random streams of one draw, at their beginning."""

    def seeded(leaf: Array) -> Array:
        is_key = jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)
        return jax.random.key(draw) if is_key else jnp.zeros_like(leaf)

    return jax.tree.map(seeded, streams)
