"""From a recording with its BOLD to what training reads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Float

from ...bold.bold_timing import same_tr
from ...bold.real_bold import Targets
from ...bold.volume_box import volume_box
from ...eeg.recording import Recording, VolumeClock
from ...errors import BadDataError
from ...network.calhas2022.config import Calhas2022Config
from ...network.calhas2022.trained import Calhas2022Facts
from ...synthesis.cap_spectra import compute_cap_spectra
from .cache import CachedRecording, content_key, find_cached, write_cached


def cache_recording(
    cache_dir: Path,
    person: str,
    recording: Recording,
    clock: VolumeClock,
    targets: Targets,
    facts: Calhas2022Facts,
    config: Calhas2022Config,
) -> CachedRecording:
    """Spectra and targets of a recording in the cache; what is there already is not computed again.

    Parameters
    ----------
    cache_dir
        Where the recordings' folders lie.
    person
        Whose recording it is.
    recording, clock
        The EEG, and the clock of its volumes in agreement with the image.
    targets
        BOLD at the brain voxels of :func:`~bids_eeg2fmri.bold.volume_box.volume_box` (``coordinates_mm``).
    facts, config
        The network's cap and shapes.

    Raises
    ------
    BadDataError
        Another repetition time, another cap, or no volume with enough clean EEG before it.
    """
    if not same_tr(clock.tr_s, facts.tr_s):
        raise BadDataError(
            f"its repetition time is {clock.tr_s:.6g} s, that of the other recordings {facts.tr_s:.6g} s.",
            path=recording.source,
            remedy="Train on recordings of one repetition time, or train neuralfield, which takes any.",
        )
    key = content_key(
        *(recording.signals_v, recording.good, recording.sfreq_hz, recording.cleaning.bad_segments_s),
        *(recording.channel_names, recording.positions_m, clock.first_volume_onset_s, clock.tr_s, targets.z),
        *(repr(facts), config.eeg_shape, config.fmri_shape),
    )
    cached = find_cached(cache_dir, key, person)
    if cached is not None:
        return cached
    _, n_bins, n_windows = config.eeg_shape
    cap_spectra = compute_cap_spectra(recording, facts, n_bins)
    onsets = clock.onsets_s[: len(targets.z)]
    spectra, recorded = cap_spectra.at(np.rint(onsets * recording.sfreq_hz).astype(int))
    complete = np.lib.stride_tricks.sliding_window_view(recorded[:-1], n_windows).all(axis=1)
    usable = n_windows + np.flatnonzero(complete)
    if len(usable) == 0:
        raise BadDataError(
            f"no volume has {n_windows} clean repetition times of EEG before it.",
            path=recording.source,
            remedy="Clean the recording first and give it with --derivatives clean=PATH.",
        )
    return write_cached(
        cache_dir,
        key,
        person,
        spectra=spectra,
        targets=_boxed(targets.z, config.fmri_shape),
        usable=usable,
        profile=cap_spectra.profile,
    )


def _boxed(z: Float[np.ndarray, "volumes voxels"], shape: tuple[int, int, int]) -> Float[np.ndarray, "volumes x y z"]:
    """Brain voxels as volumes, 0 outside the brain."""
    volumes = np.zeros((len(z), *shape), np.float16)
    volumes[:, volume_box(shape).mask] = z
    return volumes
