"""Slices over time as one picture, from which the page's viewer shows a part."""

from __future__ import annotations

import io
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

from ..bold.film import SliceFilm
from .style import DIVERGING, SEQUENTIAL

# Palette: the first colour is the page's white, then as many for the prediction as for its uncertainty.
_N_SHADES = 127
_BAR_PIXELS = 4
# A tenth larger than at the usual 6, in a third of its time.
_PNG_LEVEL = 2
_LEAST_LIMIT_Z = 0.02
_LEAST_CONTRAST = 0.8


@dataclass(frozen=True)
class Sprite:
    """The pictures of a film in one PNG.

    Attributes
    ----------
    png
        Every frame is a row of slices of the prediction above a row of slices of its uncertainty; at the bottom lie
        the two colour bars.
    mean_limit_z, sd_limits_z
        The prediction's colours reach from minus to plus the first, those of the uncertainty between the second.
    """

    png: bytes
    mean_limit_z: float
    sd_limits_z: tuple[float, float]


def make_sprite(film: SliceFilm) -> Sprite:
    """Draw a film.

    Parameters
    ----------
    film
        Slices of a recording whose volumes have all come.
    """
    mean, spread = film.mean_z, film.sd_z
    limit = max(float(np.nanpercentile(np.abs(mean), 99)), _LEAST_LIMIT_Z)
    low, high = (float(value) for value in np.nanpercentile(spread, (1, 99)))
    # An uncertainty that is nearly the same everywhere must look so.
    low = min(low, _LEAST_CONTRAST * high)
    high = max(high, low + _LEAST_LIMIT_Z)
    shades = np.stack([_shades(mean, -limit, limit, 0), _shades(spread, low, high, 1)], axis=1)
    # frames, quantities, slices, along, across: the front of the head is at the top of the picture.
    n_frames, n_quantities, n_slices, n_along, n_across = shades.shape
    rows = shades[:, :, :, ::-1].transpose(0, 1, 3, 2, 4).reshape(n_frames * n_quantities * n_along, -1)
    width = n_slices * n_across
    bars = [np.tile(_shades(np.linspace(0, 1, width), 0, 1, quantity), (_BAR_PIXELS, 1)) for quantity in range(2)]
    return Sprite(_as_png(np.concatenate([rows, *bars])), limit, (low, high))


def _shades(values: Float[np.ndarray, "..."], low: float, high: float, quantity: int) -> UInt8[np.ndarray, "..."]:
    """Places in the palette; 0 where nothing is."""
    share = np.clip((values - low) / (high - low), 0, 1)
    shade = 1 + quantity * _N_SHADES + np.round(np.nan_to_num(share) * (_N_SHADES - 1))
    return np.where(np.isfinite(values), shade, 0).astype(np.uint8)


def _as_png(shades: UInt8[np.ndarray, "rows columns"]) -> bytes:
    steps = np.linspace(0, 1, _N_SHADES)
    colours = np.concatenate(
        [np.ones((1, 3)), *(mpl.colormaps[name](steps)[:, :3] for name in (DIVERGING, SEQUENTIAL))]
    )
    image = Image.fromarray(shades, mode="P")
    image.putpalette(np.round(255 * colours).astype(np.uint8).ravel().tolist())
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", compress_level=_PNG_LEVEL)
    return buffer.getvalue()
