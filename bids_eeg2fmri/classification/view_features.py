"""What classifiers see of synthetic BOLD: amplitudes and connectivity of recordings, responses to events."""

from __future__ import annotations

from itertools import combinations_with_replacement

import numpy as np
from jaxtyping import Float

from ..bold.atlas import NETWORKS, load_atlas
from ..bold.haemodynamics import HRF_LENGTH_S, hrf
from ..evaluation.people import fisher_z
from .view import View

AMPLITUDE, CONNECTIVITY, RESPONSE = "amplitude", "connectivity", "response"
_STEP_S = 0.1
# Share of the expected response that must lie within the recording.
_LEAST_COVERED = 0.6


def recording_names() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names and blocks of :func:`recording_features`."""
    pairs = [f"{one}-{other}" for one, other in combinations_with_replacement(NETWORKS, 2)]
    parcels = load_atlas().names
    return (*parcels, *pairs), (AMPLITUDE,) * len(parcels) + (CONNECTIVITY,) * len(pairs)


def recording_features(view: View, window_s: float) -> Float[np.ndarray, " features"]:
    """Logarithm of every parcel's sd over time, and mean correlation (Fisher z) within and between networks.

    Both depend on the length of what they are computed from. They are therefore computed in windows of one length,
    the same for all recordings, and averaged over the windows.

    Parameters
    ----------
    view
        The recording; volumes without a complete history are left out.
    window_s
        Length of a window, at most that of the recording.
    """
    series = view.complete_z
    length = min(round(window_s / view.tr_s), len(series))
    starts = range(0, len(series) - length + 1, length)
    with np.errstate(divide="ignore", invalid="ignore"):
        windows = np.stack([_of_window(series[start : start + length]) for start in starts])
    return np.where(np.isfinite(windows), windows, np.nan).mean(axis=0)


def _of_window(series: Float[np.ndarray, "volumes parcels"]) -> Float[np.ndarray, " features"]:
    z = fisher_z(np.corrcoef(series, rowvar=False))
    np.fill_diagonal(z, np.nan)
    networks = np.array(load_atlas().networks)
    means = [
        np.nanmean(z[np.ix_(networks == one, networks == other)])
        for one, other in combinations_with_replacement(NETWORKS, 2)
    ]
    return np.concatenate([np.log(series.std(axis=0, ddof=1)), means])


def event_features(view: View, onset_s: float, duration_s: float) -> Float[np.ndarray, " parcels"] | None:
    """Mean of every parcel over the volumes around an event, weighted by the BOLD response expected of it.

    ``None`` where less than :data:`_LEAST_COVERED` of the response lies within the recording.

    Parameters
    ----------
    view
        The recording.
    onset_s, duration_s
        The event, in seconds from the first volume.
    """
    times = view.volume_times_s - onset_s
    weights = np.maximum(_response(times, duration_s), 0.0)
    whole = np.maximum(_response(np.arange(0.0, duration_s + HRF_LENGTH_S, view.tr_s), duration_s), 0.0).sum()
    if whole <= 0 or weights.sum() < _LEAST_COVERED * whole:
        return None
    return weights @ view.series_z / weights.sum()


def _response(times_s: Float[np.ndarray, " times"], duration_s: float) -> Float[np.ndarray, " times"]:
    """Expected response of a boxcar, up to a factor."""
    during = np.arange(0.0, max(duration_s, _STEP_S), _STEP_S)
    return hrf(times_s[:, None] - during).mean(axis=1)
