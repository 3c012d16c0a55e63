"""Wall time and peak resident memory of one long recording, as a process of its own.

    python benchmarks/long_recording.py --hours 2 --channels 64 --sfreq-hz 250 --resolution 2

The recording is coloured noise of random dipoles, one of them with an alpha rhythm, written block
by block as BrainVision.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from scipy.signal import lfilter

from bids_eeg2fmri.bold.atlas import source_points
from bids_eeg2fmri.eeg.leadfield import leadfield, sources_in_sphere, template_directions
from bids_eeg2fmri.phantom.caps import cap_names

_BLOCK_S = 60


def write_recording(root: Path, hours: float, n_channels: int, sfreq_hz: float) -> None:
    """A BIDS dataset with one long recording (int16, 0.1 microvolt steps)."""
    folder = root / "sub-01" / "eeg"
    folder.mkdir(parents=True)
    stem = "sub-01_task-rest"
    rng = np.random.default_rng(0)
    samples = round(_BLOCK_S * sfreq_hz)
    mixing = _scalp_topographies(n_channels, rng)
    with (folder / f"{stem}_eeg.eeg").open("wb") as stream:
        for block in range(round(hours * 3600 / _BLOCK_S)):
            sources = lfilter([1.0], [1.0, -0.95], rng.standard_normal((samples, mixing.shape[1])), axis=0)
            times_s = block * _BLOCK_S + np.arange(samples) / sfreq_hz
            alpha = (1 + 0.5 * np.sin(2 * np.pi * 0.05 * times_s)) * np.sin(2 * np.pi * 10 * times_s)
            sources[:, 0] += 8 * alpha
            sensor = rng.standard_normal((samples, n_channels))
            stream.write((100 * sources @ mixing.T + 10 * sensor).astype("<i2").tobytes())
    names = cap_names(n_channels)
    header = [
        "Brain Vision Data Exchange Header File Version 1.0",
        "[Common Infos]",
        "Codepage=UTF-8",
        f"DataFile={stem}_eeg.eeg",
        f"MarkerFile={stem}_eeg.vmrk",
        "DataFormat=BINARY",
        "DataOrientation=MULTIPLEXED",
        f"NumberOfChannels={n_channels}",
        f"SamplingInterval={1e6 / sfreq_hz:g}",
        "[Binary Infos]",
        "BinaryFormat=INT_16",
        "[Channel Infos]",
        *(f"Ch{index}={name},,0.1,µV" for index, name in enumerate(names, 1)),
    ]
    markers = [
        "Brain Vision Data Exchange Marker File, Version 1.0",
        "[Common Infos]",
        "Codepage=UTF-8",
        f"DataFile={stem}_eeg.eeg",
        "[Marker Infos]",
        "Mk1=New Segment,,1,1,0",
    ]
    (folder / f"{stem}_eeg.vhdr").write_text("\n".join(header) + "\n", "utf-8")
    (folder / f"{stem}_eeg.vmrk").write_text("\n".join(markers) + "\n", "utf-8")
    sidecar = {"TaskName": "rest", "SamplingFrequency": sfreq_hz, "PowerLineFrequency": 50, "EEGReference": "n/a"}
    (folder / f"{stem}_eeg.json").write_text(json.dumps(sidecar))
    (root / "dataset_description.json").write_text(json.dumps({"Name": "Long", "BIDSVersion": "1.10.0"}))


def _scalp_topographies(n_channels: int, rng: np.random.Generator) -> np.ndarray:
    """Topographies of a few random dipoles, scaled to one on average."""
    points, _ = source_points()
    chosen = rng.choice(len(points), 60, replace=False)
    gain = leadfield(template_directions(cap_names(n_channels)), sources_in_sphere(points[chosen]))
    orientation = rng.standard_normal((60, 3))
    topographies = np.einsum("csx,sx->cs", gain, orientation / np.linalg.norm(orientation, axis=1, keepdims=True))
    return topographies / np.linalg.norm(topographies, axis=1).mean()


def main() -> None:
    """Write, run, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=2.0)
    parser.add_argument("--channels", type=int, default=64)
    parser.add_argument("--sfreq-hz", type=float, default=250.0)
    parser.add_argument("--resolution", default="2")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        root, output = Path(scratch) / "in", Path(scratch) / "out"
        write_recording(root, arguments.hours, arguments.channels, arguments.sfreq_hz)
        command = [sys.executable, "-m", "bids_eeg2fmri", str(root), str(output), "participant"]
        command += ["-w", str(Path(scratch) / "work")]
        command += ["--output-spaces", f"MNI152NLin2009cAsym:res-{arguments.resolution}"]
        started = time.perf_counter()
        done = subprocess.run(command, check=False)
        seconds = time.perf_counter() - started
        written = sum(path.stat().st_size for path in output.rglob("*.nii.gz"))
        peak_gib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
        size = f"{arguments.hours:g} h x {arguments.channels} channels at {arguments.sfreq_hz:g} Hz"
        cost = f"{seconds:.0f} s, peak RSS {peak_gib:.2f} GiB, {written / 2**30:.2f} GiB written"
        print(f"exit {done.returncode}; {size}, res-{arguments.resolution}: {cost}")


if __name__ == "__main__":
    main()
