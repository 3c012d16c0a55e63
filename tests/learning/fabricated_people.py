"""People whose evidence follows the model: scores of every band, with the information that they hold.

The slow state of a functional network is modulated in every band; the score of a parcel is ``F m + e`` with
``e ~ N(0, F)`` for the modulation m and the information F; BOLD is a rule's sum over the bands.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bids_eeg2fmri.bold.atlas import load_atlas
from bids_eeg2fmri.learning.examples import Example, sample_voxels, save_examples, zscore
from bids_eeg2fmri.network.neuralfield import NeuralFieldConfig

N_PARCELS, N_BANDS = 214, 6
CONFIG = NeuralFieldConfig(
    peaks_s=(5.5,),
    widths_s=(2.0,),
    n_maps=8,
    n_states=12,
    n_fourier=16,
    field_width=24,
    noise_fourier=4,
    noise_width=8,
    n_novelty_axes=4,
)
"""A network small enough to be trained in a test, with one lag."""
Rule = Callable[[np.ndarray], np.ndarray]
"""BOLD of every functional network (volumes x networks) from their modulations (volumes x lags x networks x bands)."""


def network_of_parcels() -> np.ndarray:
    """Number of the functional network of every parcel."""
    kinds = sorted(set(load_atlas().networks))
    return np.array([kinds.index(name) for name in load_atlas().networks])


def by_weights(*weights: float) -> Rule:
    """BOLD follows the last lag, with a weight for every band."""
    return lambda state: state[:, -1] @ np.array(weights)


def make_example(
    rng: np.random.Generator,
    rule: Rule,
    *,
    n_volumes: int = 70,
    n_lags: int = 1,
    information: float | Sequence[float] = 4.0,
    bold_noise_sd: float = 2.0,
    cap: str = "abc",
    subject: str = "01",
) -> Example:
    """One recording of a person.

    ``information`` is that of every parcel about its own modulation, of unit variance, in all bands or in each.
    """
    parcels = network_of_parcels()
    level = np.broadcast_to(np.asarray(information, float), (N_BANDS,))
    state = rng.standard_normal((n_volumes, n_lags, parcels.max() + 1, N_BANDS))
    noise = rng.standard_normal((n_volumes, n_lags, N_PARCELS, N_BANDS))
    score = level * state[:, :, parcels] + np.sqrt(level) * noise
    sd = np.maximum(np.sqrt(level**2 + level), 1e-6)
    truth = rule(state)[:, parcels]
    voxels = np.concatenate([np.zeros((n_volumes, 1)), truth], axis=1)[:, sample_voxels()[1]]
    targets = zscore(voxels + bold_noise_sd * rng.standard_normal(voxels.shape))
    return Example(
        subject=subject,
        label=f"sub-{subject}_task-rest",
        n_channels=len(cap),
        tr_s=2.0,
        features=(score / sd).reshape(n_volumes, -1).astype(np.float16),
        evidence=np.ones(n_volumes, np.float32),
        amplitude=np.broadcast_to(sd, (N_PARCELS, N_BANDS)).astype(np.float16),
        information=(level[:, None, None] * np.eye(N_PARCELS)).astype(np.float16),
        profile=rng.standard_normal(N_PARCELS * N_BANDS).astype(np.float32),
        condition=rng.standard_normal(4 * N_BANDS).astype(np.float32),
        missing=np.zeros((), np.float32),
        resolution=rng.uniform(0.05, 0.2, N_PARCELS).astype(np.float32),
        targets=targets.astype(np.float16),
        source_features=(score[:, -1] / sd).reshape(n_volumes, -1).astype(np.float16),
        sensor_features=rng.standard_normal((n_volumes, N_BANDS * len(cap))).astype(np.float16),
        channel_names=tuple(cap),
        truth=zscore(truth).astype(np.float32),
    )


def save_people(folder: Path, seeds: Sequence[int], rule: Rule, **options: Any) -> list[tuple[Path, ...]]:
    """One file for every person; the same seed and options are the same person."""
    folder.mkdir(parents=True, exist_ok=True)
    people: list[tuple[Path, ...]] = []
    for seed in seeds:
        path = folder / f"{seed}.npz"
        save_examples(path, [make_example(np.random.default_rng(seed), rule, subject=f"{seed}", **options)])
        people.append((path,))
    return people
