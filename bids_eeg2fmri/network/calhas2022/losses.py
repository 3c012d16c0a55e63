"""Losses of the published network: error of the volume plus distance of the two latent representations.

The published code broadcasts the errors of a batch against all pairs of latent representations, divides by norms
over the whole batch, and differentiates the sum of that matrix (:func:`published_matrix`). Training here compares a
volume with its own EEG only, and takes the mean.
"""

from __future__ import annotations

import jax.numpy as jnp
from jaxtyping import Array, Float

Volumes = Float[Array, "batch x y z"]
Latent = Float[Array, "batch a b c"]

_TINY = 1e-9
# Keeps the gradient of a latent representation that is zero within float32.
_NORM_FLOOR = 1e-6


def matched_cosine(z_eeg: Latent, z_fmri: Latent) -> Float[Array, " batch"]:
    """One minus the cosine between the two latent representations of each example.

    The first and the last axis of ``z_fmri`` are exchanged, as published.
    """
    swapped = jnp.swapaxes(z_fmri, 1, 3)
    inner = jnp.sum(z_eeg * swapped, axis=(1, 2, 3))
    squares = jnp.sum(z_eeg**2, axis=(1, 2, 3)) * jnp.sum(z_fmri**2, axis=(1, 2, 3))
    return 1 - inner / jnp.sqrt(squares + _NORM_FLOOR**2)


def cosine_of_all_pairs(z_eeg: Latent, z_fmri: Latent) -> Float[Array, "batch batch"]:
    """The published distance matrix: rows are EEG, columns fMRI, norms are taken over the whole batch."""
    return 1 - jnp.einsum("bijk,ckji->bc", z_eeg, z_fmri) / (jnp.linalg.norm(z_eeg) * jnp.linalg.norm(z_fmri))


def absolute_error(target: Volumes, predicted: Volumes) -> Float[Array, " batch"]:
    """Mean absolute error of each volume."""
    return jnp.mean(jnp.abs(predicted - target), axis=(1, 2, 3))


def half_squared_error(target: Volumes, predicted: Volumes) -> Float[Array, " batch"]:
    """Half the mean squared error of each volume."""
    return jnp.mean((predicted - target) ** 2, axis=(1, 2, 3)) / 2


def laplace_nll(target: Volumes, median: Volumes, scale: Volumes) -> Float[Array, " batch"]:
    """Mean negative log-likelihood of each volume under Laplace distributions.

    ``scale`` is the distribution's scale, whose standard deviation is the square root of two times larger.
    """
    scale = scale + _TINY
    return jnp.mean(jnp.abs(median - target) / scale + jnp.log(2 * scale), axis=(1, 2, 3))


def gaussian_nll(target: Volumes, mean: Volumes, sd: Volumes) -> Float[Array, " batch"]:
    """Mean negative log-likelihood of each volume under normal distributions, without the constant log(2 pi) / 2."""
    variance = sd**2 + _TINY
    return jnp.mean((mean - target) ** 2 / variance + jnp.log(variance), axis=(1, 2, 3)) / 2


def sd_score(target: Volumes, mean: Volumes, sd: Volumes) -> Float[Array, " batch"]:
    """Mean of (error^2 / sd + sd) / 2 of each volume: smallest at the true mean and standard deviation.

    Errors weigh less than under the Gaussian likelihood where the standard deviation is small.
    """
    return jnp.mean((mean - target) ** 2 / (sd + _TINY) + sd, axis=(1, 2, 3)) / 2


def published_matrix(error: Float[Array, " batch"], z_eeg: Latent, z_fmri: Latent) -> Float[Array, "batch batch"]:
    """The published loss before its sum: errors of the volumes (rows) plus the distance of all pairs of latents."""
    return error[:, None] + cosine_of_all_pairs(z_eeg, z_fmri)
