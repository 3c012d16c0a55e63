"""From slow states to the BOLD signal at any MNI coordinates."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from jaxtyping import Float, Int
from scipy import signal

from ..bold.atlas import load_atlas
from ..bold.grid import CSF, WHITE_MATTER, Grid, grey_fraction
from ..bold.haemodynamics import HRF_LENGTH_S, balloon_bold, hrf
from .choices import Haemodynamics
from .person import BoldNoise, PersonSpec
from .slow import slow_noise, smooth_field
from .sources import STEP_S, SourceActivity

PATCH_FWHM_MM = 12.0

_AR_STEP_S = 2.0
_BALLOON_STEP_S = 0.1
# Input per unit state: larger ones would stop the inflow of blood at -2 sd.
_BALLOON_DRIVE = 0.25
_NEAR = 0.3
_CHUNK = 8192
_BASELINES = {CSF: 1200.0, WHITE_MATTER: 850.0}
_GREY_BASELINE = 1000.0
_SPIKE_LENGTH_S = 4.0
# Voxels of white matter and CSF keep a little of their neighbourhood's signal: partial volumes.
_LEAST_GREY = 0.05


def simulate_bold(
    activity: SourceActivity,
    spec: PersonSpec,
    coordinates_mm: Float[np.ndarray, "voxels 3"],
    tr_s: float,
    n_volumes: int,
    rng: np.random.Generator,
    *,
    first_volume_onset_s: float = 0.0,
    haemodynamics: Haemodynamics = "linear",
) -> tuple[Float[np.ndarray, "volumes voxels"], Float[np.ndarray, "volumes voxels"]]:
    """BOLD of a recording in per cent of the baseline, without and with noise.

    The sources' states are convolved with their haemodynamic responses, spread over patches of 12 mm and weighted by
    the template's grey-matter fraction. A volume stands for the instant of its onset.

    Parameters
    ----------
    activity, spec
        What the sources do, and the person they belong to.
    coordinates_mm
        MNI coordinates of the voxels.
    tr_s, n_volumes, first_volume_onset_s
        When the volumes are taken, in EEG seconds.
    rng
        Source of randomness of the noise.
    haemodynamics
        ``"linear"`` (double-gamma responses with the person's peaks, widths and undershoots) or ``"balloon"``.

    Returns
    -------
    truth
        Noise-free float32 signal.
    noisy
        The same with regional and voxel noise, drifts, a global signal and spikes.
    """
    times = first_volume_onset_s + tr_s * np.arange(n_volumes)
    responses = at_times(_responses(activity, spec, haemodynamics), activity.state_times_s, times)
    regional = _regional_noise(spec.bold_noise, tr_s, n_volumes, rng)[spec.parcels]
    of_sources = np.concatenate([responses.T, regional.T])
    truth = np.empty((n_volumes, len(coordinates_mm)), np.float32)
    noisy = np.empty_like(truth)
    for start in range(0, len(coordinates_mm), _CHUNK):
        chunk = slice(start, start + _CHUNK)
        both = of_sources @ _patches(spec, coordinates_mm[chunk]).T
        truth[:, chunk] = both[:n_volumes]
        np.add(both[:n_volumes], both[n_volumes:], out=noisy[:, chunk])
    _add_voxel_noise(noisy, spec.bold_noise, tr_s, rng)
    _add_common_noise(noisy, spec.bold_noise, coordinates_mm, tr_s, rng)
    return truth, noisy


def mean_image(spec: PersonSpec, grid: Grid) -> Float[np.ndarray, " voxels"]:
    """Baseline of the person's BOLD: bright CSF, darker white matter and a smooth receive field."""
    baseline = np.full(len(grid.tissue), _GREY_BASELINE)
    for tissue, value in _BASELINES.items():
        baseline[grid.tissue == tissue] = value
    field = smooth_field(grid.coordinates_mm, 60.0, 1, np.random.default_rng([0xB01D, spec.seed]))[:, 0]
    return (baseline * np.exp(0.08 * field)).astype(np.float32)


def _responses(
    activity: SourceActivity, spec: PersonSpec, haemodynamics: Haemodynamics
) -> Float[np.ndarray, "sources steps"]:
    """Haemodynamic response of every source's surroundings in per cent, every ``STEP_S``."""
    if haemodynamics == "linear":
        kernels = _kernels(spec)
        responses = signal.fftconvolve(activity.states, kernels, axes=1)[:, : activity.states.shape[1]]
    else:
        repeats = round(STEP_S / _BALLOON_STEP_S)
        inputs = _BALLOON_DRIVE * np.repeat(activity.states, repeats, axis=1)
        settled = balloon_bold(np.full((1, 1000), 0.01), _BALLOON_STEP_S)[0, -1] / 0.01
        responses = balloon_bold(inputs, _BALLOON_STEP_S)[:, ::repeats] / (_BALLOON_DRIVE * settled)
    return (spec.bold_percent[:, None] * responses).astype(np.float32)


def _kernels(spec: PersonSpec) -> Float[np.ndarray, "sources steps"]:
    """Every source's double-gamma response; the mean of a faster and a slower one is wider."""
    times_s = STEP_S * np.arange(int(HRF_LENGTH_S / STEP_S))
    peaks_s = spec.hrf_peak_s * (1 + np.stack([-spec.hrf_spread, spec.hrf_spread]))
    responses = hrf(times_s, peaks_s[..., None], spec.hrf_undershoot[:, None])
    return (STEP_S * responses.mean(axis=0)).astype(np.float32)


def _patches(spec: PersonSpec, coordinates_mm: Float[np.ndarray, "voxels 3"]) -> Float[np.ndarray, "voxels sources"]:
    """Weights of the sources' neighbourhoods: an average near sources, fading to nothing far from any."""
    voxels, sources = coordinates_mm.astype(np.float32), spec.coordinates_mm
    # In place from the squared distance on: this is the largest array of the simulation.
    kernel = (voxels**2).sum(1)[:, None] + (sources**2).sum(1)[None]
    kernel -= 2 * voxels @ sources.T
    np.maximum(kernel, 0, out=kernel)
    kernel *= np.float32(-4 * np.log(2) / PATCH_FWHM_MM**2)
    np.exp(kernel, out=kernel)
    grey = np.maximum(grey_fraction(coordinates_mm), _LEAST_GREY)
    kernel *= (grey / np.maximum(kernel.sum(1), _NEAR))[:, None].astype(np.float32)
    return kernel


def at_times(
    series: Float[np.ndarray, "series steps"],
    series_times_s: Float[np.ndarray, " steps"],
    times_s: Float[np.ndarray, " times"],
) -> Float[np.ndarray, "series times"]:
    """Slow series interpolated to the given times."""
    place = np.clip((times_s - series_times_s[0]) / STEP_S, 0, series.shape[1] - 1.001)
    before: Int[np.ndarray, " times"] = place.astype(int)
    fraction = (place - before).astype(np.float32)
    return series[:, before] * (1 - fraction) + series[:, before + 1] * fraction


def _ar_noise(
    n_series: int, n_volumes: int, ar: float, tr_s: float, rng: np.random.Generator
) -> Float[np.ndarray, "volumes series"]:
    """Unit-variance first-order autoregressive noise; ``ar`` is the correlation at 2 s."""
    decay = ar ** (tr_s / _AR_STEP_S)
    innovations = rng.standard_normal((n_volumes, n_series), np.float32)
    innovations[1:] *= np.float32(np.sqrt(1 - decay**2))
    for before, now in pairwise(innovations):
        now += np.float32(decay) * before
    return innovations


def _regional_noise(
    noise: BoldNoise, tr_s: float, n_volumes: int, rng: np.random.Generator
) -> Float[np.ndarray, "parcels volumes"]:
    n_parcels = len(load_atlas())
    return noise.regional_percent * _ar_noise(n_parcels, n_volumes, noise.regional_ar, tr_s, rng).T


def _add_voxel_noise(
    bold: Float[np.ndarray, "volumes voxels"], noise: BoldNoise, tr_s: float, rng: np.random.Generator
) -> None:
    for start in range(0, bold.shape[1], _CHUNK):
        part = bold[:, start : start + _CHUNK]
        part += noise.voxel_percent * _ar_noise(part.shape[1], len(bold), noise.voxel_ar, tr_s, rng)


def _add_common_noise(
    bold: Float[np.ndarray, "volumes voxels"],
    noise: BoldNoise,
    coordinates_mm: Float[np.ndarray, "voxels 3"],
    tr_s: float,
    rng: np.random.Generator,
) -> None:
    """A global signal, smooth drifts and motion-like spikes, which all cover the brain."""
    n_volumes = len(bold)
    fields = smooth_field(coordinates_mm, 50.0, 4, rng)
    drifts = noise.drift_percent * slow_noise(2, n_volumes, tr_s, 0.004, rng, band_hz=(0.0009, 0.008))
    courses = [noise.global_percent * slow_noise(1, n_volumes, tr_s, 0.08, rng)[0], *drifts]
    maps = [1 + 0.3 * fields[:, 0], fields[:, 1], fields[:, 2]]
    spikes = np.zeros(n_volumes)
    for _ in range(rng.poisson(noise.spikes_per_min * n_volumes * tr_s / 60)):
        since = tr_s * np.arange(n_volumes) - rng.uniform(0, n_volumes * tr_s)
        spikes += noise.spike_percent * rng.normal() * (since >= 0) * np.exp(-np.maximum(since, 0) / _SPIKE_LENGTH_S)
    bold += np.column_stack([*courses, spikes]).astype(np.float32) @ np.stack([*maps, fields[:, 3]]).astype(np.float32)
