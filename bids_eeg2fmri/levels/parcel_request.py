"""What was asked for in parcels."""

from __future__ import annotations

from ..derivatives.parcel_names import ParcelRequest
from ..settings import SCHAEFER200, Settings


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
    # Loads SciPy and pandas, which nobody else needs to know what is there.
    from ..bold.parcellation import load_parcellation

    return ParcelRequest(load_parcellation(name), settings.n_samples, settings.random_seed)
