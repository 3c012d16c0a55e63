"""Make ``examples/ds-eegmat``: two rest recordings of the PhysioNet data set eegmat as a BIDS data set.

Usage: python tools/make_example_dataset.py SOURCE_DIR OUTPUT_DIR

``SOURCE_DIR`` holds ``Subject00_1.edf``, ``Subject01_1.edf`` and ``subject-info.csv`` as distributed by
https://physionet.org/content/eegmat/1.0.0/. The signals are copied unchanged.
"""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path

import mne
import mne_bids

SUBJECTS = ("00", "01")
LINE_FREQ_HZ = 50
LICENSE = "Open Data Commons Attribution License v1.0 (ODC-By 1.0)"
DOI = "doi:10.3390/data4010014"
AUTHORS = [
    "Igor Zyma",
    "Sergii Tukaev",
    "Ivan Seleznov",
    "Ken Kiyono",
    "Anton Popov",
    "Mariia Chernykh",
    "Oleksii Shpenkov",
]
CITATION = (
    "Zyma I, Tukaev S, Seleznov I, Kiyono K, Popov A, Chernykh M, Shpenkov O. Electroencephalograms during Mental "
    "Arithmetic Task Performance. Data. 2019; 4(1):14. https://doi.org/10.3390/data4010014"
)
PHYSIONET = (
    "Goldberger AL, et al. PhysioBank, PhysioToolkit, and PhysioNet. Circulation. 2000; 101(23):e215-e220. "
    "https://doi.org/10.1161/01.CIR.101.23.e215"
)
README = f"""# Example data set: EEG at rest

Two people at rest, before a mental arithmetic task: 19 channels of the 10-20 system, 500 Hz, about
3 minutes each. These are the recordings `Subject00_1.edf` and `Subject01_1.edf` of "EEG During Mental Arithmetic
Tasks" 1.0.0 (https://physionet.org/content/eegmat/1.0.0/), arranged by `tools/make_example_dataset.py`. The signals
are unchanged; their authors filtered them and removed artefacts by independent component analysis. There are no
electrode positions: the names are those of the 10-20 system.

The original data are under the {LICENSE}, https://opendatacommons.org/licenses/by/1-0/, and so is
this copy. Please cite:

- {CITATION}
- {PHYSIONET}
"""
SIDECAR = {
    "TaskDescription": "Rest before serial subtraction (the counting itself is not in this copy).",
    "Manufacturer": "XAI-MEDICA",
    "ManufacturersModelName": "Neurocom EEG 23-channel system",
    "EEGReference": "interconnected ear electrodes",
    "EEGGround": "n/a",
    "EEGPlacementScheme": "10-20",
    "SoftwareFilters": {
        "HighPass": {"CutoffHz": 0.5},
        "LowPass": {"CutoffHz": 45},
        "Notch": {"FrequencyHz": 50},
    },
    "RecordingType": "continuous",
}


def main() -> None:
    """Read the arguments and write the data set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source_dir", type=Path)
    parser.add_argument("output_dir", type=Path)
    arguments = parser.parse_args()
    for subject in SUBJECTS:
        write_recording(arguments.source_dir / f"Subject{subject}_1.edf", subject, arguments.output_dir)
    write_participants(arguments.source_dir / "subject-info.csv", arguments.output_dir)
    write_description(arguments.output_dir)


def write_recording(edf: Path, subject: str, root: Path) -> None:
    """Copy one EDF file to its BIDS name with its sidecars."""
    raw = mne.io.read_raw_edf(edf, preload=False, verbose="ERROR")
    raw.info["line_freq"] = LINE_FREQ_HZ
    raw.set_channel_types({"ECG ECG": "ecg", "EEG A2-A1": "misc"}, verbose="ERROR")
    # Its only annotation states the length of the file.
    raw.set_annotations(None)
    path = mne_bids.BIDSPath(subject=subject, task="rest", datatype="eeg", root=root)
    mne_bids.write_raw_bids(raw, path, overwrite=True, verbose="ERROR")
    mne_bids.update_sidecar_json(path.copy().update(suffix="eeg", extension=".json"), SIDECAR, verbose="ERROR")


def write_participants(subject_info: Path, root: Path) -> None:
    """Write age, sex and how well each person counted; the EDF headers hold other, made-up birthdays."""
    with subject_info.open(encoding="utf-8") as stream:
        people = {row["Subject"]: row for row in csv.DictReader(stream)}
    lines = ["participant_id\tage\tsex\tcount_quality"]
    for subject in SUBJECTS:
        row = people[f"Subject{subject}"]
        quality = "good" if row["Count quality"] == "1" else "bad"
        lines.append(f"sub-{subject}\t{row['Age']}\t{row['Gender']}\t{quality}")
    (root / "participants.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    columns = {
        "age": {"Description": "Age of the participant", "Units": "year"},
        "sex": {"Description": "Sex of the participant", "Levels": {"F": "female", "M": "male"}},
        "count_quality": {
            "Description": "How well the person performed the later serial subtraction",
            "Levels": {"good": "many subtractions in 4 minutes", "bad": "few subtractions in 4 minutes"},
        },
    }
    write_json(root / "participants.json", columns)


def write_description(root: Path) -> None:
    """Write ``dataset_description.json`` and the README with the attribution."""
    description = {
        "Name": "EEG at rest before mental arithmetic (two recordings of PhysioNet eegmat 1.0.0)",
        "BIDSVersion": "1.10.1",
        "DatasetType": "raw",
        "License": LICENSE,
        "Authors": AUTHORS,
        "HowToAcknowledge": f"Please cite: {CITATION} and {PHYSIONET}",
        "ReferencesAndLinks": [CITATION, PHYSIONET],
        "DatasetDOI": DOI,
        "SourceDatasets": [{"URL": "https://physionet.org/content/eegmat/1.0.0/", "Version": "1.0.0"}],
        "GeneratedBy": [
            {"Name": "mne-bids", "Version": mne_bids.__version__, "CodeURL": "https://mne.tools/mne-bids/"}
        ],
    }
    write_json(root / "dataset_description.json", description)
    (root / "README").unlink(missing_ok=True)
    (root / "README.md").write_text(README, encoding="utf-8")


def write_json(path: Path, content: object) -> None:
    """Write indented JSON with a final line break."""
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
