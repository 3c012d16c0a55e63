"""Parcel series of a recording: what was asked for, whether it is there, and how it is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..bold.parcellation import load_parcellation, overlap
from ..derivatives.parcels import ParcelRequest, ParcelTables, write_parcels
from ..derivatives.sidecars import RunFacts
from ..settings import SCHAEFER200, Settings
from ..synthesis.samples import draw_parcels
from ..synthesis.start import RunningSynthesis


def requested_parcels(settings: Settings) -> ParcelRequest | None:
    """What was asked for; draws, or nothing but parcels, are asked for with the default parcels.

    Raises
    ------
    BadDataError, MissingInputError
        The image of labels cannot be used.
    """
    name = settings.parcellation
    if name is None and (settings.parcels_only or settings.n_samples):
        name = SCHAEFER200
    if name is None:
        return None
    return ParcelRequest(load_parcellation(name), settings.n_samples, settings.random_seed)


def write_parcel_series(
    facts: RunFacts, request: ParcelRequest, synthesis: RunningSynthesis, description: Mapping[str, Any]
) -> ParcelTables:
    """Average the prediction over the parcels, draw from it if so asked, and write both but for what vouches for them.

    Parameters
    ----------
    facts, request
        The recording on its grid, and what was asked for.
    synthesis
        Its prediction; it need not have yielded any volume.
    description
        Sidecar of its BOLD.

    Raises
    ------
    WriteError, OutputError
        A file could not be written.
    """
    lying = overlap(request.parcellation, facts.grid.coordinates_mm)
    forecast = synthesis.forecast_parcels(lying)
    label = f"{facts.names.stem}_{facts.names.space_entities}_seg-{request.parcellation.label}"
    draws = draw_parcels(forecast, request.n_samples, facts.recording.clock.tr_s, request.seed, label)
    return write_parcels(facts, request, description, forecast.mean_z, forecast.sd_z, draws, lying.empty)
