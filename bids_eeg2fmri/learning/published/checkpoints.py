"""Checkpoints: a training that is killed at any moment goes on from the last one, bit for bit."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp
from jax.sharding import NamedSharding

from ...derivatives.atomic import writing
from ...errors import UsageError
from .course import Course
from .state import TrainingState, Weights

KEPT = 2


@dataclass(frozen=True)
class Snapshot:
    """A training at one moment.

    Attributes
    ----------
    state
        What steps change.
    best
        The averaged weights with the lowest validation loss so far.
    course
        Progress and early stopping.
    """

    state: TrainingState
    best: Weights
    course: Course


class Checkpoints:
    """The checkpoints of one training; the last two are kept.

    Parameters
    ----------
    manager
        Orbax's, of an existing folder.
    folder
        Where they lie.
    identity
        Plain values by name that decide the result (options, configuration, digest of the data); they are written into
        every checkpoint, and a checkpoint with others is refused.
    """

    def __init__(self, manager: ocp.CheckpointManager, folder: Path, identity: dict[str, Any]) -> None:
        self._manager = manager
        self._folder = folder
        self._identity = _plain(identity)

    def save(self, snapshot: Snapshot) -> None:
        """Write a checkpoint in the background; it appears whole or not at all."""
        # Copies: the next step uses the state's memory up while the file is still being written.
        arrays = {name: np.array(leaf.addressable_data(0)) for name, leaf in _leaves(snapshot)}
        facts = {"identity": self._identity, "course": _storable(snapshot.course)}
        content = ocp.args.Composite(arrays=ocp.args.StandardSave(arrays), facts=ocp.args.JsonSave(facts))
        with writing(self._folder):
            self._manager.save(snapshot.course.step, args=content)

    def restore(self, first: Snapshot, sharding: NamedSharding) -> Snapshot:
        """The last checkpoint, or ``first``, which also gives the shapes, when there is none.

        Raises
        ------
        UsageError
            The checkpoint belongs to a training with other options, another configuration or other data.
        """
        step = self._manager.latest_step()
        if step is None:
            return first
        facts = self._manager.restore(step, args=ocp.args.Composite(facts=ocp.args.JsonRestore())).facts
        self._check(facts["identity"])
        named = dict(_leaves(first))
        empty = {name: np.empty(leaf.shape, leaf.dtype) for name, leaf in named.items()}
        stored = self._manager.restore(step, args=ocp.args.Composite(arrays=ocp.args.StandardRestore(empty))).arrays
        structure = jax.tree.structure((first.state, first.best))
        leaves = [jax.device_put(stored[name], sharding) for name in named]
        state, best = jax.tree.unflatten(structure, leaves)
        return Snapshot(state, best, _course(facts["course"]))

    def _check(self, found: dict[str, Any]) -> None:
        changed = [
            f"{name}: {_short(found.get(name))}, now {_short(self._identity.get(name))}"
            for name in sorted(self._identity.keys() | found.keys())
            if self._identity.get(name) != found.get(name)
        ]
        if changed:
            raise UsageError(
                f"a training with other settings was begun here ({'; '.join(changed)}).",
                path=self._folder,
                remedy="Repeat its settings to go on with it, give another work directory, or remove this folder.",
            )


@contextmanager
def open_checkpoints(folder: Path, identity: dict[str, Any]) -> Iterator[Checkpoints]:
    """The checkpoints in a folder; leaving the block waits for what is still being written.

    What a killed process left half-written is removed.
    """
    options = ocp.CheckpointManagerOptions(max_to_keep=KEPT, cleanup_tmp_directories=True)
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with ocp.CheckpointManager(folder.resolve(), options=options) as manager:
        yield Checkpoints(manager, folder, identity)


def _leaves(snapshot: Snapshot) -> list[tuple[str, jax.Array]]:
    flat = jax.tree_util.tree_leaves_with_path((snapshot.state, snapshot.best))
    return [(jax.tree_util.keystr(path), leaf) for path, leaf in flat]


def _storable(course: Course) -> dict[str, Any]:
    """Plain values; JSON has no infinity."""
    return {name: None if value == math.inf else value for name, value in asdict(course).items()}


def _course(values: dict[str, Any]) -> Course:
    return replace(Course(**values), best_loss=math.inf) if values["best_loss"] is None else Course(**values)


def _plain(value: Any) -> Any:
    """The value as it comes back from JSON: tuples are lists."""
    return json.loads(json.dumps(value))


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
