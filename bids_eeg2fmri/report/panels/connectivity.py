"""How the parcels go together in this recording, and whether that is more than the population's mean."""

from __future__ import annotations

import base64

import numpy as np
from jaxtyping import Float

from ...bold.atlas import load_atlas
from ...evaluation.connectivity import matrix_similarity
from ..figures.connectivity import plot_connectivity
from ..panel import Drawing
from ..run import RunReport
from ..style import SYNTHETIC_RED, SYNTHETIC_TEXT

COLLAPSED_R = 0.9
_STEPS = 127
_LEAST_VOLUMES = 10
_LEAST_NORM = 1e-9
_VOLUMES_AT_ONCE = 1024


def draw_connectivity(run: RunReport) -> Drawing:
    """Draw the correlations of this recording's parcels, those of the population, and the difference."""
    own = parcel_correlations(run.summary.parcel_mean_z)
    matrices = {"This recording": own}
    if run.population_r is not None:
        matrices["Training people"] = run.population_r
    figure = plot_connectivity(matrices, load_atlas().networks, mark=SYNTHETIC_TEXT)
    similarity = float("nan")
    if run.population_r is not None and len(run.summary.parcel_mean_z) >= _LEAST_VOLUMES:
        similarity = matrix_similarity(own, run.population_r)
    verdict = _verdict(run, similarity)
    warns = similarity >= COLLAPSED_R
    figure.text(
        0.045,
        0.015,
        verdict,
        fontsize=8.5,
        color=SYNTHETIC_RED if warns else "black",
        weight="bold" if warns else "normal",
    )
    pairs = own[np.triu_indices(len(own), 1)]
    mean = f"{np.nanmean(pairs):.2f}" if np.isfinite(pairs).any() else "not defined"
    return Drawing(
        figure,
        f"Synthetic: correlations between {len(own)} parcels over {len(run.summary.parcel_mean_z)} volumes, mean "
        f"{mean}. {verdict}",
        {"parcel_r": encode_correlations(own)} | ({} if np.isnan(similarity) else {"similarity": round(similarity, 4)}),
    )


def parcel_correlations(series: Float[np.ndarray, "volumes parcels"]) -> Float[np.ndarray, "parcels parcels"]:
    """Correlations over time between parcels; NaN for those that do not vary."""
    mean, products = series.mean(axis=0, dtype=float), np.zeros((series.shape[1],) * 2)
    for start in range(0, len(series), _VOLUMES_AT_ONCE):
        centred = series[start : start + _VOLUMES_AT_ONCE] - mean
        products += centred.T @ centred
    norm = np.sqrt(np.diag(products))
    norm[norm <= _LEAST_NORM] = np.nan
    return np.clip(products / np.outer(norm, norm), -1, 1)


def encode_correlations(matrix: Float[np.ndarray, "parcels parcels"]) -> str:
    """Entries above the diagonal in steps of 1/127, NaN as -128, as base64 of one byte each."""
    pairs = matrix[np.triu_indices(len(matrix), 1)]
    steps = np.where(np.isfinite(pairs), np.round(np.nan_to_num(pairs) * _STEPS), -_STEPS - 1).astype(np.int8)
    return base64.b64encode(steps.tobytes()).decode("ascii")


def decode_correlations(text: str) -> Float[np.ndarray, " pairs"]:
    """What :func:`encode_correlations` made, without the order into a matrix.

    Raises
    ------
    ValueError
        The text is not base64.
    """
    steps = np.frombuffer(base64.b64decode(text, validate=True), np.int8).astype(np.float32)
    return np.where(steps < -_STEPS, np.nan, steps / _STEPS)


def _verdict(run: RunReport, similarity: float) -> str:
    if run.population_r is None:
        return "The model does not say how the parcels go together in the people that it was trained on."
    if len(run.summary.parcel_mean_z) < _LEAST_VOLUMES or np.isnan(similarity):
        return "The recording is too short to compare its matrix with that of the training people."
    stated = f"The two matrices correlate by {similarity:.2f}"
    if similarity >= COLLAPSED_R:
        return (
            f"{stated} ({COLLAPSED_R:g} or more): this connectivity is the population's. Do not use it to tell people "
            "apart."
        )
    return f"{stated}; from {COLLAPSED_R:g} on, the connectivity would tell of the population and not of this person."
