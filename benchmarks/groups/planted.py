"""Simulated people of three groups that differ in their EEG by construction, and in nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from bids_eeg2fmri.phantom.caps import cap_names
from bids_eeg2fmri.phantom.draw import draw_person
from bids_eeg2fmri.phantom.eeg_files import write_eeg
from bids_eeg2fmri.phantom.person import BANDS, PersonSpec
from bids_eeg2fmri.phantom.request import Request
from bids_eeg2fmri.phantom.run import Run
from bids_eeg2fmri.phantom.scalp import project_eeg
from bids_eeg2fmri.phantom.sources import simulate_sources

# No training script uses these seeds.
_FIRST_SEED = 170_000
GROUPS = ("usual", "alpha", "flat", "other")
ALPHA_FACTOR, FLAT_FACTOR = 1.5, 0.25


def simulate(root: Path, n_per_group: int, duration_s: float, sfreq_hz: float = 250.0) -> Path:
    """Write the EEG of the groups as a BIDS dataset, with a column ``group`` in ``participants.tsv``.

    ``usual`` and ``other`` are drawn alike. ``alpha`` has :data:`ALPHA_FACTOR` times their alpha amplitude, ``flat``
    :data:`FLAT_FACTOR` times the coupling of EEG amplitudes to the states behind BOLD.
    """
    root.mkdir(parents=True, exist_ok=True)
    request = Request(root, tasks=("rest",), duration_s=duration_s, cap="32", sfreq_hz=sfreq_hz, lead_in_s=0.0)
    lines = ["participant_id\tgroup"]
    for index in range(n_per_group * len(GROUPS)):
        group, label = GROUPS[index % len(GROUPS)], f"{index + 1:03d}"
        lines.append(f"sub-{label}\t{group}")
        if not any((root / f"sub-{label}").glob("eeg/*_eeg.vhdr")):
            _write_person(root, request, label, of_group(draw_person(_FIRST_SEED + index, in_scanner=False), group))
    (root / "participants.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    description = {"Name": "SIMULATED groups", "BIDSVersion": "1.10.1", "DatasetType": "raw"}
    (root / "dataset_description.json").write_text(json.dumps(description), encoding="utf-8")
    return root


def of_group(spec: PersonSpec, group: str) -> PersonSpec:
    """The person with what distinguishes the group."""
    if group == "alpha":
        band_rms = spec.band_rms.copy()
        band_rms[:, BANDS.index("alpha")] *= ALPHA_FACTOR
        return replace(spec, band_rms=band_rms)
    return replace(spec, coupling_strength=FLAT_FACTOR * spec.coupling_strength) if group == "flat" else spec


def _write_person(root: Path, request: Request, label: str, spec: PersonSpec) -> None:
    rng = np.random.default_rng([_FIRST_SEED, int(label)])
    activity = simulate_sources(spec, request.duration_s, request.sfreq_hz, rng)
    signals, names, positions = project_eeg(activity, spec, cap_names(request.cap), rng, reference=request.reference)
    run = Run(label, None, "rest", None)
    write_eeg(root, run, request, signals, names, positions, (), spec.scalp_noise.line_hz)
