"""One person's maps for a comparison: those of the recordings averaged, and how uncertain they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from ..bids.content import read_json_object
from ..eeg.tables import read_tsv
from ..errors import BadDataError
from ..evaluation.person_maps import recording_maps
from ..synthesis.samples import NOISE_TIME_CONSTANT_S

_BOLD = "_desc-preproc_bold.nii.gz"
_LEAST_COMPLETE = 20


@dataclass(frozen=True)
class PersonMaps:
    """Maps of one person.

    Attributes
    ----------
    maps
        By name, in BOLD units.
    mask, affine
        The grid and its brain.
    own_sd
        Predictive sd of a mean over the person's recordings, in the median voxel: the aleatoric part falls with the
        number of independent volumes, the epistemic one does not.
    """

    maps: dict[str, Float[np.ndarray, " voxels"]]
    mask: Bool[np.ndarray, "x y z"]
    affine: Float[np.ndarray, "4 4"]
    own_sd: float

    def image(self, name: str) -> nib.Nifti1Image:
        """A map as an image."""
        volume = np.zeros(self.mask.shape, np.float32)
        volume[self.mask] = self.maps[name]
        return nib.Nifti1Image(volume, self.affine)


def person_maps(sidecars: Sequence[Path]) -> PersonMaps:
    """Average the maps of a person's recordings; a map that not all of them have is left out.

    Raises
    ------
    BadDataError, MissingInputError
        An image, its mask or its uncertainty cannot be read.
    """
    images = [path.with_name(path.name.removesuffix(".json") + ".nii.gz") for path in sidecars]
    mask_image = nib.load(_beside(images[0], "_desc-brain_mask.nii.gz"))
    mask = np.asarray(mask_image.dataobj) > 0
    found, independent = [], 0.0
    variances: dict[str, list[np.ndarray]] = {"aleatoric": [], "epistemic": []}
    for sidecar, image in zip(sidecars, images, strict=True):
        content, n_volumes = read_json_object(sidecar), nib.load(image).shape[3]
        tr_s = float(content["RepetitionTime"])
        skipped = _incomplete(content, n_volumes)
        start_time_s = float(content.get("StartTime", 0.0))
        found.append(recording_maps(image, mask, tr_s, _events(image), start_time_s=start_time_s, n_incomplete=skipped))
        memory = np.exp(-tr_s / NOISE_TIME_CONSTANT_S)
        independent += (n_volumes - skipped) * (1 - memory) / (1 + memory)
        for part, parts in variances.items():
            sd = nib.load(_beside(image, f"_stat-std_desc-{part}_boldmap.nii.gz"))
            parts.append(np.square(np.asarray(sd.dataobj)[mask]))
    shared = [name for name in found[0] if all(name in maps for maps in found)]
    aleatoric, epistemic = (np.mean(parts, axis=0) for parts in variances.values())
    variance = aleatoric / max(independent, 1.0) + epistemic
    return PersonMaps(
        {name: np.mean([maps[name] for maps in found], axis=0) for name in shared},
        mask,
        mask_image.affine,
        float(np.sqrt(np.median(variance))),
    )


def _incomplete(content: Mapping[str, Any], n_volumes: int) -> int:
    """Volumes that miss part of the EEG before them and vary less; none where hardly any others are left."""
    volumes = int(content.get("IncompleteHistory", {}).get("Volumes", 0))
    return volumes if n_volumes - volumes >= _LEAST_COMPLETE else 0


def _beside(image: Path, ending: str) -> Path:
    path = image.with_name(image.name.removesuffix(_BOLD) + ending)
    if not path.is_file():
        raise BadDataError(
            "an image of the recording is missing.", path=path, remedy="Run this recording again with --overwrite."
        )
    return path


def _events(image: Path) -> pd.DataFrame | None:
    path = image.with_name(image.name.partition("_space-")[0] + "_events.tsv")
    if not path.is_file():
        return None
    rows = pd.DataFrame(read_tsv(path, ("onset",)))
    if rows.empty:
        return None
    table = pd.DataFrame(
        {
            "onset": pd.to_numeric(rows["onset"], errors="coerce"),
            "duration": pd.to_numeric(rows.get("duration", pd.Series("0", rows.index)), errors="coerce").fillna(0),
            "trial_type": rows.get("trial_type", pd.Series("event", rows.index)).astype(str),
        }
    )
    return table[table["onset"].notna() & (table["trial_type"] != "n/a")]
