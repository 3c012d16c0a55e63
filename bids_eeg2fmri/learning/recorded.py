"""The training example that a recording makes, real or simulated, as the synthesis computes its features."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from ..eeg.recording import Recording
from ..network.lags import CANONICAL_LAG
from ..network.neuralfield import NeuralFieldConfig
from ..synthesis.spectrogram import Spectrogram, compute_spectrogram, minimum_norm_spectrogram
from .examples import Example
from .volume_features import sensor_features, volume_features


def example_from_recording(
    recording: Recording,
    volume_times_s: Float[np.ndarray, " volumes"],
    targets: Float[np.ndarray, "volumes voxels"],
    config: NeuralFieldConfig,
    *,
    subject: str,
    label: str,
    cap: Sequence[str] | None = None,
    truth: Float[np.ndarray, "volumes parcels"] | None = None,
) -> Example:
    """What the network receives from a recording, and the BOLD it should predict.

    Frames in bad segments and before the recording count as average and lower the evidence; so do, among the
    features of the electrodes, those that are bad or not recorded.

    Parameters
    ----------
    recording
        With the clock of the BOLD.
    volume_times_s
        The instants that the volumes stand for, in EEG seconds.
    targets
        BOLD at the sample voxels, standardised over time; NaN where there is none.
    config
        The network's feature specification.
    subject, label
        Whose it is, and what it is called.
    cap
        All electrodes of the cap, in the order of the features, whichever of them was the reference; by default the
        recorded ones in the order of their names.
    truth
        Noise-free BOLD of the parcels, where it is known.

    Raises
    ------
    BadDataError
        Hardly any EEG is clean.
    """
    spectrogram = compute_spectrogram(recording)
    features, evidence = volume_features(spectrogram, config, volume_times_s)
    facts = {name: np.asarray(value) for name, value in spectrogram.facts._asdict().items()}
    channel_names = tuple(sorted(recording.channel_names) if cap is None else cap)
    return Example(
        subject=subject,
        label=label,
        n_channels=int(recording.good.sum()) if cap is None else len(cap),
        tr_s=recording.clock.tr_s,
        features=features.astype(np.float16),
        evidence=evidence,
        amplitude=facts["amplitude"].astype(np.float16),
        information=facts["information"].astype(np.float16),
        profile=facts["profile"],
        condition=facts["condition"],
        missing=facts["missing"],
        resolution=spectrogram.resolution,
        targets=targets.astype(np.float16),
        source_features=_sources(recording, config, volume_times_s),
        sensor_features=_sensors(recording, spectrogram, config, volume_times_s, channel_names),
        channel_names=channel_names,
        truth=truth,
    )


def _sources(
    recording: Recording, config: NeuralFieldConfig, volume_times_s: Float[np.ndarray, " volumes"]
) -> Float[np.ndarray, "volumes source_features"]:
    features, _ = volume_features(minimum_norm_spectrogram(recording), config, volume_times_s)
    return features.reshape(len(features), len(config.peaks_s), -1)[:, CANONICAL_LAG].astype(np.float16)


def _sensors(
    recording: Recording,
    spectrogram: Spectrogram,
    config: NeuralFieldConfig,
    volume_times_s: Float[np.ndarray, " volumes"],
    channel_names: tuple[str, ...],
) -> Float[np.ndarray, "volumes sensor_features"]:
    recorded = sensor_features(
        recording.signals_v,
        recording.sfreq_hz,
        config,
        volume_times_s,
        good=recording.good,
        valid=spectrogram.valid,
    )
    features = np.zeros((len(recorded), len(channel_names), recorded.shape[2]), np.float16)
    features[:, [channel_names.index(name) for name in recording.channel_names]] = recorded
    return features.reshape(len(features), -1)
