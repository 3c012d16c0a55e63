"""Training examples: what the network receives from a recording, and the BOLD it should have predicted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from ..bold.atlas import load_atlas
from ..bold.grid import make_grid
from ..derivatives.atomic import atomic_path
from ..network.novelty import Description
from ..network.recording_facts import RecordingFacts
from ..settings import OutputSpace

_VOXELS_PER_PARCEL = 20
_OTHER_VOXELS = 1700


@dataclass(frozen=True)
class Example:
    """One recording, on one cap, with its BOLD.

    Attributes
    ----------
    subject
        The person; recordings of one person are never in two groups.
    label
        Entities of the recording, or the name of a simulated one.
    n_channels
        Size of the cap.
    tr_s
        Repetition time.
    features
        Lagged source band power (:meth:`bids_eeg2fmri.network.neuralfield.NeuralField.features`), half precision.
    evidence
        Share of each volume's haemodynamic memory that was recorded and clean.
    amplitude, information, profile, condition, missing
        The recording's :class:`~bids_eeg2fmri.network.recording_facts.RecordingFacts`; the first two in half precision.
    resolution
        How well the cap sees each parcel.
    source_features
        Minimum-norm log power of the parcels through one canonical response, for baselines; half precision.
    targets
        BOLD at the sample voxels, standardised over time, half precision; NaN where there is none.
    sensor_features
        Log band power of the electrodes through one canonical response, for a baseline; half precision.
    channel_names
        The electrodes of ``sensor_features``; empty where the size of the cap says which they are.
    truth
        Noise-free BOLD averaged over each parcel, standardised over time; ``None`` unless simulated.
    """

    subject: str
    label: str
    n_channels: int
    tr_s: float
    features: Float[np.ndarray, "volumes features"]
    evidence: Float[np.ndarray, " volumes"]
    amplitude: Float[np.ndarray, "parcels bands"]
    information: Float[np.ndarray, "bands parcels parcels"]
    profile: Float[np.ndarray, " profile"]
    condition: Float[np.ndarray, " condition"]
    missing: Float[np.ndarray, ""]
    resolution: Float[np.ndarray, " parcels"]
    targets: Float[np.ndarray, "volumes voxels"]
    source_features: Float[np.ndarray, "volumes source_features"]
    sensor_features: Float[np.ndarray, "volumes sensor_features"]
    channel_names: tuple[str, ...] = ()
    truth: Float[np.ndarray, "volumes parcels"] | None = None

    @property
    def facts(self) -> RecordingFacts:
        """What the network must know of the whole recording."""
        single = (np.asarray(getattr(self, name), np.float32) for name in RecordingFacts._fields)
        return RecordingFacts(*single)

    @property
    def description(self) -> Description:
        """What the novelty score must know of the whole recording."""
        return self.facts.description

    @property
    def parcel_targets(self) -> Float[np.ndarray, "volumes parcels"]:
        """The targets averaged over each parcel's voxels that have any; NaN where none has."""
        targets = self.targets.astype(np.float32)
        averaging = parcel_means(sample_voxels()[1])
        known = np.isfinite(targets)
        if known.all():
            return targets @ averaging
        share = known.astype(np.float32) @ averaging
        total = np.where(known, targets, 0) @ averaging
        return np.where(share > 0, total / np.where(share > 0, share, 1), np.nan)


@lru_cache(maxsize=1)
def sample_voxels() -> tuple[Float[np.ndarray, "voxels 3"], Int[np.ndarray, " voxels"]]:
    """MNI coordinates of the voxels that training sees, and the label (0: none) of each one's parcel.

    A fixed draw: the same number from every parcel of the atlas, and some from the rest of the brain.
    """
    coordinates = make_grid(OutputSpace(resolution="2")).coordinates_mm
    labels = load_atlas().labels_at(coordinates)
    rng = np.random.default_rng(20140801)
    chosen = [rng.choice(np.flatnonzero(labels == 0), _OTHER_VOXELS, replace=False)]
    for label in range(1, len(load_atlas()) + 1):
        members = np.flatnonzero(labels == label)
        chosen.append(rng.choice(members, min(_VOXELS_PER_PARCEL, len(members)), replace=False))
    index = np.concatenate(chosen)
    return coordinates[index], labels[index]


def parcel_means(labels: Int[np.ndarray, " voxels"]) -> Float[np.ndarray, "voxels parcels"]:
    """Columns that average the sample voxels over each parcel."""
    members = (labels[:, None] == np.arange(1, len(load_atlas()) + 1)).astype(np.float32)
    return members / members.sum(axis=0)


def zscore(series: Float[np.ndarray, "volumes points"]) -> Float[np.ndarray, "volumes points"]:
    """Standardise over time; a constant series becomes zero."""
    centred = series - series.mean(axis=0)
    return centred / np.maximum(centred.std(axis=0), 1e-8)


def save_examples(path: Path, examples: Iterable[Example]) -> None:
    """Write examples of one person to one ``.npz``, whole or not at all."""
    arrays: dict[str, Any] = {}
    for number, example in enumerate(examples):
        present = {name: value for name, value in vars(example).items() if value is not None}
        arrays |= {f"{number}.{name}": np.asarray(value) for name, value in present.items()}
    with atomic_path(path) as temporary, temporary.open("wb") as stream:
        np.savez(stream, **arrays)


def load_examples(*paths: Path) -> Iterator[Example]:
    """Read what :func:`save_examples` wrote, one example in memory at a time."""
    for path in paths:
        with np.load(path, allow_pickle=False) as stored:
            count = 1 + max(int(name.split(".")[0]) for name in stored.files)
            for number in range(count):
                names = [field.name for field in fields(Example) if f"{number}.{field.name}" in stored.files]
                row: dict[str, Any] = {name: stored[f"{number}.{name}"] for name in names}
                yield _example(row)


def _example(row: dict[str, Any]) -> Example:
    """Scalars and names come out of a file as arrays."""
    plain = {
        "subject": str(row["subject"]),
        "label": str(row["label"]),
        "n_channels": int(row["n_channels"]),
        "tr_s": float(row["tr_s"]),
        "channel_names": tuple(str(name) for name in row.get("channel_names", ())),
    }
    return Example(**row | plain)
