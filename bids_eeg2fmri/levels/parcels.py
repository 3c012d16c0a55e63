"""Parcel series of a recording, and how they are written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..bold.parcellation import overlap
from ..derivatives.parcel_names import ParcelRequest
from ..derivatives.parcels import ParcelTables, write_parcels
from ..derivatives.sidecars import RunFacts
from ..synthesis.samples import draw_parcels
from ..synthesis.start import RunningSynthesis


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
