"""The files of the dataset of parcels as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from .. import __version__
from ..bold.grid import SPACE
from ..bold.parcellation import Parcellation
from .atomic import json_text, sweep, write_text_if_changed
from .dataset import dataset_description
from .parcel_names import FOLDER
from .provenance import ModelProvenance

_README = """\
# Parcel series of synthetic BOLD predicted from EEG

**Nothing in this dataset was measured by an MRI scanner.** The series were predicted from EEG by bids_eeg2fmri
{version}; the dataset above this folder says how, and holds the images they are averages of, if those were asked for.

- `stat-mean`: mean over each parcel, 1000 + 10 z. One row per volume, one column per parcel; columns are named.
- `stat-std`: predictive standard deviation of that mean, same units. It is not the mean of the voxels' standard
  deviations: errors of neighbours go together.
- `desc-samples`: draws of whole series from the predictive distribution, one below the other.
- `tpl-*/`: the label of every parcel.

For research use only, not for clinical decisions.
"""


def write_parcels_dataset(
    output_dir: Path,
    bids_dir: Path,
    derivatives: Mapping[str, Path],
    model: ModelProvenance,
    parcellation: Parcellation,
) -> None:
    """Write ``dataset_description.json``, ``.bidsignore``, ``README.md`` and the table of labels.

    Safe when many jobs do so at once, as :func:`.dataset.write_dataset_files` is.
    """
    root = output_dir / FOLDER
    description = dataset_description(root, bids_dir, derivatives, model)
    description["Name"] = f"Parcels: {description['Name']}"
    write_text_if_changed(root / "dataset_description.json", json_text(description))
    write_text_if_changed(root / ".bidsignore", "*_timeseries.*\n")
    write_text_if_changed(root / "README.md", _README.format(version=__version__))
    stem = f"tpl-{SPACE}_seg-{parcellation.label}_dseg"
    folder = root / f"tpl-{SPACE}" / "anat"
    sweep(root, folder)
    rows = "".join(f"{index}\t{name}\n" for index, name in zip(parcellation.indices, parcellation.names, strict=True))
    write_text_if_changed(folder / f"{stem}.tsv", f"index\tname\n{rows}")
    write_text_if_changed(
        folder / f"{stem}.json", json_text({"Description": parcellation.source, "SHA256": parcellation.sha256})
    )
