"""Losses for classifying people through the synthesised view, with pairs of windows that share a label or do not."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def contrastive(
    distance: Float[Array, "batch features"], same: Float[Array, " batch"], *, margin: float = jnp.pi
) -> Float[Array, "batch features"]:
    """Pull pairs of equal label together and pairs of different label to a distance of ``margin``, per feature.

    Parameters
    ----------
    distance
        Absolute differences of the Fourier phases of the two windows, in radians.
    same
        1 where the windows share their label, 0 elsewhere.
    margin
        Distance that pairs of different label should have.
    """
    alike = same[:, None]
    return alike * distance + (1 - alike) * jnp.abs(distance - margin)


def contrastive_classification(
    distance: Float[Array, "batch features"],
    same: Float[Array, " batch"],
    logits: Float[Array, "batch 2"],
    labels: Float[Array, "batch 2"],
    *,
    variances: Float[Array, "batch 2"] | None = None,
    margin: float = jnp.pi,
) -> Float[Array, ""]:
    """Contrastive loss of a pair plus the cross-entropy of both windows, as a mean over pairs.

    Parameters
    ----------
    distance, same, margin
        As in :func:`contrastive`.
    logits, labels
        Of the two windows of each pair; labels are 0 or 1.
    variances
        Of the logits, where the classifier gives them: cross-entropies are divided by them, and their logarithms
        added.
    """
    entropies = binary_cross_entropy(logits, labels)
    if variances is not None:
        entropies = entropies / variances + jnp.log(variances)
    return jnp.mean(contrastive(distance, same, margin=margin)) + jnp.mean(jnp.sum(entropies, axis=1))


def separation_entropy(
    features: Float[Array, "batch features"], logits: Float[Array, " batch"], labels: Float[Array, " batch"]
) -> Float[Array, ""]:
    """Cross-entropy of every latent feature taken as a logit, plus that of the classifier, as means.

    Parameters
    ----------
    features
        Latent features; each should tell the classes apart by its sign.
    logits, labels
        Of the classifier; labels are 0 or 1.
    """
    of_features = jnp.mean(binary_cross_entropy(features, labels[:, None]))
    return of_features + jnp.mean(binary_cross_entropy(logits, labels))


def binary_cross_entropy(logits: Float[Array, "..."], labels: Float[Array, "..."]) -> Float[Array, "..."]:
    """Cross-entropy in nats of labels 0 or 1 given logits."""
    return jax.nn.softplus(logits) - labels * logits
