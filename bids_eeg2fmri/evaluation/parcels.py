"""Scores of the parcels' series, which are short enough to be kept whole."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Bool, Float

from .connectivity import connectivity_similarity
from .intervals import covered
from .scores import crps_gaussian, r_squared, temporal_correlation
from .spectrum import spectral_overlap


def parcel_scores(
    predicted: Float[np.ndarray, "volumes parcels"],
    observed: Float[np.ndarray, "volumes parcels"],
    tr_s: float,
    *,
    sd: Float[np.ndarray, "volumes parcels"] | None = None,
    valid: Bool[np.ndarray, " parcels"] | None = None,
    widths: Mapping[str, float] | None = None,
    truth: Float[np.ndarray, "volumes parcels"] | None = None,
) -> dict[str, float]:
    """Every score of the parcels, averaged over the valid ones.

    Parameters
    ----------
    predicted, sd
        The forecast and its sd, in z averaged over each parcel.
    observed
        The scanner's series, same units.
    tr_s
        Repetition time.
    valid
        Parcels that have a signal; all by default.
    widths
        Calibrated half-widths of the parcels' intervals (see :func:`.intervals.half_widths`).
    truth
        The noise-free series of a phantom, in any units.
    """
    valid = np.ones(observed.shape[1], bool) if valid is None else np.asarray(valid, bool)
    names = ["parcel_r", "parcel_r2", "fc_r", "spectral_overlap"] + ([] if truth is None else ["parcel_r_truth"])
    if not valid.any() or len(observed) < 2:
        return dict.fromkeys(names, float("nan"))
    predicted, observed = predicted[:, valid], observed[:, valid]
    scores = {
        "parcel_r": float(temporal_correlation(predicted, observed).mean()),
        "parcel_r2": r_squared(predicted, observed),
        "fc_r": connectivity_similarity(predicted, observed),
        "spectral_overlap": spectral_overlap(predicted, observed, tr_s),
    }
    if truth is not None:
        scores["parcel_r_truth"] = float(temporal_correlation(predicted, truth[:, valid]).mean())
    if sd is not None:
        sd = sd[:, valid]
        climatology = crps_gaussian(observed.mean(axis=0), observed.std(axis=0), observed).mean()
        crps = crps_gaussian(predicted, sd, observed).mean()
        scores["parcel_coverage_90"] = float(covered(predicted, sd, observed, widths)["0.9"].mean())
        scores["parcel_crps_ratio"] = float(crps / climatology) if climatology > 0 else float("nan")
    return scores
