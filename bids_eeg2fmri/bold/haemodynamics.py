"""From neural activity to BOLD: the double-gamma response and the Balloon-Windkessel model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy import stats

RESPONSE_SHAPE, UNDERSHOOT_SHAPE, UNDERSHOOT_RATIO = 6.0, 16.0, 1 / 6
CANONICAL_PEAK_S = 5.0
HRF_LENGTH_S = 32.0


def hrf(
    times_s: Float[np.ndarray, "*times"],
    peak_s: float | Float[np.ndarray, "*times"] = CANONICAL_PEAK_S,
    undershoot_ratio: float | Float[np.ndarray, "*times"] = UNDERSHOOT_RATIO,
) -> Float[np.ndarray, "*times"]:
    """Double-gamma haemodynamic response (shapes 6 and 16), stretched in time so that it peaks at ``peak_s``.

    Parameters
    ----------
    times_s
        Seconds after the neural event; the response is zero before it.
    peak_s
        Time of the peak in seconds; broadcasts against ``times_s``.
    undershoot_ratio
        Area of the undershoot over that of the response; broadcasts against ``times_s``.

    Returns
    -------
    ndarray
        Response per second, of unit area: a constant input of 1 ends at 1.

    References
    ----------
    G. H. Glover, NeuroImage 9 (1999) 416-429.
    """
    stretch = CANONICAL_PEAK_S / peak_s
    times = np.asarray(times_s) * stretch
    response = stats.gamma.pdf(times, RESPONSE_SHAPE) - undershoot_ratio * stats.gamma.pdf(times, UNDERSHOOT_SHAPE)
    return stretch * response / (1 - undershoot_ratio)


def convolve_hrf(
    states: Float[np.ndarray, "states times"],
    step_s: float,
    peak_s: float | Float[np.ndarray, " states"] = CANONICAL_PEAK_S,
) -> Float[np.ndarray, "states times"]:
    """States convolved with the response, each with its own peak; zero before the first sample.

    Parameters
    ----------
    states
        Neural states on a regular time axis.
    step_s
        Spacing of that axis in seconds.
    peak_s
        Peak of every state's response, or one for all.
    """
    length = states.shape[1]
    times = step_s * np.arange(min(length, int(np.ceil(HRF_LENGTH_S / step_s))))
    kernels = step_s * hrf(times[None, :], np.broadcast_to(peak_s, (len(states),))[:, None])
    padded = length + len(times) - 1
    spectrum = np.fft.rfft(states, padded, axis=1) * np.fft.rfft(kernels, padded, axis=1)
    return np.fft.irfft(spectrum, padded, axis=1)[:, :length].astype(states.dtype)


@dataclass(frozen=True)
class Balloon:
    """Constants of the Balloon-Windkessel model (rates are per second).

    Attributes
    ----------
    signal_decay_per_s, feedback_per_s
        kappa and gamma of the vasodilatory signal.
    transit_time_s
        tau, the mean time that blood stays in the venous balloon.
    stiffness
        alpha, Grubb's exponent.
    resting_extraction
        rho, the resting oxygen extraction fraction.
    efficacy_per_s2
        Gain of the neural input.
    resting_volume
        Resting venous volume fraction.

    References
    ----------
    K. J. Friston, L. Harrison and W. Penny, NeuroImage 19 (2003) 1273-1302.
    """

    signal_decay_per_s: float = 0.65
    feedback_per_s: float = 0.41
    transit_time_s: float = 0.98
    stiffness: float = 0.32
    resting_extraction: float = 0.34
    efficacy_per_s2: float = 0.54
    resting_volume: float = 0.02


def balloon_bold(
    states: Float[np.ndarray, "states times"], step_s: float, balloon: Balloon | None = None
) -> Float[np.ndarray, "states times"]:
    """BOLD signal change (fraction of the baseline) of neural states by the Balloon-Windkessel model.

    The four equations are integrated by classical Runge-Kutta from rest; ``step_s`` should be 0.1 s or less.

    Parameters
    ----------
    states
        Neural input, zero at rest, piecewise constant over a step.
    step_s
        Seconds between its samples.
    balloon
        The model's constants.
    """
    balloon = balloon or Balloon()
    physiology = np.stack([np.zeros(len(states)), *np.ones((3, len(states)))])
    bold = np.empty(states.shape)
    for sample in range(states.shape[1]):
        bold[:, sample] = _signal(physiology, balloon)
        physiology = _runge_kutta(physiology, states[:, sample], step_s, balloon)
    return bold


def _runge_kutta(
    physiology: Float[np.ndarray, "4 states"], neural: Float[np.ndarray, " states"], step_s: float, balloon: Balloon
) -> Float[np.ndarray, "4 states"]:
    first = _rates(physiology, neural, balloon)
    second = _rates(physiology + step_s / 2 * first, neural, balloon)
    third = _rates(physiology + step_s / 2 * second, neural, balloon)
    fourth = _rates(physiology + step_s * third, neural, balloon)
    return physiology + step_s / 6 * (first + 2 * second + 2 * third + fourth)


def _rates(
    physiology: Float[np.ndarray, "4 states"], neural: Float[np.ndarray, " states"], balloon: Balloon
) -> Float[np.ndarray, "4 states"]:
    """Rates of change of signal, inflow, venous volume and deoxyhaemoglobin."""
    signal, inflow, volume, deoxy = physiology
    # A strong negative input could drive the inflow below zero, where the equations mean nothing.
    inflow = np.maximum(inflow, 0.05)
    outflow = np.maximum(volume, 0.05) ** (1 / balloon.stiffness)
    extraction = 1 - (1 - balloon.resting_extraction) ** (1 / inflow)
    return np.stack(
        [
            balloon.efficacy_per_s2 * neural
            - balloon.signal_decay_per_s * signal
            - balloon.feedback_per_s * (inflow - 1),
            signal,
            (inflow - outflow) / balloon.transit_time_s,
            (inflow * extraction / balloon.resting_extraction - outflow * deoxy / volume) / balloon.transit_time_s,
        ]
    )


def _signal(physiology: Float[np.ndarray, "4 states"], balloon: Balloon) -> Float[np.ndarray, " states"]:
    _, _, volume, deoxy = physiology
    extraction = balloon.resting_extraction
    return balloon.resting_volume * (
        7 * extraction * (1 - deoxy) + 2 * (1 - deoxy / volume) + (2 * extraction - 0.2) * (1 - volume)
    )
