"""Anatomy beside the synthetic BOLD: links to what fMRIPrep made of the person, or the template in its stead.

XCP-D insists on a T1w image, a brain mask in the space of the BOLD and the transforms between the two. Transforms get
no sidecar: XCP-D takes the first file whose name fits, and that would be the JSON.
"""

from __future__ import annotations

import errno
import filecmp
import gzip
import logging
import os
import shutil
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from ..bids.anatomy_files import STAND_IN, AnatomyFiles, anatomy_kind
from ..bids.bids_name import parse_name
from ..bids.content import read_json_object
from ..bids.inheritance import Companions
from ..bold.grid import load_asset, make_grid
from ..errors import Eeg2fmriError, OutputError
from ..settings import SPACE, OutputSpace
from .atomic import json_text, sweep, temporary_folder, write_bytes_if_changed, write_text_if_changed, writing
from .names import sidecar
from .sidecars import TEMPLATE_URI

logger = logging.getLogger(__name__)

# File systems without symbolic links answer with one of these.
_NO_LINKS = {errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP}

_IDENTITY = """\
#Insight Transform File V1.0
#Transform 0
Transform: AffineTransform_double_3_3
Parameters: 1 0 0 0 1 0 0 0 1 0 0 0
FixedParameters: 0 0 0
"""
_ICBM_NOTICE = (
    "Copyright (C) 1993-2009 Louis Collins, McConnell Brain Imaging Centre, Montreal Neurological Institute, McGill "
    "University. Permission to use, copy, modify, and distribute this software and its documentation for any purpose "
    "and without fee is hereby granted, provided that the above copyright notice appear in all copies. The authors and "
    "McGill University make no representations about the suitability of this software for any purpose. It is provided "
    '"as is" without express or implied warranty. The authors are not responsible for any data loss, equipment damage, '
    "property loss, or injury to subjects or patients resulting from the use or misuse of this software package."
)


def anatomy_dir(output_dir: Path, subject: str) -> Path:
    """The folder of a person's anatomy: one for all sessions."""
    return output_dir / f"sub-{subject}" / "anat"


def has_own_anatomy(output_dir: Path, subject: str) -> bool:
    """Whether a T1w image other than the stand-in lies in a person's folder, be it a link that leads nowhere."""
    return bool(_own_images(output_dir, subject))


def lost_anatomy(output_dir: Path, subject: str) -> list[Path]:
    """T1w images in a person's folder that are links, and lead nowhere."""
    return [path for path in _own_images(output_dir, subject) if not path.exists()]


def _own_images(output_dir: Path, subject: str) -> list[Path]:
    images = anatomy_dir(output_dir, subject).glob(f"sub-{subject}_*T1w.nii.gz")
    return sorted(path for path in images if not _is_stand_in(path))


def link_anatomy(output_dir: Path, subject: str, anatomy: AnatomyFiles) -> None:
    """Link a person's anatomy into the output, and remove what it supersedes: stand-ins, and links to other anatomy.

    Links are relative and carry fMRIPrep's names, without the session. Where the file system has no links, the files
    are copied. Images get sidecars of their own, which say where the image lies. Whatever speaks against a file is
    found before the first one is written.

    Raises
    ------
    WriteError, OutputError
        The files cannot be written: they would go into another dataset, or replace a file that is not ours.
    """
    folder, companions = _folder_of_its_own(output_dir, subject), Companions(anatomy.root)
    sources = {folder / _without_session(source.name): source for source in anatomy.found}
    described = {
        path: json_text(_image_sidecar(source, anatomy, companions))
        for path, source in sources.items()
        if source in (anatomy.t1w, anatomy.mask)
    }
    for path, source in sources.items():
        _refuse_to_replace(path, source)
    sweep(folder)
    for path, source in sources.items():
        # The sidecar comes first: it tells a copy of ours from a file of the user.
        if path in described:
            write_text_if_changed(sidecar(path), described[path])
        _link(path, source)
    for path in sorted(folder.glob(f"sub-{subject}_*")):
        if path not in sources and (_is_stand_in(path) or _is_our_link(path)):
            outdated = [path, sidecar(path)] if _is_stand_in(path) or _is_described(path) else [path]
            _remove(*outdated)


def write_stand_in(output_dir: Path, subject: str) -> None:
    """Write the template in the place of a person's anatomy, marked ``rec-template`` in every name.

    Raises
    ------
    WriteError, OutputError
        The files cannot be written, or would go into another dataset.
    """
    folder = _folder_of_its_own(output_dir, subject)
    sweep(folder)
    for ending, content in _stand_in().items():
        path = folder / f"sub-{subject}_rec-{STAND_IN}_{ending}"
        write_bytes_if_changed(path, content)


def _folder_of_its_own(output_dir: Path, subject: str) -> Path:
    """The folder of a person's anatomy, unless a link makes it a folder of another dataset."""
    folder = anatomy_dir(output_dir, subject)
    for part in (folder.parent, folder):
        if part.is_symlink():
            raise OutputError(
                "this is a link, and anatomy put here would be written into what it leads to.",
                path=part,
                remedy="Remove the link, or put a folder in its place, then run again.",
            )
    return folder


def _refuse_to_replace(path: Path, source: Path) -> None:
    with writing(path):
        if not os.path.lexists(path) or _is_there(path, source) or _is_our_link(path) or _is_our_copy(path):
            return
    raise OutputError(
        f"the name is needed for a link to {source}, but a file that is not of bids_eeg2fmri has it.",
        path=path,
        remedy="Move or rename that file, or run without the anatomy.",
    )


