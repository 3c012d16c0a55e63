"""Training examples of simulated people."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
from jaxtyping import Float

from ..bold.atlas import source_points
from ..eeg.leadfield import sphere_directions
from ..eeg.sources import project_directions
from ..eeg.spectra import frame_times_s
from ..network.neuralfield import NeuralFieldConfig
from ..phantom.caps import cap_names
from ..phantom.draw import draw_person
from ..phantom.person import PersonSpec
from ..phantom.scalp import Reference, project_eeg
from ..phantom.scanner import simulate_bold
from ..phantom.sources import SourceActivity, simulate_sources
from ..synthesis.spectrogram import Spectrogram, signal_log_power
from .examples import Example, parcel_means, sample_voxels, zscore
from .volume_features import sensor_features, volume_features

SFREQ_HZ = 128.0
_REFERENCES: tuple[Reference, ...] = ("average", "Cz", "FCz", "mastoids")


def make_examples(
    seed: int,
    config: NeuralFieldConfig,
    caps: Iterable[int | str | None],
    *,
    duration_s: float = 300.0,
    tr_s: float | None = None,
    coupling: float = 1.0,
    decouple: bool = False,
    draw: Callable[..., PersonSpec] = draw_person,
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
    draw
        Draws the person, from a seed and ``coupling``: another population than the phantom's own.
    """
    rng = np.random.default_rng([0xEE6, seed])
    tr_s = float(rng.uniform(1.0, 3.0)) if tr_s is None else tr_s
    spec = draw(seed, coupling=coupling)
    activity = simulate_sources(spec, duration_s, SFREQ_HZ, rng, decouple=decouple)
    n_volumes = int(duration_s / tr_s)
    coordinates, labels = sample_voxels()
    truth, noisy = simulate_bold(activity, spec, coordinates, tr_s, n_volumes, rng)
    averaging = parcel_means(labels)
    targets = zscore(noisy).astype(np.float16)
    parcel_truth = zscore(truth @ averaging)
    volume_times_s = tr_s * np.arange(n_volumes)
    for cap in caps:
        names = _random_cap(rng) if cap is None else cap_names(cap)
        reference = _REFERENCES[rng.integers(len(_REFERENCES))]
        signals, channels, positions_m = project_eeg(activity, spec, names, rng, reference=reference)
        signals -= signals.mean(axis=0)
        spectrogram = _spectrogram(signals, activity, sphere_directions(positions_m, channels))
        features, evidence = volume_features(spectrogram, config, volume_times_s)
        yield Example(
            subject=f"sim-{seed}",
            label=f"sim-{seed}_cap-{len(names)}",
            n_channels=len(names),
            tr_s=tr_s,
            features=features.astype(np.float16),
            evidence=evidence,
            resolution=spectrogram.resolution,
            profile=spectrogram.profile,
            targets=targets,
            sensor_features=_in_cap(sensor_features(signals, SFREQ_HZ, config, volume_times_s), channels, names),
            channel_names=names,
            truth=parcel_truth,
        )


def _random_cap(rng: np.random.Generator) -> tuple[str, ...]:
    """Any subset of the 128 standard electrodes, from 19 on; half of the time a standard cap less a few."""
    if rng.random() < 0.5:
        names = np.array(cap_names(int(rng.choice([19, 32, 64, 128]))))
        size = len(names) - int(rng.integers(0, max(len(names) // 8, 2)))
    else:
        names = np.array(cap_names(128))
        size = int(rng.integers(19, 100))
    return tuple(str(name) for name in names[np.sort(rng.permutation(len(names))[:size])])


def _spectrogram(
    signals_v: Float[np.ndarray, "channels samples"],
    activity: SourceActivity,
    directions: Float[np.ndarray, "channels 3"],
) -> Spectrogram:
    points, parcel = source_points()
    projection = project_directions(directions, np.ones(len(signals_v), bool), points, parcel)
    log_power = signal_log_power(signals_v, projection, activity.sfreq_hz)
    times_s = frame_times_s(len(log_power), activity.sfreq_hz)
    return Spectrogram(log_power, times_s, np.ones(len(times_s), bool), projection.resolution)


def _in_cap(
    features: Float[np.ndarray, "volumes channels bands"], channels: tuple[str, ...], cap: tuple[str, ...]
) -> Float[np.ndarray, "volumes features"]:
    """Electrodes at their place in the cap; one that was the reference, and is not recorded, counts as average."""
    whole_cap = np.zeros((len(features), len(cap), features.shape[2]), np.float16)
    whole_cap[:, [cap.index(name) for name in channels]] = features
    return whole_cap.reshape(len(features), -1)
