"""Scores of one test person: small enough to keep for everybody."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float

from bids_eeg2fmri.evaluation.baselines import EEG_SHUFFLED, EEG_ZEROED
from bids_eeg2fmri.evaluation.intervals import GAUSSIAN_WIDTHS, half_widths
from bids_eeg2fmri.evaluation.scores import crps_gaussian, temporal_correlation
from bids_eeg2fmri.learning.examples import Example, load_examples, sample_voxels
from bids_eeg2fmri.learning.predict import Predicted, Predictor
from bids_eeg2fmri.network.bundle import Bundle, load_bundle

from . import conditions as c
from .baselines import CEILING, Fitted
from .people import sources_path

MODEL = "model"
DEEP_OF_USUAL = "deep parcels of the usual recordings"
_WITH_SERIES = (c.UNMODULATED, c.DECOUPLED)
_LEVEL_90 = tuple(GAUSSIAN_WIDTHS).index("0.9")


@dataclass(frozen=True)
class Scores:
    """Scores of one recording.

    Attributes
    ----------
    r
        Mean correlation over time with the noise-free truth over parcels, by predictor.
    coverage
        Share of the voxels' noisy values inside the model's intervals, by level (50, 80, 90, 95 %).
    parcel_voxels
        The same over the voxels of each parcel.
    parcel_coverage
        Share of the parcels' noisy values inside theirs.
    crps, width
        Of the parcels, over those of the climatology: N(0, sd) with the sd of people who were not tested. The width is
        that of the 90 % interval.
    own_crps, own_width
        The same over N(mean, sd) of the person's own series, which nobody knows without a scan.
    ceiling_crps, ceiling_width
        The same of the predictor that knows the sources; NaN where it was not asked.
    sd
        Mean predictive sd of the voxels.
    novelty
        Median novelty score over volumes.
    series
        Predicted and true parcels where a null needs them.
    """

    r: dict[str, float]
    coverage: Float[np.ndarray, " levels"]
    parcel_voxels: Float[np.ndarray, "levels parcels"]
    parcel_coverage: Float[np.ndarray, " levels"]
    crps: float
    width: float
    own_crps: float
    own_width: float
    sd: float
    novelty: float
    ceiling_crps: float = float("nan")
    ceiling_width: float = float("nan")
    series: tuple[np.ndarray, np.ndarray] | None = field(default=None, repr=False)


def score_person(paths: dict[str, Path], model: str, fitted: Fitted) -> dict[str, Scores]:
    """Scores of every recording of one person, by label.

    Parameters
    ----------
    paths
        Files of the person's conditions.
    model
        Name or folder of the bundle.
    fitted
        The baselines.
    """
    bundle, predict = _loaded(model)
    scores: dict[str, Scores] = {}
    # Baselines that are the model itself, on EEG that knows nothing.
    other_r: dict[str, dict[str, float]] = {}
    for part, path in paths.items():
        for example in load_examples(path):
            predicted = predict(example)
            label, _, how = example.label.rpartition(", ")
            if how in (EEG_SHUFFLED, EEG_ZEROED):
                other_r.setdefault(label, {})[how] = mean_r(predicted.parcel_mean, example)
                continue
            sources = _sources(path) if example.label in _compared(part) else None
            scores[example.label] = score(example, predicted, bundle, fitted, sources)
            if example.label == c.on_cap(c.CAP):
                scores[DEEP_OF_USUAL] = score(example, predicted, bundle, fitted, parcels=c.deep_parcels())
    for label, values in other_r.items():
        scores[label].r.update(values)
    return scores


def _compared(part: str) -> tuple[str, ...]:
    """Labels of a condition's recordings that the baselines predict as well."""
    return (c.TRANSFER,) if part == c.TRANSFER else tuple(c.on_cap(cap) for cap in c.CAPS)


@lru_cache(maxsize=1)
def _loaded(model: str) -> tuple[Bundle, Predictor]:
    bundle = load_bundle(model)
    return bundle, Predictor(bundle.network)


@lru_cache(maxsize=1)
def _sources(path: Path) -> np.ndarray:
    return np.load(sources_path(path), allow_pickle=False)


