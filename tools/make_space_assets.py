"""Derive the shipped template files from the ICBM 2009c asymmetric T1w and the source atlases.

Run once, by hand; the results are committed under ``bids_eeg2fmri/assets``::

    python tools/make_space_assets.py T1W SCHAEFER200 HARVARD_OXFORD_SUB

``T1W`` is the brain-extracted MNI152NLin2009cAsym T1w at 1 mm; ``SCHAEFER200`` (7 networks) and
``HARVARD_OXFORD_SUB`` are label images in MNI152NLin6 at 2 mm, which are carried over by world
coordinates, without a warp between the two template versions.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
from nibabel.affines import apply_affine
from scipy import ndimage
from sklearn.mixture import GaussianMixture

from bids_eeg2fmri.bold.grid import named_geometry, sample_template

ASSETS = Path(__file__).resolve().parents[1] / "bids_eeg2fmri" / "assets"

# First and last parcel of each network in the 200-parcel, 7-network order (Schaefer et al. 2018).
NETWORKS = {
    "L": {"Vis": 14, "SomMot": 30, "DorsAttn": 43, "SalVentAttn": 54, "Limbic": 60, "Cont": 73, "Default": 100},
    "R": {"Vis": 115, "SomMot": 134, "DorsAttn": 147, "SalVentAttn": 158, "Limbic": 164, "Cont": 181, "Default": 200},
}
SUBCORTICAL = {
    "L": {4: "Thalamus", 5: "Caudate", 6: "Putamen", 7: "Pallidum", 9: "Hippocampus", 10: "Amygdala", 11: "Accumbens"},
    "R": {
        15: "Thalamus",
        16: "Caudate",
        17: "Putamen",
        18: "Pallidum",
        19: "Hippocampus",
        20: "Amygdala",
        21: "Accumbens",
    },
}


def sample_nearest(image: nib.Nifti1Image, affine: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Labels of ``image`` on another grid, by world coordinates, nearest neighbour."""
    to_voxel = np.linalg.inv(image.affine) @ affine
    labels = np.asarray(image.dataobj).astype(np.int16)
    return ndimage.affine_transform(labels, to_voxel[:3, :3], to_voxel[:3, 3], output_shape=shape, order=0)


def three_classes(intensity: np.ndarray, brain: np.ndarray) -> np.ndarray:
    """Cerebrospinal fluid (1), grey (2) and white matter (3): Gaussian mixture of the T1w intensities."""
    smooth = ndimage.gaussian_filter(intensity.astype(np.float32), 0.5)
    values = smooth[brain][:, None]
    # The three tissue peaks of this image; the mixture refines them.
    start = np.array([[400.0], [800.0], [1000.0]])
    mixture = GaussianMixture(3, means_init=start, random_state=0, tol=1e-4).fit(values[::7])
    order = mixture.means_[:, 0].argsort().argsort()
    classes = np.zeros(intensity.shape, np.uint8)
    classes[brain] = order[mixture.predict(values)] + 1
    # A majority vote over the 26 neighbours takes single-voxel speckle out.
    votes = np.stack([ndimage.uniform_filter((classes == k).astype(np.float32), 3) for k in (1, 2, 3)])
    classes[brain] = votes[:, brain].argmax(0) + 1
    return classes


def save(data: np.ndarray, affine: np.ndarray, path: Path, dtype: type) -> None:
    """Write ``data`` as gzipped NIfTI in MNI coordinates (form code 4)."""
    image = nib.Nifti1Image(data.astype(dtype), affine)
    image.header.set_xyzt_units("mm", "sec")
    image.set_sform(affine, 4)
    image.set_qform(affine, 4)
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.openers.Opener.default_compresslevel = 9
    nib.save(image, path)


def main() -> None:
    """Write every asset."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("t1w", type=Path)
    parser.add_argument("schaefer200", type=Path)
    parser.add_argument("harvard_oxford_sub", type=Path)
    arguments = parser.parse_args()

    t1w = nib.load(arguments.t1w)
    intensity = t1w.get_fdata(dtype=np.float32)
    brain = ndimage.binary_fill_holes(ndimage.binary_closing(intensity > 0, iterations=4))
    classes = three_classes(intensity, brain)
    subcortical = nib.load(arguments.harvard_oxford_sub)
    deep_labels = sample_nearest(subcortical, t1w.affine, t1w.shape)
    deep = np.isin(deep_labels, [label for side in SUBCORTICAL.values() for label in side])
    # Deep nuclei are bright on T1w and fall into the white-matter class: the atlas knows better.
    classes[deep & brain & (classes == 3)] = 2
    save(classes, t1w.affine, ASSETS / "space" / "MNI152NLin2009cAsym_res-1_dseg.nii.gz", np.uint8)
    for label in "234":
        affine, shape = named_geometry(label)
        tissues = sample_template(affine, shape)
        save(tissues, affine, ASSETS / "space" / f"MNI152NLin2009cAsym_res-{label}_dseg.nii.gz", np.uint8)

    affine2, shape2 = named_geometry("2")
    to_voxel = np.linalg.inv(t1w.affine) @ affine2
    coarse = ndimage.affine_transform(
        ndimage.gaussian_filter(intensity, 0.8), to_voxel[:3, :3], to_voxel[:3, 3], output_shape=shape2, order=1
    )
    t1w2 = 255 * coarse / np.percentile(coarse[coarse > 0], 99.9)
    save(np.clip(t1w2, 0, 255), affine2, ASSETS / "space" / "MNI152NLin2009cAsym_res-2_T1w.nii.gz", np.uint8)

    cortex = sample_nearest(nib.load(arguments.schaefer200), affine2, shape2)
    deep2 = sample_nearest(subcortical, affine2, shape2)
    parcels, rows = cortex.astype(np.uint8), []
    first = 1
    for side in "LR":
        for network, last in NETWORKS[side].items():
            for index in range(first, last + 1):
                rows.append(
                    {"index": index, "name": f"{network}-{index - first + 1}", "hemisphere": side, "network": network}
                )
            first = last + 1
    index = 200
    for side in "LR":
        for label, name in SUBCORTICAL[side].items():
            index += 1
            parcels[deep2 == label] = index
            rows.append({"index": index, "name": name, "hemisphere": side, "network": "Subcortical"})
    table = pd.DataFrame(rows)
    for row in table.itertuples():
        centre = apply_affine(affine2, np.argwhere(parcels == row.index).mean(0)).round(1)
        table.loc[row.Index, ["x_mm", "y_mm", "z_mm"]] = centre
    stem = ASSETS / "atlas" / "parcels214_space-MNI152NLin2009cAsym_res-2"
    save(parcels, affine2, Path(f"{stem}_dseg.nii.gz"), np.uint8)
    table.to_csv(f"{stem}_dseg.tsv", sep="\t", index=False)


if __name__ == "__main__":
    main()
