"""Which electrode, frequency and lag the predicted fluctuation of a region comes from, for ``calhas2022``.

Twice: by integrated gradients from the recording's mean spectra, where nothing fluctuates, and by layer-wise relevance
propagation (:mod:`.lrp_calhas2022`), which explains the whole output, its constants included, and holds attention
constant. Both are summed over bands and weighted as :class:`.relevance.Relevance` says.
"""

from __future__ import annotations

from functools import partial
from math import prod
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Bool, Float

from ..eeg.spectra import BANDS_HZ
from ..network.calhas2022.network import Calhas2022, Eeg
from ..network.calhas2022.trained import TrainedCalhas2022
from ..synthesis.cap_spectra import CapSpectra
from .integrated_gradients import integrated_gradients
from .lrp_calhas2022 import RuleName, explain_features
from .relevance import BandsHz, ElectrodeGraph, Explanation, Method, Relevance, variance_weights

# Explaining a volume takes a few hundred times as long as predicting it: some stand for all.
MAX_VOLUMES = 24
_VOLUMES_PER_BLOCK = 8
# Fewer than one volume needs for itself: what is left of each volume's error averages out.
_N_STEPS = 12


class _Sums(NamedTuple):
    """Relevance and attention summed over the volumes of a block."""

    gradients: Float[Array, "regions channels bins windows"]
    propagated: Float[Array, "regions channels bins windows"]
    biases: Float[Array, " regions"]
    attention: Float[Array, "channels channels"] | None
    of_attention: Float[Array, "regions channels channels"] | None


def explain_calhas2022(
    trained: TrainedCalhas2022,
    spectra: CapSpectra,
    region_weights: Float[np.ndarray, "regions voxels"],
    regions: tuple[str, ...],
    volume_onsets_s: Float[np.ndarray, " volumes"],
    rule: RuleName = "epsilon",
) -> Explanation:
    """Explain the prediction of some regions.

    Parameters
    ----------
    trained, spectra
        The network, and the recording's spectra on its cap.
    region_weights, regions
        Weights of the voxels of the network's own volume (flattened in C order) that make each region, which may be
        any set of voxels, and the regions' names.
    volume_onsets_s
        When the volumes start; of more than 24 with a complete history, evenly spaced ones are explained.
    rule
        Of the propagation: ``"upstream"`` for that of the published package.
    """
    network = _in_evaluation(trained.network)
    # What has no EEG before it is not explained by EEG.
    complete = volume_onsets_s >= trained.facts.tr_s * trained.n_windows
    volume_onsets_s = volume_onsets_s[complete] if complete.any() else volume_onsets_s
    count = min(MAX_VOLUMES, len(volume_onsets_s))
    onsets_s = volume_onsets_s[np.linspace(0, len(volume_onsets_s) - 1, count).round().astype(int)]
    windows, recorded = spectra.before(onsets_s, trained.n_windows)
    weights = jnp.asarray(region_weights)
    explain = partial(_explain_block, network, weights, jnp.asarray(_mean_window(windows, recorded)), rule=rule)
    missing = -count % _VOLUMES_PER_BLOCK
    padded = jnp.asarray(np.pad(windows, ((0, missing), *[(0, 0)] * 3)))
    blocks = [padded[first : first + _VOLUMES_PER_BLOCK] for first in range(0, len(padded), _VOLUMES_PER_BLOCK)]
    predicted = np.concatenate([np.asarray(_predict(network, weights, block)) for block in blocks])[:count]
    shares = jnp.pad(jnp.asarray(variance_weights(predicted.T)), ((0, 0), (0, missing)))
    counted = jnp.where(jnp.arange(len(padded)) < count, 1 / count, 0)
    parts = [
        explain(block, share, weight)
        for block, share, weight in zip(
            blocks, jnp.split(shares, len(blocks), axis=1), jnp.split(counted, len(blocks)), strict=True
        )
    ]
    sums: _Sums = jax.tree.map(lambda *each: np.sum(each, axis=0), *parts)
    return _described(trained, spectra, regions, sums, count)


def _described(
    trained: TrainedCalhas2022, spectra: CapSpectra, regions: tuple[str, ...], sums: _Sums, n_volumes: int
) -> Explanation:
    names, directions = spectra.cap.channel_names, spectra.cap.directions
    bands_hz, membership = _bands(trained)

    def relevance(method: Method, by_bin: np.ndarray, unassigned: np.ndarray) -> Relevance:
        # The last window is the one just before the volume.
        by_band = np.einsum("rcft,fb->rcbt", by_bin, membership)[..., ::-1]
        lag_edges_s = trained.facts.tr_s * np.arange(trained.n_windows + 1)
        return Relevance(method, by_band, unassigned, regions, names, directions, bands_hz, lag_edges_s, n_volumes)

    graph = None
    if sums.attention is not None and sums.of_attention is not None:
        graph = ElectrodeGraph(names, directions, np.asarray(sums.attention), np.asarray(sums.of_attention))
    return Explanation(
        relevance("integrated gradients", np.asarray(sums.gradients), np.zeros(len(regions), np.float32)),
        relevance("layer-wise relevance propagation", np.asarray(sums.propagated), np.asarray(sums.biases)),
        graph,
    )


