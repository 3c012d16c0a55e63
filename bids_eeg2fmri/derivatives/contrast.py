"""The maps of a comparison between people, in ``group_contrast/`` of the output directory."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import pandas as pd

from .atomic import atomic_path, write_json, write_text, writing

FOLDER = "group_contrast"


@dataclass(frozen=True)
class ContrastNames:
    """Names of the outputs of one contrast.

    Attributes
    ----------
    output_dir
        Root of the derivatives dataset.
    column, measure
        What was compared, and the maps.
    space_entities
        ``space-MNI152NLin2009cAsym_res-2``.
    """

    output_dir: Path
    column: str
    measure: str
    space_entities: str

    @property
    def stem(self) -> str:
        """Entities of every file."""
        return f"group_{self.space_entities}_contrast-{_label(self.column)}_desc-{_label(self.measure)}"

    def image(self, statistic: str) -> Path:
        """Map of a statistic: ``effect``, ``z``, ``p``, ``zThresholded``."""
        return self._file(f"_stat-{statistic}_statmap.nii.gz")

    @property
    def clusters(self) -> Path:
        """Table of clusters."""
        return self._file("_clusters.tsv")

    @property
    def description(self) -> Path:
        """What was fitted to whom."""
        return self._file("_statmap.json")

    def _file(self, ending: str) -> Path:
        return self.output_dir / FOLDER / f"{self.stem}{ending}"


def write_statistic(path: Path, image: nib.Nifti1Image) -> None:
    """Write a 3-D map as float32."""
    with atomic_path(path) as temporary, writing(path):
        nib.save(image, temporary)


def write_contrast_texts(names: ContrastNames, clusters: pd.DataFrame, description: dict[str, Any]) -> None:
    """Write the table of clusters and the description of all files of this contrast."""
    write_text(names.clusters, clusters.to_csv(sep="\t", index=False, na_rep="n/a", float_format="%.4g"))
    write_json(names.description, description)


def _label(text: str) -> str:
    """Letters and digits, words in camel case, as BIDS wants a label."""
    first, *others = re.findall(r"[0-9A-Za-z]+", text) or ["x"]
    return first + "".join(word[0].upper() + word[1:] for word in others)