def score(
    example: Example,
    predicted: Predicted,
    bundle: Bundle,
    fitted: Fitted,
    sources: np.ndarray | None = None,
    parcels: Bool[np.ndarray, " parcels"] | None = None,
) -> Scores:
    """Scores of one recording; beside the baselines where the oracle's ``sources`` are given.

    ``parcels`` restricts them to the voxels and parcels of a part of the brain; by default it is the deep one for
    :data:`~.conditions.DEEP`, which has no BOLD elsewhere.
    """
    everywhere = np.ones(example.parcel_targets.shape[1], bool)
    where = parcels if parcels is not None else c.deep_parcels() if example.label == c.DEEP else everywhere
    labels = sample_voxels()[1]
    # Voxels outside all parcels count where the whole brain does.
    voxels = np.concatenate([[where.all()], where])[labels]
    calibration = bundle.metadata["calibration"]
    error = np.abs(example.targets.astype(np.float32) - predicted.mean) / predicted.total_sd
    covered = inside(error, half_widths(calibration["voxels"]))
    observed = example.parcel_targets[:, where]
    mean, sd = predicted.parcel_mean[:, where], predicted.parcel_sd[:, where]
    widths = half_widths(calibration["parcels"])
    ceiling: dict[str, float] = {}
    r = {MODEL: mean_r(predicted.parcel_mean, example, where)}
    if sources is not None:
        r |= {name: mean_r(said, example) for name, said in fitted.forecasts(example, bundle.network.config).items()}
        known, known_sd = fitted.oracle(sources), np.broadcast_to(fitted.oracle.sd, observed.shape)
        r[CEILING] = mean_r(known, example)
        ceiling = dict(
            zip(
                ("ceiling_crps", "ceiling_width"),
                against_climatology(known, known_sd, observed, fitted.sd),
                strict=True,
            )
        )
    crps, width = against_climatology(mean, sd, observed, fitted.sd[where], widths["0.9"])
    own_crps, own_width = against_climatology(mean, sd, observed, observed.std(axis=0), widths["0.9"])
    return Scores(
        r=r,
        coverage=covered[:, voxels].mean(axis=1),
        parcel_voxels=over_parcels(covered, labels, len(where)),
        parcel_coverage=inside(np.abs(observed - mean) / sd, widths).mean(axis=1),
        crps=crps,
        width=width,
        own_crps=own_crps,
        own_width=own_width,
        sd=float(predicted.total_sd[:, voxels].mean()),
        novelty=float(np.median(predicted.novelty_score)),
        series=(predicted.parcel_mean, example.truth) if example.label in _WITH_SERIES else None,
        **ceiling,
    )


def mean_r(
    parcels: Float[np.ndarray, "volumes parcels"],
    example: Example,
    where: Bool[np.ndarray, " parcels"] | slice = slice(None),
) -> float:
    """Mean over parcels of the correlation over time with the noise-free truth."""
    return float(temporal_correlation(parcels[:, where], example.truth[:, where]).mean())


def inside(
    standardised_error: Float[np.ndarray, "volumes points"], widths: dict[str, float]
) -> Float[np.ndarray, "levels points"]:
    """Share of the volumes in which each point lies inside each interval."""
    return np.stack([(standardised_error <= width).mean(axis=0) for width in widths.values()])


def over_parcels(
    values: Float[np.ndarray, "levels voxels"], labels: np.ndarray, n_parcels: int
) -> Float[np.ndarray, "levels parcels"]:
    """Means over the voxels of every parcel (labels from 1)."""
    counts = np.bincount(labels, minlength=n_parcels + 1)[1:]
    return np.stack([np.bincount(labels, row, n_parcels + 1)[1:] / counts for row in values])


def against_climatology(
    mean: Float[np.ndarray, "volumes parcels"],
    sd: Float[np.ndarray, "volumes parcels"],
    observed: Float[np.ndarray, "volumes parcels"],
    usual_sd: Float[np.ndarray, " parcels"],
    width_90: float = GAUSSIAN_WIDTHS["0.9"],
) -> tuple[float, float]:
    """CRPS and width of the 90 % interval over those of N(0, ``usual_sd``); series have a mean of zero."""
    climatology = crps_gaussian(np.zeros_like(observed), np.broadcast_to(usual_sd, observed.shape), observed)
    crps = crps_gaussian(mean, sd, observed).mean() / climatology.mean()
    return float(crps), float(width_90 * sd.mean() / (GAUSSIAN_WIDTHS["0.9"] * usual_sd.mean()))


def level_90(values: Float[np.ndarray, "levels ..."]) -> Float[np.ndarray, "..."]:
    """The row of the 90 % interval."""
    return values[_LEVEL_90]
