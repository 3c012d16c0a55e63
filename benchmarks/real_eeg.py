"""What a model makes of real EEG: does it run, is the result BOLD-like, does it know that it was never trained on this.

    python benchmarks/real_eeg.py --bids-dir DATASET --json result.json
    python benchmarks/real_eeg.py --eegmat FOLDER

The second form takes the files of https://physionet.org/content/eegmat/1.0.0/ as they were downloaded. Every recording
goes the way that it goes at the participant level, on a coarse grid and in memory. There is no measured BOLD: nothing
here says that a prediction is right. Beside the real recordings stand simulated ones of people that training never saw,
with 19 electrodes, outside a scanner and of the same lengths. Band share: median over parcels of the share of power
between 0.01 and 0.1 Hz in the power from 0.005 Hz on. Alpha r: correlation over time of the mean synthetic BOLD of
the visual parcels with 8-13 Hz power at the occipital electrodes, convolved with a double-gamma response. FC is the
correlation matrix of the parcels; its similarity is the correlation of two such matrices above the diagonal.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from realeeg.findings import measure_all
from realeeg.sessions import real_sessions, simulated_sessions, wrap_eegmat
from realeeg.table import as_markdown, judge, tasks_of

from bids_eeg2fmri.bold.grid import make_grid
from bids_eeg2fmri.network.bundle import load_bundle
from bids_eeg2fmri.settings import OutputSpace
from bids_eeg2fmri.synthesis.start import make_maps


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="neuralfield-sim")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--bids-dir", type=Path, help="a BIDS dataset with EEG")
    source.add_argument("--eegmat", type=Path, help="folder with the EDF files of eegmat")
    parser.add_argument("--tr", type=float, default=2.0, help="repetition time where there are no volume markers, in s")
    parser.add_argument("--simulated-people", type=int, default=12)
    parser.add_argument("--json", type=Path, help="also write the results here")
    arguments = parser.parse_args()
    bundle = load_bundle(arguments.model)
    maps = make_maps(bundle.network, make_grid(OutputSpace(resolution="4")))
    with ExitStack() as stack:
        bids_dir = arguments.bids_dir
        if arguments.eegmat:
            root = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            bids_dir = wrap_eegmat(arguments.eegmat, root)
        real, problems = measure_all(real_sessions(bids_dir, arguments.tr), bundle, maps)
    durations_s = {
        task: float(np.median([finding.duration_s for finding in real if finding.task == task]))
        for task in tasks_of(real)
    }
    sessions = simulated_sessions(arguments.simulated_people, durations_s, arguments.tr)
    simulated, refused = measure_all(sessions, bundle, maps)
    rows = judge(real, simulated, len(problems), len(refused))
    print("\n".join([*problems, *refused, as_markdown(rows)]))
    if arguments.json:
        result = {
            "model": {"name": bundle.name, "version": bundle.version, "sha256": bundle.sha256},
            "table": [vars(row) for row in rows],
            "real": [finding.as_row() for finding in real],
            "simulated": [finding.as_row() for finding in simulated],
            "problems": [*problems, *refused],
        }
        arguments.json.write_text(json.dumps(result, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
