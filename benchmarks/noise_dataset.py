"""BIDS datasets of any size for benchmarks: coloured noise of random dipoles, one of them with an alpha rhythm."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from jaxtyping import Float
from scipy.signal import lfilter

from bids_eeg2fmri.bold.atlas import source_points
from bids_eeg2fmri.eeg.leadfield import leadfield, load_template, sources_in_sphere, template_directions
from bids_eeg2fmri.phantom.caps import cap_names

_BLOCK_S = 60
_N_DIPOLES = 60
_EARS = ("a1", "a2", "m1", "m2")


def write_dataset(root: Path, duration_s: float, n_channels: int, sfreq_hz: float = 250.0, n_people: int = 1) -> None:
    """A dataset with one recording per person (BrainVision, int16, 0.1 microvolt steps), all of the same signals.

    Parameters
    ----------
    root
        A new folder.
    duration_s
        Length of each recording; a multiple of a minute.
    n_channels
        Electrodes: a cap of the phantom, or that many positions of the 10-05 system.
    sfreq_hz
        Sampling rate.
    n_people
        People; their signal files are links to the first one's.
    """
    root.mkdir(parents=True)
    (root / "dataset_description.json").write_text(json.dumps({"Name": "Noise", "BIDSVersion": "1.10.0"}))
    names = electrode_names(n_channels)
    signals = root / "sub-0001/eeg/sub-0001_task-rest_eeg.eeg"
    for number in range(1, n_people + 1):
        stem = f"sub-{number:04}_task-rest_eeg"
        folder = root / f"sub-{number:04}" / "eeg"
        folder.mkdir(parents=True)
        _write_texts(folder, stem, names, sfreq_hz)
        if number == 1:
            _write_signals(signals, duration_s, names, sfreq_hz)
        else:
            (folder / f"{stem}.eeg").symlink_to(signals)


def electrode_names(n_channels: int) -> list[str]:
    """Names of a cap with so many electrodes, or of that many places spread over the 10-05 system."""
    if n_channels <= 128:
        return list(cap_names(n_channels))
    # The former names of places come after the present ones; ears and mastoids would be taken for references.
    named = {tuple(place): name for name, place in reversed(load_template().positions_m.items())}
    names = [name for name in named.values() if name not in _EARS]
    return [names[index] for index in np.linspace(0, len(names) - 1, n_channels).round().astype(int)]


def _write_signals(path: Path, duration_s: float, names: list[str], sfreq_hz: float) -> None:
    rng = np.random.default_rng(0)
    samples = round(_BLOCK_S * sfreq_hz)
    mixing = _scalp_topographies(names, rng)
    with path.open("wb") as stream:
        for block in range(round(duration_s / _BLOCK_S)):
            sources = lfilter([1.0], [1.0, -0.95], rng.standard_normal((samples, _N_DIPOLES)), axis=0)
            times_s = block * _BLOCK_S + np.arange(samples) / sfreq_hz
            envelope = 1 + 0.5 * np.sin(2 * np.pi * 0.05 * times_s)
            sources[:, 0] += 8 * envelope * np.sin(2 * np.pi * 10 * times_s)
            sensor = rng.standard_normal((samples, len(names)))
            stream.write((100 * sources @ mixing.T + 10 * sensor).astype("<i2").tobytes())


def _scalp_topographies(names: list[str], rng: np.random.Generator) -> Float[np.ndarray, "channels dipoles"]:
    """Topographies of a few random dipoles, scaled to one on average."""
    points, _ = source_points()
    chosen = rng.choice(len(points), _N_DIPOLES, replace=False)
    gain = leadfield(template_directions(tuple(names)), sources_in_sphere(points[chosen]))
    orientation = rng.standard_normal((_N_DIPOLES, 3))
    topographies = np.einsum("csx,sx->cs", gain, orientation / np.linalg.norm(orientation, axis=1, keepdims=True))
    return np.asarray(topographies / np.linalg.norm(topographies, axis=1).mean())


def _write_texts(folder: Path, stem: str, names: list[str], sfreq_hz: float) -> None:
    """Header, markers and sidecar."""
    common = f"[Common Infos]\nCodepage=UTF-8\nDataFile={stem}.eeg\n"
    channels = "\n".join(f"Ch{index}={name},,0.1,µV" for index, name in enumerate(names, 1))
    header = (
        f"Brain Vision Data Exchange Header File Version 1.0\n{common}MarkerFile={stem}.vmrk\nDataFormat=BINARY\n"
        f"DataOrientation=MULTIPLEXED\nNumberOfChannels={len(names)}\nSamplingInterval={1e6 / sfreq_hz:g}\n"
        f"[Binary Infos]\nBinaryFormat=INT_16\n[Channel Infos]\n{channels}\n"
    )
    markers = f"Brain Vision Data Exchange Marker File, Version 1.0\n{common}[Marker Infos]\nMk1=New Segment,,1,1,0\n"
    (folder / f"{stem}.vhdr").write_text(header, "utf-8")
    (folder / f"{stem}.vmrk").write_text(markers, "utf-8")
    sidecar = {"TaskName": "rest", "SamplingFrequency": sfreq_hz, "PowerLineFrequency": 50, "EEGReference": "n/a"}
    (folder / f"{stem}.json").write_text(json.dumps(sidecar))
