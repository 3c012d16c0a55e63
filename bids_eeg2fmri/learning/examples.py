"""Training examples from simulated people: what the network receives, and the BOLD it should have predicted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jaxtyping import Array, Float, Int

from ..bold.atlas import load_atlas, source_points
from ..bold.grid import make_grid
from ..eeg.leadfield import sphere_directions
from ..eeg.sources import COMPONENTS_PER_PARCEL, SourceProjection, project_directions
from ..eeg.spectra import HOP_S, frame_times_s
from ..network.lags import CANONICAL_LAG, lagged_features
from ..network.neuralfield import NeuralFieldConfig
from ..phantom.caps import cap_names
from ..phantom.draw import draw_person
from ..phantom.scalp import Reference, project_eeg
from ..phantom.scanner import simulate_bold
from ..phantom.sources import SourceActivity, simulate_sources
from ..settings import OutputSpace
from ..synthesis.spectrogram import Spectrogram, signal_log_power

SFREQ_HZ = 128.0
_REFERENCES: tuple[Reference, ...] = ("average", "Cz", "FCz", "mastoids")
_VOXELS_PER_PARCEL = 20
_OTHER_VOXELS = 1700
MAX_VOLUMES = 320


@dataclass(frozen=True)
class Example:
    """One simulated recording on one cap.

    Attributes
    ----------
    seed
        The person.
    n_channels
        Size of the cap.
    tr_s
        Repetition time.
    features
        Lagged source band power (:meth:`bids_eeg2fmri.network.neuralfield.NeuralField.features`), half precision.
    evidence
        Share of each volume's haemodynamic memory that was recorded.
    resolution, profile
        How the cap sees the parcels; the spectrum's shape over parcels and bands.
    targets
        Noisy BOLD at the sample voxels, standardised over time, half precision.
    truth
        Noise-free BOLD averaged over each parcel, standardised over time.
    sensor_features
        Log band power of the electrodes through one canonical response, for a baseline; half precision.
    """

    seed: int
    n_channels: int
    tr_s: float
    features: Float[np.ndarray, "volumes features"]
    evidence: Float[np.ndarray, " volumes"]
    resolution: Float[np.ndarray, " parcels"]
    profile: Float[np.ndarray, " profile"]
    targets: Float[np.ndarray, "volumes voxels"]
    truth: Float[np.ndarray, "volumes parcels"]
    sensor_features: Float[np.ndarray, "volumes sensor_features"]

    @property
    def parcel_targets(self) -> Float[np.ndarray, "volumes parcels"]:
        """The targets averaged over each parcel."""
        return self.targets.astype(np.float32) @ parcel_means(sample_voxels()[1])


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


def make_examples(
    seed: int,
    config: NeuralFieldConfig,
    caps: Iterable[int | str | None],
    *,
    duration_s: float = 300.0,
    tr_s: float | None = None,
    coupling: float = 1.0,
    decouple: bool = False,
) -> Iterator[Example]:
    """Simulate one person and yield the recording on every cap.

    Parameters
    ----------
    seed
        The person; also decides everything drawn at random here.
    config
        The network's feature specification.
    caps
        Standard caps (19, 32, 64, 128); ``None`` draws one: any number of electrodes from 19 to 128, any subset.
    duration_s, tr_s
        Length of the recording; repetition time, or ``None`` to draw it between 1 and 3 s.
    coupling, decouple
        The phantom's controls.
    """
    rng = np.random.default_rng([0xEE6, seed])
    tr_s = float(rng.uniform(1.0, 3.0)) if tr_s is None else tr_s
    spec = draw_person(seed, coupling=coupling)
    activity = simulate_sources(spec, duration_s, SFREQ_HZ, rng, decouple=decouple)
    n_volumes = int(duration_s / tr_s)
    coordinates, labels = sample_voxels()
    truth, noisy = simulate_bold(activity, spec, coordinates, tr_s, n_volumes, rng)
    averaging = parcel_means(labels)
    targets = zscore(noisy).astype(np.float16)
    parcel_truth = zscore(truth @ averaging)
    for cap in caps:
        names = _random_cap(rng) if cap is None else cap_names(cap)
        reference = _REFERENCES[rng.integers(len(_REFERENCES))]
        signals, channels, positions_m = project_eeg(activity, spec, names, rng, reference=reference)
        signals -= signals.mean(axis=0)
        spectrogram = _spectrogram(signals, activity, sphere_directions(positions_m, channels))
        features, evidence = _features(spectrogram, config, tr_s * np.arange(n_volumes))
        yield Example(
            seed=seed,
            n_channels=len(names),
            tr_s=tr_s,
            features=features.astype(np.float16),
            evidence=evidence,
            resolution=spectrogram.resolution,
            profile=spectrogram.profile,
            targets=targets,
            truth=parcel_truth,
            sensor_features=_sensor_features(
                signals, _places(channels, names), len(names), config, tr_s * np.arange(n_volumes)
            ),
        )


def save_examples(path: Path, examples: Iterable[Example]) -> None:
    """Write the examples of one person to one ``.npz``."""
    arrays: dict[str, Any] = {}
    for number, example in enumerate(examples):
        arrays |= {f"{number}.{name}": np.asarray(value) for name, value in vars(example).items()}
    temporary = path.with_name(f".tmp-{path.name}")
    np.savez(temporary, **arrays)
    temporary.replace(path)


def load_examples(path: Path) -> list[Example]:
    """Read what :func:`save_examples` wrote."""
    with np.load(path, allow_pickle=False) as stored:
        count = 1 + max(int(name.split(".")[0]) for name in stored.files)
        names = Example.__dataclass_fields__
        rows: list[dict[str, Any]] = [{name: stored[f"{number}.{name}"] for name in names} for number in range(count)]
    return [
        Example(**row | {"seed": int(row["seed"]), "n_channels": int(row["n_channels"]), "tr_s": float(row["tr_s"])})
        for row in rows
    ]


def zscore(series: Float[np.ndarray, "volumes points"]) -> Float[np.ndarray, "volumes points"]:
    """Standardise over time; a constant series becomes zero."""
    centred = series - series.mean(axis=0)
    return centred / np.maximum(centred.std(axis=0), 1e-8)


def _random_cap(rng: np.random.Generator) -> tuple[str, ...]:
    """Any subset of the 128 standard electrodes, from 19 on; half of the time a standard cap less a few."""
    if rng.random() < 0.5:
        names = np.array(cap_names(int(rng.choice([19, 32, 64, 128]))))
        size = len(names) - int(rng.integers(0, max(len(names) // 8, 2)))
    else:
        names = np.array(cap_names(128))
        size = int(rng.integers(19, 100))
    return tuple(names[np.sort(rng.permutation(len(names))[:size])])


def _spectrogram(
    signals_v: Float[np.ndarray, "channels samples"],
    activity: SourceActivity,
    directions: Float[np.ndarray, "channels 3"],
) -> Spectrogram:
    points, parcel = source_points()
    projection: SourceProjection = project_directions(directions, np.ones(len(signals_v), bool), points, parcel)
    log_power = signal_log_power(signals_v, projection, activity.sfreq_hz)
    times_s = frame_times_s(len(log_power), activity.sfreq_hz)
    return Spectrogram(log_power, times_s, np.ones(len(times_s), bool), projection.resolution)


def _features(
    spectrogram: Spectrogram, config: NeuralFieldConfig, volume_times_s: Float[np.ndarray, " volumes"]
) -> tuple[Float[np.ndarray, "volumes features"], Float[np.ndarray, " volumes"]]:
    n_volumes = len(volume_times_s)
    # One compiled shape for every repetition time.
    padded = np.pad(volume_times_s, (0, MAX_VOLUMES - n_volumes), mode="edge").astype(np.float32)
    frames = spectrogram.standardised(0, len(spectrogram.times_s))
    inputs = (frames, np.ones((len(frames), 1, 1), np.float32))
    features, evidence = (
        np.asarray(_lagged(values, spectrogram.times_s.astype(np.float32), padded, config.peaks_s, config.widths_s))
        for values in inputs
    )
    return features[:n_volumes], np.clip(evidence[:n_volumes, CANONICAL_LAG], 0, 1)


@partial(jax.jit, static_argnames=("peaks_s", "widths_s"))
def _lagged(
    frames: Float[Array, "frames parcels bands"],
    frame_times_s: Float[Array, " frames"],
    volume_times_s: Float[Array, " volumes"],
    peaks_s: tuple[float, ...],
    widths_s: tuple[float, ...],
) -> Float[Array, "volumes features"]:
    return lagged_features(frames, frame_times_s, volume_times_s, peaks_s=peaks_s, widths_s=widths_s, hop_s=HOP_S)


def _places(channels: tuple[str, ...], cap: tuple[str, ...]) -> Int[np.ndarray, " channels"]:
    return np.array([cap.index(name) for name in channels])


def _sensor_features(
    signals_v: Float[np.ndarray, "channels samples"],
    places: Int[np.ndarray, " channels"],
    n_places: int,
    config: NeuralFieldConfig,
    volume_times_s: Float[np.ndarray, " volumes"],
) -> Float[np.ndarray, "volumes features"]:
    """Band power of the electrodes themselves: each one is a parcel whose other virtual channels are silent.

    Electrodes have their place in the cap; one that was the reference, and is not recorded, counts as average.
    """
    n_channels = len(signals_v)
    operator = np.zeros((COMPONENTS_PER_PARCEL * n_channels, n_channels), np.float32)
    operator[::COMPONENTS_PER_PARCEL] = np.eye(n_channels)
    log_power = signal_log_power(signals_v, SourceProjection(operator, np.ones(n_channels, np.float32)), SFREQ_HZ)
    times_s = frame_times_s(len(log_power), SFREQ_HZ)
    spectrogram = Spectrogram(log_power, times_s, np.ones(len(times_s), bool), np.ones(n_channels, np.float32))
    features, _ = _features(spectrogram, config, volume_times_s)
    canonical = features.reshape(len(volume_times_s), len(config.peaks_s), n_channels, -1)[:, CANONICAL_LAG]
    whole_cap = np.zeros((len(canonical), n_places, canonical.shape[2]), np.float16)
    whole_cap[:, places] = canonical
    return whole_cap.reshape(len(canonical), -1)
