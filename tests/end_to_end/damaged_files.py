"""One person's BrainVision recording in a BIDS dataset, and ways to damage it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import mne
import numpy as np
import pybv

N_CHANNELS = 19


class Files:
    """The files of one person's recording, and ways to damage them."""

    def __init__(self, root: Path, label: str) -> None:
        self.folder = root / f"sub-{label}" / "eeg"
        self.stem = f"sub-{label}_task-blocks"
        self.header = self[".vhdr"]
        self.data = self[".eeg"]

    def __getitem__(self, ending: str) -> Path:
        return self.folder / (f"{self.stem}_eeg{ending}" if ending.startswith(".") else f"{self.stem}_{ending}")

    def cut(self, n_bytes: int) -> None:
        with self.data.open("r+b") as stream:
            stream.truncate(n_bytes)

    def edit(self, path: Path, pattern: str, replacement: str) -> None:
        text, n_changes = re.subn(pattern, replacement, path.read_text("utf-8"), flags=re.MULTILINE)
        assert n_changes > 0
        path.write_text(text, "utf-8")

    def describe(self, **entries: object) -> None:
        self[".json"].write_text(json.dumps(json.loads(self[".json"].read_text()) | entries))

    def change(self, change: Callable[[np.ndarray], None]) -> None:
        """Change the signals (samples, channels; in the unit of the file, microvolts) and store them as float32."""
        resolution = float(re.search(r"^Ch1=.*?,.*?,(.*?),", self.header.read_text("utf-8"), re.MULTILINE)[1])
        signals = np.fromfile(self.data, "<i2").reshape(-1, N_CHANNELS).astype("<f4") * np.float32(resolution)
        change(signals)
        signals.tofile(self.data)
        self.edit(self.header, "INT_16", "IEEE_FLOAT_32")
        self.edit(self.header, r"^(Ch\d+=[^,]*,[^,]*),[^,]*", r"\1,1")

    def signals_uv(self) -> tuple[np.ndarray, list[str]]:
        """The signals (channels, samples) and the names of their channels."""
        raw = mne.io.read_raw_brainvision(self.header, preload=True, verbose="error")
        return 1e6 * raw.get_data(), raw.ch_names

    def become(self, signals_uv: np.ndarray, names: Sequence[str], sfreq_hz: float) -> None:
        """Another recording, without tables, whose sidecar says nothing of it."""
        for path in list(self.folder.iterdir()):
            path.unlink()
        pybv.write_brainvision(
            data=1e-6 * signals_uv,
            sfreq=sfreq_hz,
            ch_names=list(names),
            fname_base=self.header.stem,
            folder_out=self.folder,
        )

    def export_edf(self) -> Path:
        raw = mne.io.read_raw_brainvision(self.header, preload=True, verbose="error")
        raw.export(self[".edf"], verbose="error")
        return self[".edf"]

    def become_edf(self, n_bytes: int) -> None:
        content = self.export_edf().read_bytes()
        for ending in (".vhdr", ".vmrk", ".eeg"):
            self[ending].unlink()
        assert 0 <= n_bytes < len(content)
        self[".edf"].write_bytes(content[:n_bytes])


def fill(signals: np.ndarray, value: float, channels: Sequence[int] = range(N_CHANNELS)) -> None:
    signals[:, list(channels)] = value


def copies_of(source: Path, root: Path, labels: Iterable[str]) -> dict[str, Files]:
    """A dataset in which everybody has the recording of person 01 of another."""
    root.mkdir(parents=True)
    shutil.copy(source / "dataset_description.json", root)
    people = {label: Files(root, label) for label in labels}
    for label, files in people.items():
        files.folder.mkdir(parents=True)
        for path in (source / "sub-01" / "eeg").iterdir():
            content = path.read_bytes()
            if path.suffix in (".vhdr", ".vmrk"):
                content = content.replace(b"=sub-01_", f"=sub-{label}_".encode())
            (files.folder / path.name.replace("sub-01", f"sub-{label}")).write_bytes(content)
    return people
