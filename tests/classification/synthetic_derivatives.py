"""Synthetic derivatives, written directly: a few coarse images with a sidecar each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import nibabel as nib
import numpy as np

from bids_eeg2fmri.bold.atlas import load_atlas
from bids_eeg2fmri.bold.units import BASELINE, UNITS_PER_Z

TR_S, N_VOLUMES = 2.0, 40
_AFFINE = np.array([[8.0, 0, 0, -96], [0, 8.0, 0, -132], [0, 0, 8.0, -78], [0, 0, 0, 1]])
_SHAPE = (25, 29, 25)


def parcel_image(series_z: np.ndarray) -> nib.Nifti1Image:
    """Parcel series (volumes x parcels) painted on the voxels of their parcels."""
    indices = np.argwhere(np.ones(_SHAPE))
    labels = load_atlas().labels_at(nib.affines.apply_affine(_AFFINE, indices)).reshape(_SHAPE)
    values = np.concatenate([np.full((len(series_z), 1), -BASELINE / UNITS_PER_Z), series_z], axis=1)
    return nib.Nifti1Image((BASELINE + UNITS_PER_Z * values.T[labels]).astype(np.float32), _AFFINE)


def write_recording(root: Path, stem: str, series_z: np.ndarray, **sidecar: object) -> Path:
    """Image and sidecar of one recording, ``stem`` being its entities; returns the sidecar."""
    folder = root / stem.partition("_")[0] / "func"
    folder.mkdir(parents=True, exist_ok=True)
    image = folder / f"{stem}_rec-eeg2fmri_space-MNI152NLin2009cAsym_res-4_desc-preproc_bold.nii.gz"
    nib.save(parcel_image(series_z), image)
    content = {"Synthetic": True, "ModelName": "test", "RepetitionTime": TR_S, "Metrics": {}} | sidecar
    path = image.with_name(image.name.removesuffix(".nii.gz") + ".json")
    path.write_text(json.dumps(content), "utf-8")
    return path


def write_table(path: Path, rows: Mapping[str, str], columns: tuple[str, str]) -> None:
    lines = ["\t".join(columns), *("\t".join(item) for item in rows.items())]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", "utf-8")
