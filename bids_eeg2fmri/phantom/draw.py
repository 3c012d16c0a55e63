"""Drawing a person from a seed."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int

from ..bold.atlas import Atlas, load_atlas
from ..bold.grid import GREY_MATTER, make_grid
from ..eeg.leadfield import CONDUCTIVITIES_S_PER_M, sources_in_sphere
from ..settings import OutputSpace
from .draw_noise import draw_bold_noise, draw_scalp_noise
from .networks import draw_mixing, draw_networks
from .person import BANDS, PersonSpec
from .slow import smooth_field

_SOURCES_PER_PARCEL = 3
_DELTA, _THETA, _ALPHA, _BETA, _GAMMA = range(len(BANDS))
# Change of log-amplitude per unit of slow state.
_MEAN_COUPLING = np.array([-0.05, 0.06, -0.38, -0.28, 0.28])
_HARDLY_COUPLED_SHARE = 0.06
_REGIONAL_SD = 0.3
_REVERSED_ABOVE = 2.0


def draw_person(seed: int, *, coupling: float = 1.0, in_scanner: bool | None = None) -> PersonSpec:
    """Draw a person.

    Parameters
    ----------
    seed
        The same seed gives the same person.
    coupling
        Factor on every modulation of EEG amplitude; 0 gives flat envelopes. Besides, people differ in how strongly
        their EEG is coupled to the slow states, and a few are hardly coupled at all.
    in_scanner
        Whether the EEG holds residual pulse and gradient artefacts; ``None`` tosses a coin.
    """
    rng = np.random.default_rng([0x9E37, seed])
    atlas = load_atlas()
    coordinates, parcels = _draw_sources(rng)
    n_networks = int(rng.integers(6, 19))
    weights, private = _draw_shares(atlas, parcels, n_networks, rng)
    network_coupling, private_coupling = _draw_coupling(n_networks, rng)
    alpha_hz = float(np.clip(rng.normal(10.0, 0.9), 8.0, 12.0))
    thalamic = np.array(["Thalamus" in name for name in atlas.names])[parcels]
    sign = np.ones((len(BANDS), len(parcels)), np.float32)
    sign[_ALPHA, thalamic] = -1.0
    return PersonSpec(
        seed=seed,
        coordinates_mm=coordinates,
        parcels=parcels,
        head_positions_m=sources_in_sphere(coordinates + 4.0 * smooth_field(coordinates, 45.0, 3, rng)),
        orientations=_draw_orientations(coordinates, rng),
        network_weights=weights,
        private_weights=private,
        network_mixing=draw_mixing(n_networks, rng),
        network_knee_hz=rng.uniform(0.015, 0.07, n_networks),
        private_knee_hz=rng.uniform(0.03, 0.08),
        network_coupling=network_coupling,
        private_coupling=private_coupling,
        coupling_sign=sign,
        coupling_scale=coupling,
        unrelated_sd=np.array([0.12, 0.12, 0.18, 0.12, 0.12]) * rng.uniform(0.6, 1.4, len(BANDS)),
        band_centre_hz=np.array([2.2, 5.8, alpha_hz, rng.uniform(15, 22), rng.uniform(36, 46)]),
        band_width_hz=np.array([0.8, 1.0, rng.uniform(0.6, 1.4), rng.uniform(2.0, 3.8), 6.5]),
        band_rms=_draw_band_rms(atlas, parcels, coordinates, rng),
        background_rms=rng.uniform(0.6, 1.0),
        background_slope=rng.uniform(1.1, 2.3),
        source_rms_am=1.7e-9 * rng.lognormal(0.0, 0.35),
        coherence=rng.uniform(0.4, 0.65),
        hrf_peak_s=_draw_hrf_peaks(coordinates, rng),
        bold_percent=(0.9 * rng.lognormal(0.0, 0.15) * np.exp(0.25 * _field(coordinates, 25.0, rng))),
        task_drive=rng.uniform(0.6, 1.2, n_networks) * rng.choice([0, 0, 1, 1, -1], n_networks),
        conductivities=np.array(CONDUCTIVITIES_S_PER_M) * rng.lognormal(0.0, [0.1, 0.05, 0.4, 0.1]),
        scalp_noise=draw_scalp_noise(in_scanner, rng),
        bold_noise=draw_bold_noise(rng),
        coupling_strength=_draw_strength(rng),
        background_field=np.exp(0.6 * _field(coordinates, 35.0, rng) + 0.2 * _field(coordinates, 25.0, rng)),
        fast_sd=np.array([0.15, 0.15, 0.3, 0.15, 0.1]) * rng.uniform(0.5, 1.5, len(BANDS)),
        broadband_sd=(rng.uniform(0.04, 0.16), rng.uniform(0.1, 0.3)),
        regional_coupling=_draw_regional_coupling(coordinates, rng),
        hrf_undershoot=np.clip(rng.normal(0.17, 0.06) + 0.06 * _field(coordinates, 30.0, rng), 0.0, 0.4),
        hrf_spread=np.clip(rng.uniform(0.0, 0.25) + 0.08 * _field(coordinates, 30.0, rng), 0.0, 0.4),
    )


@lru_cache(maxsize=1)
def _grey_voxels() -> tuple[Float[np.ndarray, "voxels 3"], Int[np.ndarray, " voxels"]]:
    """Coordinates of the template's grey matter at 4 mm and the parcel (0-based) of each."""
    grid = make_grid(OutputSpace(resolution="4"))
    labels = load_atlas().labels_at(grid.coordinates_mm)
    grey = (grid.tissue == GREY_MATTER) & (labels > 0)
    # A parcel without grey voxels at this resolution keeps whatever brain it covers.
    lost = np.setdiff1d(np.arange(1, len(load_atlas()) + 1), labels[grey])
    keep = grey | np.isin(labels, lost)
    return grid.coordinates_mm[keep], labels[keep] - 1


