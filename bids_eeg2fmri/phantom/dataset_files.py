"""The files of a simulated dataset as a whole, and of its ground truth."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .. import __version__
from ..derivatives.atomic import write_json, write_text
from .person import PersonSpec
from .request import Request
from .run import ground_truth
from .tables import write_table

GENERATOR = "bids-eeg2fmri-phantom"

_BIDS_VERSION = "1.10.0"
_README = """\
# SIMULATED simultaneous EEG-fMRI

**Nothing in this dataset was measured, and nobody took part.** EEG and BOLD were simulated by {generator} {version};
no result obtained from them may be reported as if it had been obtained from people.

- `sub-*/eeg`: EEG on {cap} electrodes (reference: {reference}) with a marker `R128` at the onset of every volume;
  the scanner starts {lead_in_s:g} s into the EEG.
- `sub-*/func`: BOLD with noise. The simulated people are their own template: the images are aligned with
  MNI152NLin2009cAsym.
- `derivatives/ground-truth`: BOLD without noise, states of the networks, and the sources of every person.
- Coupling of the EEG to the slow states: {coupling:g} times the usual{decoupled}.

How it was made: sources in the template's grey matter follow slow states (0.005-0.12 Hz) of random bilateral networks.
The states change the amplitudes of the sources' oscillations (alpha and beta down, gamma up) and, through a
haemodynamic response, the BOLD around them. A four-shell spherical head carries the oscillations to the scalp.

Command: `{command}`
"""
_DECOUPLED = ", but BOLD follows states of its own: nothing in it can be known from the EEG"
_TRUTH_README = """\
# Ground truth of a SIMULATED dataset

- `*_desc-noisefree_bold.nii.gz`: BOLD before any noise was added, on the baseline of the raw image.
- `*_desc-parcels_timeseries.tsv`: its means over 214 parcels (Schaefer 2018, 7 networks, and subcortex), per cent.
- `*_desc-networks_timeseries.tsv`: slow states of the person's networks at the onset of every volume.
- `*_sources.tsv`: place, direction, strength, networks and haemodynamics of every source.
"""


def write_dataset_files(root: Path, request: Request, specs: Mapping[str, PersonSpec]) -> None:
    """Write the description, README and participants of a simulated dataset and of its ground truth."""
    # mne-bids has left a README that tells only how to cite mne-bids.
    with suppress(FileNotFoundError):
        (root / "README").unlink()
    write_text(root / "README.md", _readme(request))
    _write_participants(root, specs)
    name = "SIMULATED simultaneous EEG-fMRI"
    write_json(root / "dataset_description.json", _description(name, "raw", request))
    truth = ground_truth(root)
    write_text(truth / "README.md", _TRUTH_README)
    write_text(truth / ".bidsignore", "*_timeseries.*\n*_sources.*\n")
    descriptions = {"desc-noisefree": "BOLD before noise was added", "desc-brain": "Brain mask of the template"}
    columns = {"desc_id": list(descriptions), "description": list(descriptions.values())}
    write_table(truth / "descriptions.tsv", columns)
    derivative = _description(f"Ground truth of {name}", "derivative", request)
    derivative |= {"SourceDatasets": [{"URL": "../.."}], "DatasetLinks": {"raw": "../.."}}
    write_json(truth / "dataset_description.json", derivative)


def _readme(request: Request) -> str:
    return _README.format(
        generator=GENERATOR,
        version=__version__,
        decoupled=_DECOUPLED if request.decouple else "",
        command=_command(request),
        **{name: getattr(request, name) for name in ("cap", "reference", "lead_in_s", "coupling")},
    )


def _command(request: Request) -> str:
    """The command that makes the same dataset again."""
    shown = {name: value for name, value in asdict(request).items() if name not in ("output_dir", "overwrite")}
    words = [GENERATOR, "OUT"]
    for name, value in shown.items():
        option = name.replace("_", "-")
        if name.endswith("artefact_v"):
            option, value = f"{option.removesuffix('-v')}-uv", None if value is None else f"{1e6 * value:g}"
        if name == "decouple":
            words += ["--decouple"] if value else []
        elif value is not None:
            words += [f"--{option}", *(value if isinstance(value, tuple) else [str(value)])]
    return " ".join(words)


def _write_participants(root: Path, specs: Mapping[str, PersonSpec]) -> None:
    write_table(
        root / "participants.tsv",
        {
            "participant_id": [f"sub-{label}" for label in specs],
            "species": ["homo sapiens"] * len(specs),
            "alpha_peak_hz": [spec.alpha_hz for spec in specs.values()],
            "n_networks": [spec.n_networks for spec in specs.values()],
            "seed": [spec.seed for spec in specs.values()],
        },
    )
    write_json(
        root / "participants.json",
        {
            "participant_id": {"Description": "Label of a simulated person"},
            "species": {"Description": "Species that the simulation imitates"},
            "alpha_peak_hz": {"Description": "Frequency of the simulated alpha rhythm", "Units": "Hz"},
            "n_networks": {"Description": "Number of simulated networks"},
            "seed": {"Description": "Seed that the person was drawn from"},
        },
    )


def _description(name: str, kind: str, request: Request) -> dict[str, Any]:
    return {
        "Name": name,
        "BIDSVersion": _BIDS_VERSION,
        "DatasetType": kind,
        "License": "CC0",
        "Authors": [f"{GENERATOR} (simulation)"],
        "GeneratedBy": [
            {
                "Name": GENERATOR,
                "Version": __version__,
                "Description": f"Simulated, not measured. Command: {_command(request)}",
            }
        ],
        "Keywords": ["simulated", "EEG", "BOLD"],
    }