class RegionDecoder:
    """The decoder and the regions' means as one layer, from the styled features on.

    Parameters
    ----------
    network
        In evaluation mode.
    region_weights
        Weights of the voxels that make each region.
    """

    def __init__(self, network: Calhas2022, region_weights: Float[Array, "regions voxels"]) -> None:
        self._decoder, self._weights = network.decoder, region_weights
        variational = network.config.variational_idct
        self._matrix: Float[Array, "regions features"] | None = None
        if variational is None or not variational.dependent:
            # Affine: large layers need not be gone through again and again.
            self._offset, pull = jax.vjp(self._means, jnp.zeros((1, prod(network.config.latent_shape))))
            self._matrix = jax.vmap(lambda one: pull(one[None])[0][0])(jnp.eye(len(region_weights)))

    def __call__(self, styled: Float[Array, "batch features"]) -> Float[Array, "batch regions"]:
        """The regions' means."""
        return self._means(styled) if self._matrix is None else styled @ self._matrix.T + self._offset

    def contributions(self, styled: Float[Array, "batch features"]) -> Float[Array, "regions batch features"]:
        """What each feature contributes to each region's mean, offsets aside."""
        if self._matrix is not None:
            return self._matrix[:, None] * styled
        _, pull = jax.vjp(self._means, styled)
        regions = jnp.eye(len(self._weights))[:, None]
        slopes = jax.vmap(lambda one: pull(jnp.broadcast_to(one, (len(styled), one.shape[1])))[0])(regions)
        return slopes * styled

    def _means(self, styled: Float[Array, "batch features"]) -> Float[Array, "batch regions"]:
        decoder = self._decoder
        volumes = decoder.to_voxels(decoder.low_resolution(styled))
        volumes = volumes if decoder.filter is None else decoder.filter(volumes)
        return volumes.reshape(len(volumes), -1) @ self._weights.T


def styled_features(network: Calhas2022, eeg: Eeg) -> Float[Array, "batch features"]:
    """What the decoder makes volumes of."""
    latent, scores = network.eeg_encoder(eeg)
    return network.decoder.styled(network.decoder.features(latent.reshape(len(latent), -1)), scores)


@nnx.jit
def _predict(network: Calhas2022, weights: Float[Array, "regions voxels"], windows: Eeg) -> Float[Array, "v regions"]:
    return RegionDecoder(network, weights)(styled_features(network, windows))


@nnx.jit(static_argnames="rule")
def _explain_block(
    network: Calhas2022,
    weights: Float[Array, "regions voxels"],
    baseline: Float[Array, "channels bins windows"],
    windows: Eeg,
    shares: Float[Array, "regions volumes"],
    counted: Float[Array, " volumes"],
    *,
    rule: RuleName,
) -> _Sums:
    decode = RegionDecoder(network, weights)
    gradients = integrated_gradients(lambda eeg: decode(styled_features(network, eeg)), windows, baseline, _N_STEPS)
    styled = styled_features(network, windows)
    predicted = decode(styled)

    def propagate(contributions: Array, output: Array, share: Array) -> tuple[Array, Array, Array | None]:
        found = explain_features(network, windows, contributions, rule)
        biases = (output - found.eeg.sum(axis=(1, 2, 3))) @ share
        of_attention = None if found.scores is None else jnp.einsum("vcd,v->cd", found.scores, share)
        return jnp.einsum("vcft,v->cft", found.eeg, share), biases, of_attention

    propagated, biases, of_attention = jax.vmap(propagate)(decode.contributions(styled), predicted.T, shares)
    _, scores = network.eeg_encoder.attend(windows)
    return _Sums(
        jnp.einsum("rvcft,rv->rcft", gradients, shares),
        propagated,
        biases,
        None if scores is None else jnp.einsum("vcd,v->cd", scores, counted),
        of_attention,
    )


def _in_evaluation(network: Calhas2022) -> Calhas2022:
    """The same arrays in a structure of its own, whose mode can be set."""
    copy = nnx.merge(*nnx.split(network))
    copy.eval()
    return copy


def _mean_window(
    windows: Float[np.ndarray, "volumes channels bins windows"], recorded: Bool[np.ndarray, "volumes windows"]
) -> Float[np.ndarray, "channels bins windows"]:
    """Mean spectrum of the recorded windows, in every window."""
    mean = np.einsum("vcft,vt->cf", windows, recorded) / max(recorded.sum(), 1)
    return np.repeat(mean[:, :, None], windows.shape[3], axis=2).astype(np.float32)


def _bands(trained: TrainedCalhas2022) -> tuple[BandsHz, Float[np.ndarray, "bins bands"]]:
    """The usual bands and what the bins hold below and above them, and which bin belongs where."""
    bins_hz = np.arange(1, trained.n_bins + 1) / trained.facts.tr_s
    highest_hz = float(bins_hz[-1] + bins_hz[0])
    bands = ((0.0, BANDS_HZ[0][0]), *BANDS_HZ, (BANDS_HZ[-1][1], max(highest_hz, BANDS_HZ[-1][1])))
    inside = np.stack([(bins_hz >= low) & (bins_hz < high) for low, high in bands], axis=1)
    held = np.flatnonzero(inside.any(axis=0))
    return tuple(bands[band] for band in held), inside[:, held].astype(np.float32)
