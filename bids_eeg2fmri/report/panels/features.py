"""The band power, or band amplitudes, that the network received."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.image import AxesImage

from ...bold.atlas import NETWORKS, load_atlas
from ...bold.thinning import volumes_per_column
from ..panel import Drawing
from ..run import RunReport
from ..style import DIVERGING
from ..timeaxis import add_scale, columns_end_s, draw_bad_segments, name_row, time_figure, volume_span_s

_LIMIT_Z = 3.0
_ALPHA_HZ = 10.0
_MOST_NAMES = 20


def draw_features(run: RunReport) -> Drawing:
    """Draw what came in over time: all parcels or channels together per band, and each of them in the alpha band."""
    features, rows = run.summary.features_z, _rows(run)
    bands = run.summary.bands_hz
    figure, (by_band, by_row, bad) = time_figure((1.25, 1.95, 0.1), above_in=0.3)
    together = rows.together(features).T
    scale = max(float(np.nanpercentile(np.abs(together), 99)) if together.size else 1.0, 0.5)
    image = _draw_rows(by_band, run, together, scale)
    name_row(by_band, f"{rows.together_name}, by band")
    by_band.set_yticks(np.arange(len(bands)) + 0.5, [f"{low:g}-{high:g} Hz" for low, high in bands])
    add_scale(figure, by_band, image)

    alpha = int(np.argmin([abs((low + high) / 2 - _ALPHA_HZ) for low, high in bands]))
    image = _draw_rows(by_row, run, features[:, rows.order, alpha].T, _LIMIT_Z)
    name_row(by_row, f"Every {rows.kind}, {bands[alpha][0]:g}-{bands[alpha][1]:g} Hz, {rows.ordered_by}")
    by_row.set_yticks(rows.ticks, rows.tick_names)
    add_scale(figure, by_row, image)
    draw_bad_segments(bad, run)
    bad.set_xlim(*volume_span_s(run))
    beyond = float(np.mean(np.abs(features) > _LIMIT_Z)) if features.size else 0.0
    return Drawing(
        figure,
        f"Standardised {rows.quantity} of {features.shape[1]} {rows.kind}s in {len(bands)} bands over "
        f"{run.n_volumes} volumes{_thinning(run)}; {100 * beyond:.1f} % of the values lie beyond {_LIMIT_Z:g} standard "
        "deviations.",
    )


def _thinning(run: RunReport) -> str:
    step = volumes_per_column(run.n_volumes)
    return f", of which one in {step} is shown" if step > 1 else ""


def _draw_rows(axes: Axes, run: RunReport, rows: np.ndarray, limit_z: float) -> AxesImage:
    image = axes.imshow(
        rows, aspect="auto", origin="upper", cmap=DIVERGING, vmin=-limit_z, vmax=limit_z,
        extent=(0.0, columns_end_s(run, rows), len(rows), 0), interpolation="nearest",
    )  # fmt: skip
    axes.tick_params(axis="y", length=0, labelsize=7)
    return image


@dataclass(frozen=True)
class _Rows:
    """What the rows of the features are, and how they are shown.

    Attributes
    ----------
    kind, quantity
        What a row is, and what was measured there.
    together, together_name
        Sums up the rows (volumes x rows x bands to volumes x bands), and what that is called.
    order, ordered_by, ticks, tick_names
        Order of the rows from top to bottom, its name, and the labels of some of them.
    """

    kind: str
    quantity: str
    together: Callable[[np.ndarray], np.ndarray]
    together_name: str
    order: list[int]
    ordered_by: str
    ticks: list[float]
    tick_names: list[str]


def _rows(run: RunReport) -> _Rows:
    cap = run.summary.cap
    if cap is None:
        return _Rows("parcel", "band power", _mean, "Mean of all parcels", *_network_order())
    front_to_back = [int(index) for index in np.argsort(-cap.directions[:, 1], kind="stable")]
    every = -(-len(front_to_back) // _MOST_NAMES)
    return _Rows(
        *("channel", "band amplitude relative to the cap's mean", _excess, "Root mean square of all channels less 1"),
        front_to_back,
        "from front to back",
        [row + 0.5 for row in range(0, len(front_to_back), every)],
        [cap.channel_names[index] for index in front_to_back[::every]],
    )


def _mean(features: Float[np.ndarray, "volumes parcels bands"]) -> Float[np.ndarray, "volumes bands"]:
    return np.asarray(features.mean(axis=1))


def _excess(features: Float[np.ndarray, "volumes channels bands"]) -> Float[np.ndarray, "volumes bands"]:
    """How far the channels lie from their means, together: above zero where further than usual."""
    squares = np.square(features).mean(axis=1)
    return np.where(squares > 0, np.sqrt(squares) - 1, 0)


def _network_order() -> tuple[list[int], str, list[float], list[str]]:
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
    return order, "ordered by network", middles, names