def _draw_sources(rng: np.random.Generator) -> tuple[Float[np.ndarray, "sources 3"], Int[np.ndarray, " sources"]]:
    """Sources at random grey voxels of every parcel, up to 2 mm off the voxels' centres."""
    coordinates, labels = _grey_voxels()
    atlas = load_atlas()
    chosen = []
    for parcel, network in enumerate(atlas.networks):
        voxels = np.flatnonzero(labels == parcel)
        wanted = 1 if network == "Subcortical" else _SOURCES_PER_PARCEL
        chosen.append(rng.choice(voxels, min(wanted, len(voxels)), replace=False))
    index = np.concatenate(chosen)
    jitter = rng.uniform(-2, 2, (len(index), 3))
    return (coordinates[index] + jitter).astype(np.float32), labels[index]


def _draw_orientations(
    coordinates_mm: Float[np.ndarray, "sources 3"], rng: np.random.Generator
) -> Float[np.ndarray, "sources 3"]:
    """Smooth random directions with a tendency to point outwards, as gyral crowns do."""
    outward = sources_in_sphere(coordinates_mm)
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    vectors = 0.6 * outward + smooth_field(coordinates_mm, 14.0, 3, rng)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def _draw_shares(
    atlas: Atlas, parcels: Int[np.ndarray, " sources"], n_networks: int, rng: np.random.Generator
) -> tuple[Float[np.ndarray, "sources networks"], Float[np.ndarray, " sources"]]:
    """Shares of network and private states, such that every source's state has about unit variance."""
    loadings = draw_networks(atlas, n_networks, rng)
    visual = np.array([n == "Vis" for n in atlas.networks])
    leader = np.abs(loadings[visual]).sum(0).argmax()
    for parcel, name in enumerate(atlas.names):
        if "Thalamus" in name:
            # Its BOLD rises with the alpha rhythm, which falls with the visual cortex's state.
            loadings[parcel] = 0.0
            loadings[parcel, leader] = -1.0
    size = np.linalg.norm(loadings, axis=1, keepdims=True)
    share = rng.beta(6, rng.uniform(2.0, 5.0), (len(atlas), 1)) * (size > 0)
    weights = np.sqrt(share) * loadings / np.maximum(size, 1e-9)
    weights = weights[parcels] * rng.lognormal(0.0, 0.1, (len(parcels), 1))
    private = np.sqrt(np.maximum(1 - (weights**2).sum(1), 0.1))
    return weights.astype(np.float32), private.astype(np.float32)


