from __future__ import annotations

import lzma
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pybv
import pytest

from bids_eeg2fmri.bids.recording_file import RecordingFile
from bids_eeg2fmri.eeg.standard_montage import standard_positions
from bids_eeg2fmri.settings import Settings

NODDI = Path(__file__).parents[1] / "data" / "noddi"
CAP = [
    "Fp1",
    "Fp2",
    "F7",
    "F3",
    "Fz",
    "F4",
    "F8",
    "T7",
    "C3",
    "Cz",
    "C4",
    "T8",
    "P7",
    "P3",
    "Pz",
    "P4",
    "P8",
    "O1",
    "O2",
]


def simulate_eeg(names: Sequence[str], sfreq_hz: float, duration_s: float, seed: int = 0) -> np.ndarray:
    """Smooth scalp maps of 1/f sources and an occipital alpha rhythm, about 10 microvolts, in volts."""
    rng = np.random.default_rng(seed)
    n_samples = round(sfreq_hz * duration_s)
    positions = standard_positions("standard_1005")
    place = np.array([positions[name] for name in names])
    sources = np.array([positions[name] for name in CAP])
    weights = np.exp(-((place[:, None] - sources[None]) ** 2).sum(-1) / (2 * 0.05**2))
    freqs_hz = np.fft.rfftfreq(n_samples, 1 / sfreq_hz)
    shape = 1 / np.maximum(freqs_hz, 1.0)
    noise = np.fft.irfft(np.fft.rfft(rng.standard_normal((len(CAP), n_samples))) * shape, n_samples)
    noise /= noise.std(axis=1, keepdims=True)
    alpha = np.exp(-((freqs_hz - 10.0) ** 2) / (2 * 0.7**2))
    rhythm = np.fft.irfft(np.fft.rfft(rng.standard_normal(n_samples)) * alpha, n_samples)
    noise[CAP.index("Pz")] += 2 * rhythm / rhythm.std()
    return 5e-6 * weights @ noise + 1e-6 * rng.standard_normal((len(names), n_samples))


def write_brainvision(
    folder: Path,
    signals_v: np.ndarray,
    sfreq_hz: float,
    names: Sequence[str],
    events: Sequence[dict[str, Any]] = (),
    stem: str = "sub-01_task-rest_eeg",
) -> Path:
    pybv.write_brainvision(
        data=signals_v,
        sfreq=sfreq_hz,
        ch_names=list(names),
        fname_base=stem,
        folder_out=folder,
        events=list(events) or None,
        overwrite=True,
    )
    return folder / f"{stem}.vhdr"


@pytest.fixture(scope="session")
def cap() -> list[str]:
    return list(CAP)


@pytest.fixture(scope="session")
def simulate() -> Callable[..., np.ndarray]:
    return simulate_eeg


@pytest.fixture
def brainvision() -> Callable[..., Path]:
    return write_brainvision


@pytest.fixture
def recording_file() -> Callable[..., RecordingFile]:
    def make(path: Path, **fields: Any) -> RecordingFile:
        return RecordingFile(path=path, root=path.parent, dataset="raw", subject="01", task="rest", **fields)

    return make


@pytest.fixture
def settings(tmp_path: Path) -> Callable[..., Settings]:
    def make(**fields: Any) -> Settings:
        return Settings(bids_dir=tmp_path, output_dir=tmp_path / "out", level="participant", **fields)

    return make


@pytest.fixture
def noddi(tmp_path: Path) -> Callable[..., Path]:
    """Headers and markers of a NODDI recording with a data file of simulated or no signals."""

    def fill(subject: str, *, derivative: bool, signals_v: np.ndarray | None = None, n_samples: int = 0) -> Path:
        source = NODDI / ("derivatives" if derivative else "") / f"sub-{subject}" / "eeg"
        stem = f"sub-{subject}_task-rest_eeg"
        header = tmp_path / f"{stem}.vhdr"
        header.write_bytes((source / header.name).read_bytes())
        (tmp_path / f"{stem}.vmrk").write_bytes(lzma.decompress((source / f"{stem}.vmrk.xz").read_bytes()))
        data = tmp_path / f"{stem}{'.dat' if derivative else '.eeg'}"
        if signals_v is None:
            with data.open("wb") as stream:
                stream.truncate(n_samples * 64 * (4 if derivative else 2))
        else:
            values = signals_v.T / 1e-6 if derivative else signals_v.T / 0.5e-6
            data.write_bytes(values.astype("<f4" if derivative else "<i2").tobytes())
        return header

    return fill
