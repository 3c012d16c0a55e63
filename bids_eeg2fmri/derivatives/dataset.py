"""The files of the derivatives dataset as a whole, identical from every job that writes them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .. import __version__
from ..bids.content import read_json_object
from ..errors import Eeg2fmriError
from .atomic import json_text, write_bytes, write_text_if_changed
from .boilerplate import boilerplate
from .provenance import ModelProvenance

BIDS_VERSION = "1.10.0"

# A folder's name with a slash is not always honoured by the validator.
_BIDSIGNORE = (
    "*.html",
    "figures",
    "logs/",
    "*_boldref.*",
    "*_boldmap.*",
    "*_timeseries.*",
    "*_relevance.*",
    "*_relmat.*",
    "*_xfm.*",
    "group_*",
    "parcels",
    "layout_index.sqlite",
)
_DESCRIPTIONS = {
    "preproc": "Synthetic BOLD predicted from EEG, on a template grid; in anat/, a T1w image preprocessed by fMRIPrep "
    "or, with rec-template, the template in its stead",
    "brain": "Brain mask of the template; in anat/ without rec-template, that of the person by fMRIPrep",
    "confounds": "Confounds computed on the synthetic BOLD; motion is zero by construction",
    "total": "Predictive standard deviation of every volume, aleatoric and epistemic together",
    "aleatoric": "Aleatoric part of the predictive standard deviation, root mean square over volumes",
    "epistemic": "Epistemic part of the predictive standard deviation, root mean square over volumes",
    "interpretable": "Where the synthetic BOLD may be interpreted, by people held out of the model's training",
}
_README = """\
# Synthetic BOLD predicted from EEG

**No BOLD in this dataset was measured by an MRI scanner.** The images were predicted from EEG
by bids_eeg2fmri {version} with the model {model} {model_version} (trained on: {training}).

- Every predicted file's name carries `rec-eeg2fmri`, every predicted image's sidecar `"Synthetic": true`.
- Values are 1000 + 10 z, with z standardised over time. The positive baseline 1000 is set, not predicted.
- The predictive standard deviation stands beside every image (`stat-std`, `desc-total`,
  `desc-aleatoric`, `desc-epistemic`), in the same units. Read the images together with it.
- `stat-reliability` is the correlation with measured BOLD that may be expected of a new person, from people held
  out of the model's training; where `desc-interpretable` is 0, the images should not be interpreted. Models that
  were not evaluated in this way have neither.
- Head motion in the confounds is zero by construction: a synthetic image has no head that could move.
- Event onsets count from the first volume.
- Masks and tissues are those of the template (MNI152NLin2009cAsym), not of the person.
- `sub-*/anat/`, where there is one, is no output of the model. Files with `rec-template` in their names are the
  template, put there for tools that insist on a T1w image. The others are links to what fMRIPrep made of the person's
  own, measured image: they show a face unless it was removed, and lead nowhere without the fMRIPrep dataset.

