"""Factors on the predictive sd, from people that neither trained nor selected the network.

Quantiles are those of split conformal prediction, but its guarantee does not carry over: volumes of a recording are
correlated, and factors are averaged over people and drawn towards each other.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from scipy.stats import norm

LEVELS = (0.5, 0.8, 0.9, 0.95)
_ANCHOR = 0.9
# Shrinks a parcel's factor towards the factor of all parcels; in (pseudo-)people.
_PRIOR_PEOPLE = 4.0


def conformal_factor(standardised_error: Float[np.ndarray, " errors"], level: float = _ANCHOR) -> float:
    """What the sd must be multiplied with for the central interval at ``level`` to cover that share of errors.

    The quantile is the split-conformal one, ``ceil((n + 1) level) / n`` (Vovk et al. 2005).
    """
    n = len(standardised_error)
    rank = min(np.ceil((n + 1) * level) / n, 1.0)
    return float(np.quantile(np.abs(standardised_error), rank) / norm.ppf((1 + level) / 2))


def factors_by_parcel(
    standardised_errors: list[Float[np.ndarray, "volumes points"]], parcel: Int[np.ndarray, " points"], n_parcels: int
) -> Float[np.ndarray, " parcels"]:
    """One factor per parcel at the 90 % level, from one array of standardised errors per person.

    Factors of each person are averaged, so that no person counts for more because of a longer recording, and drawn
    towards the average over parcels by a prior worth a few people. Errors are NaN where there was nothing to predict.
    """
    per_person = np.full((len(standardised_errors), n_parcels), np.nan)
    for person, errors in enumerate(standardised_errors):
        for index in np.unique(parcel):
            known = _known(errors[:, parcel == index])
            if len(known):
                per_person[person, index] = conformal_factor(known)
    overall = np.nanmean(per_person)
    people = np.sum(~np.isnan(per_person), axis=0)
    total = np.nansum(per_person, axis=0)
    return ((total + _PRIOR_PEOPLE * overall) / (people + _PRIOR_PEOPLE)).astype(np.float32)


def level_multipliers(standardised_errors: list[Float[np.ndarray, "volumes points"]]) -> dict[str, float]:
    """Half-widths of the intervals in units of the calibrated sd, one per level (a Gaussian's would be 1.645 at .9)."""
    pooled = np.concatenate([_known(errors) for errors in standardised_errors])
    return {
        f"{level:g}": round(conformal_factor(pooled, level) * float(norm.ppf((1 + level) / 2)), 4) for level in LEVELS
    }


def _known(errors: Float[np.ndarray, "..."]) -> Float[np.ndarray, " errors"]:
    return errors[np.isfinite(errors)]


def coverage(standardised_error: Float[np.ndarray, "..."], multipliers: dict[str, float]) -> dict[str, float]:
    """Share of errors inside each interval."""
    return {level: float((np.abs(standardised_error) <= width).mean()) for level, width in multipliers.items()}
