"""The scores of all test people, by recording, and what is read from them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.stats import rankdata

from bids_eeg2fmri.evaluation.intervals import LEVELS
from bids_eeg2fmri.evaluation.nulls import CrossSpectrum, admitted_shifts, swapped_people
from bids_eeg2fmri.evaluation.people import PeopleMean, mean_over_people

from .conditions import TR_S
from .scoring import Scores, level_90

N_SURROGATES = 2000
NULL_QUANTILE = 0.975


@dataclass(frozen=True)
class PeopleScores:
    """Scores of every person's recording under every condition.

    Attributes
    ----------
    people
        One mapping per person, from the label of a recording to its scores; refused recordings are missing.
    """

    people: Sequence[dict[str, Scores]]

    def of(self, label: str) -> list[Scores]:
        """Everybody's recordings of one kind."""
        return [person[label] for person in self.people if label in person]

    def r(self, label: str, predictor: str) -> PeopleMean:
        """Mean r over people with its 95 % confidence interval, in Fisher's z."""
        values = [scores.r[predictor] for scores in self.of(label) if predictor in scores.r]
        return mean_over_people(np.array(values or [np.nan]), correlation=True)

    def mean(self, label: str, read: Callable[[Scores], float]) -> float:
        """Mean over people; NaN without any."""
        return float(np.mean([read(scores) for scores in self.of(label)] or [np.nan]))

    def coverage(self, label: str) -> Float[np.ndarray, " levels"]:
        """Marginal coverage of the voxels' intervals."""
        return np.mean([scores.coverage for scores in self.of(label)] or [np.full(len(LEVELS), np.nan)], axis=0)

    def parcel_coverage(self, label: str) -> Float[np.ndarray, " levels"]:
        """Marginal coverage of the parcels' intervals."""
        return np.mean([scores.parcel_coverage for scores in self.of(label)] or [np.full(len(LEVELS), np.nan)], axis=0)

    def parcels_within(self, label: str, margin: float) -> float:
        """Share of the parcels whose voxels are covered as often as stated, within a margin; the worst level."""
        by_parcel = np.mean([scores.parcel_voxels for scores in self.of(label)] or [[[np.nan]]], axis=0)
        if not np.isfinite(by_parcel).all():
            return float("nan")
        return float((np.abs(by_parcel - np.array(LEVELS)[:, None]) <= margin).mean(axis=1).min())

    def worst_person(self, label: str) -> float:
        """Smallest coverage of the 90 % intervals of anybody's voxels."""
        return float(np.min([level_90(scores.coverage) for scores in self.of(label)] or [np.nan]))

    def sd_ratio(self, label: str, usual: str) -> PeopleMean:
        """The predictive sd over that of the same person's usual recording."""
        ratios = [person[label].sd / person[usual].sd for person in self.people if {label, usual} <= person.keys()]
        return mean_over_people(np.array(ratios or [np.nan]), correlation=False)

    def novelty_auc(self, label: str, usual: str) -> float:
        """How well novelty tells such recordings from the usual ones."""
        return auc(
            [scores.novelty for scores in self.of(usual)],
            [scores.novelty for scores in self.of(label)],
        )

    def null(self, label: str) -> tuple[float, float]:
        """What mean r chance alone exceeds once in 40: forecasts shifted around in time, and forecasts swapped."""
        series = [scores.series for scores in self.of(label) if scores.series is not None]
        predicted, truth = [pair[0] for pair in series], [pair[1] for pair in series]
        swapped = swapped_people(predicted, truth)
        return (
            float(np.quantile(shifted_means(predicted, truth), NULL_QUANTILE)) if series else float("nan"),
            float(np.quantile(swapped, NULL_QUANTILE)) if len(swapped) else float("nan"),
        )

    def refused(self, label: str) -> int:
        """Recordings that cleaning did not let pass."""
        return len(self.people) - len(self.of(label))


def auc(usual: Iterable[float], unusual: Iterable[float]) -> float:
    """Area under the ROC curve: how often an unusual value is above a usual one; ties count half.

    NaN without values.
    """
    low, high = np.fromiter(usual, float), np.fromiter(unusual, float)
    both = np.concatenate([low, high])
    if not (len(low) and len(high)) or np.isnan(both).any():
        return float("nan")
    above = rankdata(both)[len(low) :].sum() - len(high) * (len(high) + 1) / 2
    return float(above / (len(low) * len(high)))


def shifted_means(
    predicted: Sequence[Float[np.ndarray, "volumes parcels"]],
    truth: Sequence[Float[np.ndarray, "volumes parcels"]],
    seed: int = 0,
) -> Float[np.ndarray, " surrogates"]:
    """Mean r over people (Fisher's z) when everyone's forecast is moved around in time by 30 s or more."""
    rng = np.random.default_rng([0x5417, seed])
    surrogates = []
    for forecast, true in zip(predicted, truth, strict=True):
        shifts = admitted_shifts(len(true), TR_S)
        r = CrossSpectrum.of(forecast, true).mean().shifted(shifts)[:, 0]
        surrogates.append(np.arctanh(rng.choice(r, N_SURROGATES)))
    return np.tanh(np.mean(surrogates, axis=0))
