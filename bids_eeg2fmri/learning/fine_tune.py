"""Fine-tuning: a trained network moved towards the people of another dataset, as far as people held out agree."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Float

from ..network.neuralfield import NeuralField
from .adaptation import Change, Start
from .explained import explained_share
from .fit import fit_maps, fold_moments, rendered_maps
from .held_out import fit_to_held_out
from .inputs import Inputs, inputs_of
from .people import People, Person
from .ridge import Moments, jackknife, joined, solve

PENALTIES = (np.inf, 100_000.0, 10_000.0, 1000.0, 100.0, 10.0)
# A larger change must explain this much more: the best of many is a little better by chance.
_WORTH_CHANGING = 1.01
# Maps are fitted anew, which takes minutes, when free ones promise to explain this much more.
_WORTH_REFITTING = 1.1
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Choice:
    """A change of the linear path, what it gives, and the share of the selection people's variance it explains."""

    change: Change
    linear: Float[np.ndarray, "inputs maps"]
    explained: float


def fine_tune_neuralfield(network: NeuralField, people: People, seed: int = 0) -> tuple[NeuralField, dict[str, Any]]:
    """Move a trained network towards new people; the one given stays as it is.

    The linear path is shrunk towards the network's own, in closed form; how far it moves, or whether it stays, is
    what predicts the selection people best. The maps are kept unless others predict them better. What the
    posterior assumes and the axes of the novelty score are kept; amplitude, noise, novelty, calibration and reliability
    are fitted to the held-out people.

    Parameters
    ----------
    network
        Of a bundle.
    people
        Files of the new people.
    seed
        Decides what is drawn while fitting fields: the same network, people and seed give the same result.

    Returns
    -------
    network
        Another network of the same shape.
    description
        ``fine_tuning`` (what changed, a sentence), ``calibration``, ``reliability`` and ``caveats``.
    """
    tuned = nnx.clone(network)
    inputs = inputs_of(network)
    folds = fold_moments(inputs, people.training, network.config.n_members)
    total = joined(folds)
    members = float(network.gain[...].mean()) * np.asarray(network.linear[...])
    start = Start(members.mean(axis=0), *rendered_maps(network), np.asarray(network.loadings[...]))
    choice = _choose(start, inputs, total, people.selection)
    refitted = _refit_maps(tuned, start, choice, inputs, total, people.selection, seed)
    if refitted is not None:
        start, choice, to_new = refitted
        members = members @ to_new
    sentence = f"{choice.change.sentence}; the maps were {'kept' if refitted is None else 'fitted anew'}"
    logger.info("%d volumes of %d people: %s", total.n_volumes, len(people.training), sentence)
    if refitted is not None or not choice.change.none:
        tuned.linear[...] = jnp.asarray(_changed_members(start, members, folds, choice.change))
    held_out = fit_to_held_out(tuned, people, seed)
    return tuned, {"fine_tuning": sentence, **held_out, "caveats": people.caveats}


def _choose(start: Start, inputs: Inputs, total: Moments, selection: Sequence[Person]) -> _Choice:
    """The change whose predictions explain most of the selection people's BOLD; a smaller one in doubt."""
    best: _Choice | None = None
    for shared in (False, True):
        first, before = start.first_step(total, shared), -np.inf
        for penalty in PENALTIES:
            change, linear = Change(shared, penalty), start.linear + first.refined(penalty)
            explained = explained_share(inputs, (linear, start.rendered.T), selection)
            logger.info("%s: %.5f of the variance explained", change.sentence, explained)
            if best is None or explained > _WORTH_CHANGING * best.explained:
                best = _Choice(change, linear, explained)
            if explained < before:
                break
            before = explained
    if best is None:
        raise ValueError("no changes to choose from")
    return best


def _refit_maps(
    tuned: NeuralField,
    start: Start,
    choice: _Choice,
    inputs: Inputs,
    total: Moments,
    selection: Sequence[Person],
    seed: int,
) -> tuple[Start, _Choice, Float[np.ndarray, "maps maps"]] | None:
    """Fit the field of ``tuned`` anew, where that explains more; else it stays as it is.

    Returns
    -------
    tuple or None
        The start in the new maps, the change to make there, and what takes old coefficients to new ones.
    """
    weights = _free_weights(replace(start, linear=choice.linear), choice, inputs, total, selection)
    if weights is None:
        return None
    kept = nnx.state(nnx.clone(tuned.field))
    fit_maps(tuned, total, weights, seed)
    rendered, to_coefficients = rendered_maps(tuned)
    to_new = start.rendered.T @ to_coefficients
    moved = Start(start.linear @ to_new, rendered, to_coefficients, start.loadings)
    there = _choose(moved, inputs, total, selection)
    logger.info("other maps: %.5f of the variance explained instead of %.5f", there.explained, choice.explained)
    if there.explained > _WORTH_CHANGING * choice.explained:
        return moved, there, to_new
    nnx.update(tuned.field, kept)
    return None


def _free_weights(
    here: Start, choice: _Choice, inputs: Inputs, total: Moments, selection: Sequence[Person]
) -> Float[np.ndarray, "inputs voxels"] | None:
    """Weights not confined to the maps, if they explain enough more to be worth fitting maps to."""
    rest = here.unexplained(total).cross
    best, most = None, _WORTH_REFITTING * choice.explained
    before = -np.inf
    for penalty in PENALTIES[1:]:
        weights = here.linear @ here.rendered.T + solve(total.gram, rest, penalty)
        explained = explained_share(inputs, (weights,), selection)
        logger.info("free of the maps, penalty %g: %.5f of the variance explained", penalty, explained)
        if explained > most:
            best, most = weights, explained
        if explained < before:
            break
        before = explained
    return best


def _changed_members(
    start: Start, members: Float[np.ndarray, "members features maps"], folds: Sequence[Moments], change: Change
) -> Float[np.ndarray, "members features maps"]:
    """Members that vary by the new people, and by the old ones where the new ones say little."""
    new = jackknife(folds, partial(start.changed, change=change), len(members))
    old = members - members.mean(axis=0)
    if np.isfinite(change.penalty):
        gram = joined(folds).gram
        old = old - np.stack([solve(gram, gram @ deviation, change.penalty) for deviation in old])
    return new + old