def _link(path: Path, source: Path) -> None:
    """Make ``path`` a relative link to ``source``, or a copy where there can be no links."""
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        if _is_there(path, source):
            return
    with writing(path), temporary_folder(path.parent) as folder:
        made = folder / path.name
        try:
            made.symlink_to(_target(path, source))
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            shutil.copy2(source, made)
        made.replace(path)


def _is_there(path: Path, source: Path) -> bool:
    if path.is_symlink():
        return path.readlink() == _target(path, source)
    return path.is_file() and filecmp.cmp(path, source)


def _target(path: Path, source: Path) -> Path:
    # A relative link starts where the folder really is, not where a link to the folder is.
    return Path(os.path.relpath(source.parent.resolve() / source.name, path.parent.resolve()))


def _is_our_link(path: Path) -> bool:
    """Whether a link leads to anatomy of the same name, as ours do and those of git-annex do not."""
    is_anatomy = anatomy_kind(path.name) is not None
    return is_anatomy and path.is_symlink() and _without_session(path.readlink().name) == path.name


def _is_our_copy(path: Path) -> bool:
    """Whether a file is no link of ours, but our sidecar speaks for it: a transform's is that of its T1w image."""
    if _suffix(path) != "xfm":
        return not _is_our_link(path) and _is_described(path)
    images = path.parent.glob("sub-*_T1w.nii.gz")
    return any(_common_entities(image) == _common_entities(path) and _is_our_copy(image) for image in images)


def _is_described(image: Path) -> bool:
    """Whether the sidecar beside an image is ours."""
    try:
        content = read_json_object(sidecar(image))
    except Eeg2fmriError:
        return False
    sources = content.get("Sources")
    names = [str(uri).rpartition("/")[2] for uri in sources] if isinstance(sources, list) else []
    return content.get("Synthetic") is False and [_without_session(name) for name in names] == [image.name]


def _remove(*paths: Path) -> None:
    for path in paths:
        with writing(path):
            path.unlink(missing_ok=True)


def _without_session(name: str) -> str:
    return "_".join(part for part in name.split("_") if not part.startswith("ses-"))


def _entities(path: Path) -> dict[str, str]:
    name = parse_name(path.name)
    return {} if name is None else name.entities


def _common_entities(path: Path) -> dict[str, str]:
    """Entities that the T1w image and the transforms of one set share."""
    return {key: value for key, value in _entities(path).items() if key not in ("desc", "from", "to", "mode")}


def _suffix(path: Path) -> str:
    name = parse_name(path.name)
    return "" if name is None else name.suffix


def _is_stand_in(path: Path) -> bool:
    return _entities(path).get("rec") == STAND_IN


def _image_sidecar(image: Path, anatomy: AnatomyFiles, companions: Companions) -> dict[str, Any]:
    """The sidecar of fMRIPrep, where the image lies, and what the standard requires and fMRIPrep leaves out."""
    suffix, entities = _suffix(image), _entities(image)
    required: Mapping[str, Any] = {"SkullStripped": False} if suffix == "T1w" else {"Type": "Brain"}
    if "res" in entities:
        required = {**required, "Resolution": f"res-{entities['res']} of {SPACE}, as resampled by fMRIPrep"}
    return {
        **required,
        **_metadata(image, anatomy, companions),
        "Synthetic": False,
        "Sources": [f"bids:{anatomy.dataset}:{image.relative_to(anatomy.root).as_posix()}"],
    }


def _metadata(image: Path, anatomy: AnatomyFiles, companions: Companions) -> dict[str, Any]:
    """What fMRIPrep says about an image; nothing, with a warning, where that cannot be read."""
    try:
        content = companions.metadata(image, anatomy.root, _suffix(image))
    except Eeg2fmriError as error:
        logger.warning("%s is linked without what its own sidecar says: %s", image, error)
        return {}
    if not content:
        logger.warning("%s has no sidecar of its own: its link says only where it lies.", image)
    return content


@lru_cache(maxsize=1)
def _stand_in() -> dict[str, bytes]:
    """Content by the end of the name; the T1w image comes last, because readers look for it first."""
    grid = make_grid(OutputSpace(resolution="2"))
    t1w = load_asset(f"space/{SPACE}_res-2_T1w.nii.gz")
    mask_name, t1w_name = f"space-{SPACE}_res-2_desc-brain_mask", "desc-preproc_T1w"
    common = {
        "Synthetic": True,
        "StandIn": True,
        "Resolution": grid.description,
        "SpatialReference": TEMPLATE_URI.format(resolution="02"),
        "License": _ICBM_NOTICE,
    }
    t1w_sidecar = {
        "Description": f"The template {SPACE} in the place of a T1w image: not an image of this person",
        "SkullStripped": True,
    }
    mask_sidecar = {"Description": f"Brain of the template {SPACE}: not that of this person", "Type": "Brain"}
    return {
        f"from-T1w_to-{SPACE}_mode-image_xfm.txt": _IDENTITY.encode(),
        f"from-{SPACE}_to-T1w_mode-image_xfm.txt": _IDENTITY.encode(),
        f"{mask_name}.json": json_text(mask_sidecar | common).encode(),
        f"{mask_name}.nii.gz": _image(grid.mask.astype(np.uint8), t1w),
        f"{t1w_name}.json": json_text(t1w_sidecar | common).encode(),
        f"{t1w_name}.nii.gz": _image(np.asarray(t1w.dataobj), t1w),
    }


def _image(values: np.ndarray, like: nib.Nifti1Image) -> bytes:
    image = nib.Nifti1Image(values, like.affine, like.header, dtype=np.uint8)
    image.header["descrip"] = "TEMPLATE, a stand-in: not an image of this person"
    return gzip.compress(image.to_bytes(), mtime=0)