def _draw_coupling(
    n_networks: int, rng: np.random.Generator
) -> tuple[Float[np.ndarray, "bands networks"], Float[np.ndarray, " bands"]]:
    person = _MEAN_COUPLING * rng.lognormal(0.0, 0.2, len(BANDS))
    coupling = person[:, None] * rng.lognormal(0.0, 0.25, (len(BANDS), n_networks))
    deviant = rng.random(coupling.shape) < 0.06
    return np.where(deviant, -0.5 * coupling, coupling), person


def _draw_strength(rng: np.random.Generator) -> float:
    strength, weak, coin = rng.lognormal(0.0, 0.2), rng.uniform(0.0, 0.5), rng.random()
    return weak if coin < _HARDLY_COUPLED_SHARE else strength


def _draw_regional_coupling(
    coordinates_mm: Float[np.ndarray, "sources 3"], rng: np.random.Generator
) -> Float[np.ndarray, "bands sources"]:
    """Strengths that vary smoothly, partly alike in all bands, and patches where a band's coupling is reversed."""
    common = smooth_field(coordinates_mm, 30.0, 1, rng)
    own = smooth_field(coordinates_mm, 25.0, len(BANDS), rng)
    strength = np.exp(_REGIONAL_SD * np.sqrt(0.5) * (common + own) - _REGIONAL_SD**2 / 2)
    reversed_here = smooth_field(coordinates_mm, 18.0, len(BANDS), rng) > _REVERSED_ABOVE
    return np.where(reversed_here, -0.6 * strength, strength).T.astype(np.float32)


def _field(
    coordinates_mm: Float[np.ndarray, "sources 3"], length_mm: float, rng: np.random.Generator
) -> Float[np.ndarray, " sources"]:
    return smooth_field(coordinates_mm, length_mm, 1, rng)[:, 0]


def _draw_band_rms(
    atlas: Atlas,
    parcels: Int[np.ndarray, " sources"],
    coordinates_mm: Float[np.ndarray, "sources 3"],
    rng: np.random.Generator,
) -> Float[np.ndarray, "sources bands"]:
    """Strength of the bands: alpha mostly posterior, beta mostly sensorimotor, theta a little frontal."""
    y = coordinates_mm[:, 1]
    motor = np.array([n == "SomMot" for n in atlas.networks])[parcels]
    posterior = 1 / (1 + np.exp((y + rng.uniform(40, 60)) / 12))
    rms = np.empty((len(parcels), len(BANDS)))
    rms[:, _DELTA] = 0.5
    rms[:, _THETA] = 0.5 + 0.2 / (1 + np.exp(-(y - 20) / 15))
    rms[:, _ALPHA] = 0.4 + rng.uniform(0.4, 1.6) * posterior + 0.3 * motor
    rms[:, _BETA] = 0.42 + 0.3 * motor
    rms[:, _GAMMA] = 0.17
    person = rng.lognormal(0.0, 0.2, len(BANDS))
    own = smooth_field(coordinates_mm, 30.0, len(BANDS), rng) * np.where(np.arange(len(BANDS)) == _ALPHA, 0.35, 0.55)
    return rms * person * np.exp(0.35 * smooth_field(coordinates_mm, 40.0, 1, rng) + own)


def _draw_hrf_peaks(
    coordinates_mm: Float[np.ndarray, "sources 3"], rng: np.random.Generator
) -> Float[np.ndarray, " sources"]:
    mean = rng.normal(5.3, 0.5)
    return np.clip(mean + 0.6 * _field(coordinates_mm, 30.0, rng), 4.0, 7.0)
