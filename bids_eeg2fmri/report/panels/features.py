"""The band power that the network received."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.image import AxesImage

from ...bold.atlas import NETWORKS, load_atlas
from ..panel import Drawing
from ..run import RunReport
from ..style import DIVERGING
from ..timeaxis import add_scale, draw_bad_segments, name_row, time_figure, volume_span_s

_LIMIT_Z = 3.0
_ALPHA_HZ = 10.0


def draw_features(run: RunReport) -> Drawing:
    """Draw band power over time: the mean of all parcels per band, and every parcel in the alpha band."""
    features = run.summary.features_z
    bands = run.summary.bands_hz
    figure, (by_band, by_parcel, bad) = time_figure((1.25, 1.95, 0.1), above_in=0.3)
    mean = features.mean(axis=1).T
    scale = max(float(np.nanpercentile(np.abs(mean), 99)) if mean.size else 1.0, 0.5)
    image = _draw_rows(by_band, run, mean, scale)
    name_row(by_band, "Mean of all parcels, by band")
    by_band.set_yticks(np.arange(len(bands)) + 0.5, [f"{low:g}-{high:g} Hz" for low, high in bands])
    add_scale(figure, by_band, image)

    alpha = int(np.argmin([abs((low + high) / 2 - _ALPHA_HZ) for low, high in bands]))
    order, middles, names = _network_order()
    image = _draw_rows(by_parcel, run, features[:, order, alpha].T, _LIMIT_Z)
    name_row(by_parcel, f"Every parcel, {bands[alpha][0]:g}-{bands[alpha][1]:g} Hz, ordered by network")
    by_parcel.set_yticks(middles, names)
    add_scale(figure, by_parcel, image)
    draw_bad_segments(bad, run)
    bad.set_xlim(*volume_span_s(run))
    beyond = float(np.mean(np.abs(features) > _LIMIT_Z)) if features.size else 0.0
    return Drawing(
        figure,
        f"Standardised band power of {features.shape[1]} parcels in {len(bands)} bands over {features.shape[0]} "
        f"volumes; {100 * beyond:.1f} % of the values lie beyond {_LIMIT_Z:g} standard deviations.",
    )


def _draw_rows(axes: Axes, run: RunReport, rows: np.ndarray, limit_z: float) -> AxesImage:
    first, last = volume_span_s(run)
    image = axes.imshow(
        rows, aspect="auto", origin="upper", cmap=DIVERGING, vmin=-limit_z, vmax=limit_z,
        extent=(first, last, len(rows), 0), interpolation="nearest",
    )  # fmt: skip
    axes.tick_params(axis="y", length=0, labelsize=7)
    return image


def _network_order() -> tuple[list[int], list[float], list[str]]:
    """Parcels ordered by network, and the middle row and name of each network."""
    networks = load_atlas().networks
    order: list[int] = []
    middles, names = [], []
    for network in NETWORKS:
        members = [index for index, name in enumerate(networks) if name == network]
        if members:
            middles.append(len(order) + len(members) / 2)
            names.append(network)
            order.extend(members)
    return order, middles, names
