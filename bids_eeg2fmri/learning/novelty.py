"""Set the constants of the novelty score from the training recordings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ..network.novelty import MIN_EVIDENCE, N_DESCRIPTION_AXES, N_QUANTILES, Axes, Description, Novelty

# In units of the largest principal variance: directions without any are not looked at more closely.
_LEAST_VARIANCE = 1e-6
# Of the log distances; few held-out recordings do not show how much people differ.
_LEAST_SD = np.array([0.1, 0.1, 0.3, 0.3, 0.5], np.float32)


class Described(Protocol):
    """A recording as the novelty score sees it (an :class:`~.examples.Example`, for one)."""

    @property
    def features(self) -> Float[np.ndarray, "volumes features"]:
        """Features of every volume."""
        ...

    @property
    def evidence(self) -> Float[np.ndarray, " volumes"]:
        """Share of every volume's history that was recorded and clean."""
        ...

    @property
    def description(self) -> Description:
        """What the score must know of the whole recording."""
        ...


def fit_novelty_axes(
    novelty: Novelty,
    gram: Float[np.ndarray, "features features"],
    n_volumes: int,
    descriptions: Sequence[Description],
) -> None:
    """Set the principal axes of the training features and of what describes the training recordings.

    Parameters
    ----------
    novelty
        The module whose constants are set.
    gram, n_volumes
        Second moments of the training features (their mean is zero by construction).
    descriptions
        Of the training recordings; of a single one only the mean is used.
    """
    axes, variances = _principal_axes(gram / n_volumes, novelty.axes[...].shape[1])
    novelty.axes[...] = jnp.asarray(axes, jnp.float32)
    novelty.axes_sd[...] = jnp.asarray(np.sqrt(np.maximum(variances, _LEAST_VARIANCE * variances[0])), jnp.float32)
    _fit_axes(novelty.profile, np.stack([np.asarray(description.profile) for description in descriptions]))
    _fit_axes(novelty.condition, np.stack([np.asarray(description.condition) for description in descriptions]))


def fit_novelty_scale(novelty: Novelty, held_out: Iterable[Described]) -> None:
    """Set centre, scale and quantiles of the distances from recordings of people not trained on."""
    rows = []
    for example in held_out:
        seen = example.features[example.evidence >= MIN_EVIDENCE]
        rows.append(novelty.distances(jnp.asarray(seen, jnp.float32), example.description))
    distances = jnp.concatenate(rows)
    novelty.centre[...] = distances.mean(axis=0)
    novelty.scale[...] = jnp.maximum(distances.std(axis=0), _LEAST_SD)
    standardised = (distances - novelty.centre[...]) / novelty.scale[...]
    scores = jnp.maximum(jnp.abs(standardised[:, :2]).max(axis=1), standardised[:, 2:].max(axis=1))
    novelty.quantiles[...] = jnp.quantile(scores, jnp.linspace(0, 1, N_QUANTILES))


def _fit_axes(axes: Axes, rows: Float[np.ndarray, "recordings numbers"]) -> None:
    """Principal axes of the rows; directions in which few recordings do not differ are left out."""
    mean = rows.mean(axis=0)
    _, strength, directions = np.linalg.svd(rows - mean, full_matrices=False)
    kept = int(min(N_DESCRIPTION_AXES, len(rows) - 1, (strength > 1e-6 * strength.max(initial=1e-6)).sum()))
    directions_kept, sd = np.zeros((rows.shape[1], N_DESCRIPTION_AXES), np.float32), np.ones(N_DESCRIPTION_AXES)
    directions_kept[:, :kept] = directions[:kept].T
    sd[:kept] = strength[:kept] / np.sqrt(max(len(rows) - 1, 1))
    axes.mean[...] = jnp.asarray(mean, jnp.float32)
    axes.axes[...] = jnp.asarray(directions_kept)
    axes.sd[...] = jnp.asarray(sd, jnp.float32)


def _principal_axes(
    covariance: Float[np.ndarray, "features features"], n_axes: int, seed: int = 0
) -> tuple[Float[np.ndarray, "features axes"], Float[np.ndarray, " axes"]]:
    """Leading eigenvectors and eigenvalues by a randomised range finder with power iterations."""
    rng = np.random.default_rng(seed)
    basis = rng.standard_normal((len(covariance), n_axes + 16)).astype(np.float32)
    for _ in range(4):
        basis, _ = np.linalg.qr(covariance @ basis)
    values, vectors = np.linalg.eigh(basis.T @ covariance @ basis)
    return (basis @ vectors[:, ::-1])[:, :n_axes], values[::-1][:n_axes]
