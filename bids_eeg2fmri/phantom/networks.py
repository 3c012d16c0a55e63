"""A person's networks: perturbed subsets of the atlas' networks and patches that follow no atlas."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from ..bold.atlas import NETWORKS, Atlas

_PATCH_RADIUS_MM = 28.0


def mirror_parcels(atlas: Atlas) -> Int[np.ndarray, " parcels"]:
    """The parcel nearest to each parcel's mirror image."""
    mirrored = atlas.centres_mm * np.array([-1.0, 1.0, 1.0])
    distance = np.linalg.norm(mirrored[:, None] - atlas.centres_mm[None], axis=2)
    return distance.argmin(1)


def draw_networks(atlas: Atlas, n_networks: int, rng: np.random.Generator) -> Float[np.ndarray, "parcels networks"]:
    """Weights of a person's networks over the parcels, mostly positive and mostly bilateral.

    The first networks are perturbed subsets of the atlas' (in random order, each at most once), the others are
    random patches with, mostly, their mirror images. A network may have a few antagonist parcels of negative weight.
    """
    mirror = mirror_parcels(atlas)
    known = rng.permutation(NETWORKS)[: max(1, min(len(NETWORKS), round(rng.uniform(0.4, 0.9) * n_networks)))]
    columns = []
    for index in range(n_networks):
        members = (
            _subset_of_network(atlas, known[index], mirror, rng)
            if index < len(known)
            else _random_patch(atlas, mirror, rng)
        )
        columns.append(_weights(members, rng))
    return np.stack(columns, axis=1)


def _subset_of_network(atlas: Atlas, name: str, mirror: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    inside = np.array(atlas.networks) == name
    members = inside & (rng.random(len(atlas)) < rng.uniform(0.45, 0.9))
    both = rng.random(len(atlas)) < 0.8
    members[mirror[members & both]] = True
    strangers = rng.choice(len(atlas), rng.integers(0, 6), replace=False)
    members[strangers] = True
    return members if members.any() else inside


def _random_patch(atlas: Atlas, mirror: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    members = np.zeros(len(atlas), bool)
    for centre in rng.choice(len(atlas), rng.integers(1, 4), replace=False):
        radius = _PATCH_RADIUS_MM * rng.uniform(0.5, 1.4)
        members |= np.linalg.norm(atlas.centres_mm - atlas.centres_mm[centre], axis=1) < radius
    if rng.random() < 0.75:
        members[mirror[members]] = True
    return members


def _weights(members: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    weights = members * rng.lognormal(0.0, 0.3, len(members))
    antagonists = ~members & (rng.random(len(members)) < 0.04)
    weights[antagonists] = -rng.uniform(0.2, 0.7, antagonists.sum())
    return weights


def draw_mixing(n_networks: int, rng: np.random.Generator) -> Float[np.ndarray, "networks networks"]:
    """Lower-triangular factor of a random correlation matrix with a weak common component."""
    factors = rng.standard_normal((n_networks, 3)) * rng.uniform(0.2, 0.5)
    common = rng.uniform(0.0, 0.35) + rng.uniform(0.0, 0.3, (n_networks, 1))
    covariance = np.eye(n_networks) + factors @ factors.T + common @ common.T
    scale = np.sqrt(np.diag(covariance))
    return np.linalg.cholesky(covariance / np.outer(scale, scale))
