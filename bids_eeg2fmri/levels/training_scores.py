"""Score a trained network on people it never saw, beside every baseline and null."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from jaxtyping import Float

from ..eeg.recording import Recording
from ..errors import Eeg2fmriError
from ..evaluation.baselines import EEG_SHUFFLED, EEG_ZEROED, TIME_ONLY, time_only
from ..evaluation.forecast import Forecast, Observed
from ..evaluation.nulls import swapped_people
from ..evaluation.pictures import Picture
from ..evaluation.recording_scores import score_recording
from ..evaluation.score_table import Entry, ScoreTable
from ..learning.altered_eeg import shuffled, zeroed
from ..learning.baselines import Baseline, Baselines, fit_baselines
from ..learning.examples import load_examples
from ..learning.library import Library, Member
from ..learning.observed import mean_picture, scoring_grid, scoring_labels
from ..learning.people import People, examples_of
from ..learning.splits import Split
from ..learning.trainer import Fitted
from ..settings import Settings
from ..synthesis.start import Maps, make_maps, prepare, start_synthesis

logger = logging.getLogger(__name__)

MODEL = "model"


@dataclass(frozen=True)
class Series:
    """Parcels of one recording, for the null of swapped people."""

    person: str
    tr_s: float
    predicted: Float[np.ndarray, "volumes parcels"]
    observed: Float[np.ndarray, "volumes parcels"]


@dataclass(frozen=True)
class ScoredSplit:
    """Rows of the score table, and the series that surrogates over people need."""

    entries: list[Entry]
    series: list[Series]


def score_split(library: Library, split: Split, fitted: Fitted, settings: Settings) -> ScoredSplit:
    """Score everybody in the test group of a split.

    Parameters
    ----------
    library
        The recordings.
    split, fitted
        Who trained, and what came of it.
    settings
        Where the dataset is.
    """
    picture = mean_picture(tuple(member.observed for member in library.of(split.training)))
    baselines = _baselines(library, split)
    maps = make_maps(fitted.network, scoring_grid())
    predict = partial(_predict, fitted, maps, picture)
    scored = ScoredSplit([], [])
    for member in library.of(split.test):
        try:
            recording = library.read(member)
            forecast = predict(recording, member)
        except Eeg2fmriError as error:
            # The cap of calhas2022 may not be this person's.
            logger.warning("%s is not scored: %s", member.label, error)
            continue
        observed = member.load_observed()
        rows = _Rows(forecast, recording, member, library, split, baselines, predict, picture)
        scored.entries.extend(
            score_recording(
                member.subject,
                member.label,
                rows,
                observed,
                scoring_grid(),
                models=(MODEL,),
                picture=picture,
                truth=member.truth(settings.bids_dir),
            )
        )
        scored.series.append(Series(member.subject, member.tr_s, forecast.parcel_mean_z, observed.parcel_z))
        _say(member, scored.entries)
    return scored


def score_table(entries: Sequence[Entry], series: Sequence[Series]) -> ScoreTable:
    """The table over everybody; with one repetition time, beside what somebody else's forecast scores."""
    swapped = {}
    if len({one.tr_s for one in series}) == 1 and len({one.person for one in series}) > 1:
        first = {one.person: one for one in reversed(series)}
        swapped[MODEL] = swapped_people(
            [one.predicted for one in first.values()], [one.observed for one in first.values()]
        )
    return ScoreTable.of(entries, swapped)


class _Rows(Mapping[str, Forecast]):
    """Model and baselines on one recording, made when they are asked for: one is in memory at a time."""

    def __init__(
        self,
        forecast: Forecast,
        recording: Recording,
        member: Member,
        library: Library,
        split: Split,
        baselines: Baselines,
        predict: Callable[[Recording, Member], Forecast],
        picture: Picture,
    ) -> None:
        seed = zlib.crc32(member.label.encode())
        same_tr = [other for other in library.of(split.training) if abs(other.tr_s - member.tr_s) < 1e-3]
        self._makers: dict[str, Callable[[], Forecast]] = {
            MODEL: lambda: forecast,
            **{name: partial(_of_parcels, baseline, member, picture) for name, baseline in baselines.models.items()},
            EEG_SHUFFLED: lambda: predict(shuffled(recording, seed), member),
            EEG_ZEROED: lambda: predict(zeroed(recording), member),
        }
        if same_tr:
            self._makers[TIME_ONLY] = lambda: time_only(_observed(same_tr), len(forecast.mean_z))

    def __contains__(self, name: object) -> bool:
        # The inherited one would make the forecast to see whether it is there.
        return name in self._makers

    def __getitem__(self, name: str) -> Forecast:
        return self._makers[name]()

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)


def _observed(members: Sequence[Member]) -> Iterator[Observed]:
    return (member.load_observed() for member in members)


def _baselines(library: Library, split: Split) -> Baselines:
    people = People.divided(library.persons(split.training), library.persons(split.validation))
    baselines = fit_baselines(people, library.config, examples_of(library.persons(split.test)))
    for reason in baselines.left_out:
        logger.warning("%s: %s", split.name, reason)
    return baselines


def _of_parcels(baseline: Baseline, member: Member, picture: Picture) -> Forecast:
    (example,) = load_examples(member.example)
    return replace(Forecast.of_parcels(baseline(example), scoring_labels()), picture=picture)


def _predict(fitted: Fitted, maps: Maps, picture: Picture, recording: Recording, member: Member) -> Forecast:
    """A forecast by the code path of ``participant``."""
    prepared = prepare(fitted.network, recording)
    synthesis = start_synthesis(fitted.network, maps, prepared, recording.clock, member.start_time_s)
    blocks = list(synthesis)
    summary = synthesis.summary()
    return Forecast(
        mean_z=np.concatenate([block.mean_z for block in blocks]),
        sd_z=np.concatenate([block.total_sd_z for block in blocks]),
        parcel_mean_z=summary.parcel_mean_z,
        parcel_sd_z=summary.parcel_sd_z,
        picture=picture,
        widths=fitted.calibration["voxels"],
        parcel_widths=fitted.calibration["parcels"],
    )


def _say(member: Member, entries: Sequence[Entry]) -> None:
    own = {entry.name: entry.scores["parcel_r"] for entry in entries if entry.person == member.subject}
    ranked = ", ".join(f"{name} {r:.3f}" for name, r in own.items())
    logger.info("%s: mean parcel r: %s", member.label, ranked)