For research use only, not for clinical decisions. The data inherit the licence of their source.
Methods and references: `logs/CITATION.md`. One report per person: `sub-*.html`.
"""


def write_dataset_files(
    output_dir: Path, bids_dir: Path, derivatives: Mapping[str, Path], model: ModelProvenance
) -> None:
    """Write ``dataset_description.json``, ``README.md``, ``.bidsignore`` and their like.

    Safe when many jobs do so at once: every job writes the same bytes, atomically, and only when they differ.

    Parameters
    ----------
    output_dir, bids_dir
        Roots of the output and of the EEG dataset.
    derivatives
        Further source datasets by name.
    model
        The model that makes the outputs.
    """
    description = dataset_description(output_dir, bids_dir, derivatives, model)
    readme = _README.format(
        version=__version__,
        model=model.name,
        model_version=model.version,
        training=", ".join(model.training_datasets) or "not stated",
    )
    write_text_if_changed(output_dir / "dataset_description.json", json_text(description))
    write_text_if_changed(output_dir / "README.md", readme)
    write_text_if_changed(output_dir / ".bidsignore", "".join(f"{pattern}\n" for pattern in _BIDSIGNORE))
    write_text_if_changed(output_dir / "descriptions.tsv", _descriptions_table())
    write_citation(output_dir, bids_dir, model)
    licence = bids_dir / "LICENSE"
    # A link out of the dataset leads to what is not the dataset's to give away.
    own = licence.resolve().is_relative_to(bids_dir.resolve())
    if own and licence.is_file() and not (output_dir / "LICENSE").exists():
        write_bytes(output_dir / "LICENSE", licence.read_bytes())


def write_citation(output_dir: Path, bids_dir: Path, model: ModelProvenance) -> None:
    """Write the methods text, ``logs/CITATION.md``, with versions and references."""
    source = _description_of(bids_dir)
    text = boilerplate(model, source.get("Name"), source.get("DatasetDOI"))
    write_text_if_changed(output_dir / "logs" / "CITATION.md", text)


def dataset_description(
    output_dir: Path, bids_dir: Path, derivatives: Mapping[str, Path], model: ModelProvenance
) -> dict[str, Any]:
    """Content of ``dataset_description.json``: this program comes first in ``GeneratedBy``, earlier links stay."""
    source = _description_of(bids_dir)
    links = {
        "raw": _link(output_dir, bids_dir),
        **{name: _link(output_dir, path) for name, path in derivatives.items()},
        "templateflow": "https://github.com/templateflow/templateflow",
    }
    description: dict[str, Any] = {
        "Name": f"Synthetic BOLD predicted from the EEG of {source.get('Name', bids_dir.resolve().name)}",
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "derivative",
        "GeneratedBy": [_this_program(), _model(model)],
        "SourceDatasets": [_source_dataset(source, _link(output_dir, bids_dir))],
        # Sorted, because every job is to write the same bytes.
        "DatasetLinks": dict(sorted((_earlier_links(output_dir) | links).items())),
        "HowToAcknowledge": "Cite the source dataset and the list in logs/CITATION.md; say that the BOLD is synthetic.",
        "Keywords": ["synthetic", "BOLD", "EEG", "predicted, not measured"],
    }
    inherited = {key: source[key] for key in ("License", "HEDVersion") if key in source}
    return description | inherited


def _earlier_links(output_dir: Path) -> dict[str, str]:
    """Links that a run before wrote: sidecars still name its datasets, though this run may not be given them."""
    description = _description_of(output_dir)
    makers, links = description.get("GeneratedBy"), description.get("DatasetLinks")
    names = [maker.get("Name") for maker in makers if isinstance(maker, dict)] if isinstance(makers, list) else []
    if _this_program()["Name"] not in names or not isinstance(links, dict):
        return {}
    return {name: link for name, link in links.items() if isinstance(link, str)}


def _this_program() -> dict[str, Any]:
    entry: dict[str, Any] = {
        "Name": "bids_eeg2fmri",
        "Version": __version__,
        "Description": "Predicts synthetic BOLD, with its uncertainty, from EEG",
    }
    # An Apptainer image made from the Docker image has the variables of both.
    if url := os.environ.get("BIDS_EEG2FMRI_SINGULARITY_URL"):
        entry["Container"] = {"Type": "singularity", "URI": url}
    elif tag := os.environ.get("BIDS_EEG2FMRI_DOCKER_TAG"):
        entry["Container"] = {"Type": "docker", "Tag": tag}
    return entry


def _model(model: ModelProvenance) -> dict[str, Any]:
    trained = ", ".join(model.training_datasets) or "not stated"
    return {
        "Name": model.name,
        "Version": model.version,
        "Description": f"Model weights ({model.network}), sha256 {model.sha256}, trained on: {trained}",
    }


def _source_dataset(source: Mapping[str, Any], link: str) -> dict[str, str]:
    entry = {"URL": link}
    if doi := source.get("DatasetDOI"):
        entry["DOI"] = str(doi)
    return entry


def _link(output_dir: Path, dataset: Path) -> str:
    """Relative where the output lies inside the dataset, so that both can be moved together."""
    output, root = output_dir.resolve(), dataset.resolve()
    if root in output.parents:
        return "/".join([".."] * len(output.relative_to(root).parts))
    return root.as_uri()


def dataset_name(root: Path) -> str:
    """Name and DOI of a dataset, as models and sidecars cite it."""
    source = _description_of(root)
    name, doi = source.get("Name") or root.resolve().name, source.get("DatasetDOI")
    return f"{name} ({doi})" if doi else str(name)


def _description_of(root: Path) -> dict[str, Any]:
    try:
        return read_json_object(root / "dataset_description.json")
    except Eeg2fmriError:
        return {}


def _descriptions_table() -> str:
    rows = "".join(f"desc-{label}\t{description}\n" for label, description in _DESCRIPTIONS.items())
    return f"desc_id\tdescription\n{rows}"
