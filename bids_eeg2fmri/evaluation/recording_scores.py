"""All rows of the table on one recording: models, trained baselines, and the baselines that need no training."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from ..bold.grid import Grid
from .baselines import (
    MEAN_VOLUME,
    NEIGHBOURS,
    PERSON_MEAN,
    PREVIOUS_VOLUME,
    interpolated_neighbours,
    mean_volume,
    person_mean,
    previous_volume,
)
from .forecast import Forecast, Observed
from .pictures import Picture
from .score_table import Entry
from .scorecard import MAX_PICTURES, null_scores, scorecard


def score_recording(
    person: str,
    recording: str,
    forecasts: Mapping[str, Forecast],
    observed: Observed,
    grid: Grid,
    *,
    models: Collection[str],
    picture: Picture | None = None,
    truth: Float[np.ndarray, "volumes parcels"] | None = None,
    max_pictures: int | None = MAX_PICTURES,
) -> Iterator[Entry]:
    """Score forecasts beside what the recording itself gives: mean volume, person's mean, previous volume, neighbours.

    Parameters
    ----------
    person, recording
        Labels; the recording's also seeds its surrogates.
    forecasts
        Models and further baselines by the name of their row, one at a time in memory if the mapping makes them so.
    observed, grid
        The scanner's series.
    models
        Names among ``forecasts`` whose nulls are computed.
    picture
        Mean picture of the training people, for every row that has none of its own: model and mean volume are to be
        compared on the same picture. Without it, the person's own.
    truth, max_pictures
        As for :func:`.scorecard.scorecard`.
    """
    own = {
        MEAN_VOLUME: lambda: mean_volume(observed, picture),
        PERSON_MEAN: lambda: person_mean(observed),
        PREVIOUS_VOLUME: lambda: previous_volume(observed),
        NEIGHBOURS: lambda: interpolated_neighbours(observed),
    }
    for name in (*forecasts, *own):
        forecast = forecasts[name] if name in forecasts else own[name]()
        if forecast.picture is None:
            forecast = replace(forecast, picture=picture)
        scores = scorecard(forecast, observed, grid, truth=truth, max_pictures=max_pictures)
        null = None
        if name in models:
            null = null_scores(forecast, observed, zlib.crc32(recording.encode()), truth=truth)
            scores["fdr_parcels"] = null.scores()["fdr_parcels"]
        yield Entry(person, name, scores, null)
