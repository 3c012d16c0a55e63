"""Measured BOLD of a run as it lies in the input or in preprocessed derivatives, before anything is read from it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import BadDataError, Eeg2fmriError
from ..settings import SPACE, Settings
from .bids_name import BidsName, parse_name
from .content import require_content
from .filter_file import FileFilter
from .inheritance import Companions
from .selection import RAW

EXTENSIONS = (".nii.gz", ".nii")
PREPROCESSED = "preproc"
OWN_RECONSTRUCTION = "eeg2fmri"

_ENDING, _MASK = f"_desc-{PREPROCESSED}_bold", "_desc-brain_mask"
_OF_THE_PERSON = {"sub", "ses", "task"}
# What distinguishes images of one run: echoes and parts of what was measured, and what was derived from it.
_OF_THE_IMAGE = {"echo", "part", "space", "cohort", "res", "den", "hemi", "desc"}
_NAMES_THE_SPACE = re.compile(rf"(?<![A-Za-z0-9]){SPACE}(?![A-Za-z0-9])")


@dataclass(frozen=True)
class BoldFile:
    """A BOLD image in MNI152NLin2009cAsym and the files that describe it.

    Attributes
    ----------
    path
        The image.
    dataset
        ``"raw"``, or the name given to a derivatives dataset.
    space
        Its template space.
    sidecar
        The ``_bold.json`` metadata, merged by the inheritance principle.
    mask
        The brain mask on the same grid, where there is one.
    confounds
        The table of confounds, where there is one.
    """

    path: Path
    dataset: str
    space: str | None = SPACE
    sidecar: dict[str, Any] = field(default_factory=dict)
    mask: Path | None = None
    confounds: Path | None = None


@dataclass(frozen=True)
class BoldImage:
    """A ``_bold`` image in a ``func`` folder, known by its name alone.

    Attributes
    ----------
    path, name
        Where it is, and its name taken apart.
    root, dataset
        Root and name of its dataset (``"raw"`` for the input itself).
    """

    path: Path
    name: BidsName
    root: Path
    dataset: str

    @property
    def label(self) -> str:
        """Entities of the run, as in its name."""
        return "_".join(f"{e}-{v}" for e, v in self.name.entities.items() if e not in _OF_THE_IMAGE)


def run_entities(name: BidsName) -> tuple[tuple[str, str], ...]:
    """What tells the BOLD runs of one person, session and task apart; run indices without leading zeros."""
    return tuple(
        (entity, value.lstrip("0") if entity == "run" else value)
        for entity, value in sorted(name.entities.items())
        if entity not in _OF_THE_PERSON | _OF_THE_IMAGE
    )


def bold_images(settings: Settings, subject: str, session: str | None, query: FileFilter) -> list[BoldImage]:
    """BOLD of one session in the input and in every derivatives dataset, sorted by path in each.

    What this program wrote (``rec-eeg2fmri``) is no measurement and is left out.
    """
    datasets = {RAW: settings.bids_dir, **settings.derivatives}
    images = []
    for dataset, root in datasets.items():
        folder = root / f"sub-{subject}" / ("" if session is None else f"ses-{session}") / "func"
        named = [(path, parse_name(path.name)) for path in sorted(folder.glob(f"sub-{subject}_*_bold.nii*"))]
        images += [
            BoldImage(path, name, root, dataset)
            for path, name in named
            if name is not None
            and name.suffix == "bold"
            and name.extension in EXTENSIONS
            and name.entities.get("rec") != OWN_RECONSTRUCTION
            and query.accepts(name)
        ]
    return images


def choose_bold(images: Sequence[BoldImage]) -> BoldFile | None:
    """The image of a run to use: preprocessed in MNI152NLin2009cAsym, else one of the input that lies there.

    Parameters
    ----------
    images
        All images of one run.

    Returns
    -------
    BoldFile or None
        ``None`` when none of the images was measured.

    Raises
    ------
    BadDataError
        Several images would do, or none lies in the space.
    MissingInputError
        Its content is not here.
    """
    pool = _measured([image for image in images if _is_preprocessed(image)]) or [
        (image, sidecar)
        for image, sidecar in _measured([image for image in images if image.dataset == RAW])
        if _lies_in_space(image, sidecar)
    ]
    if not pool:
        if others := _measured(images):
            raise _nothing_in_space([image for image, _ in others])
        return None
    if len(pool) > 1:
        raise BadDataError(
            f"{len(pool)} images for one BOLD run: {' and '.join(str(image.path) for image, _ in pool)}.",
            remedy="Keep one dataset, or choose with --bids-filter-file, "
            'for example {"bold": {"resolution": "2"}} or {"bold": {"resolution": null}}.',
        )
    image, sidecar = pool[0]
    require_content(image.path)
    return BoldFile(image.path, image.dataset, SPACE, sidecar, _mask(image), _confounds(image))


def is_synthetic(sidecar: dict[str, Any]) -> bool:
    """Whether a sidecar says that its image was predicted, by this program, and not measured."""
    return sidecar.get("Synthetic") is True


def _measured(images: Sequence[BoldImage]) -> list[tuple[BoldImage, dict[str, Any]]]:
    """Images with their sidecars, without those that were predicted."""
    described = [(image, Companions(image.root).metadata(image.path, image.root, "bold")) for image in images]
    return [(image, sidecar) for image, sidecar in described if not is_synthetic(sidecar)]


def _is_preprocessed(image: BoldImage) -> bool:
    return image.name.entities.get("desc") == PREPROCESSED and image.name.entities.get("space") == SPACE


def _lies_in_space(image: BoldImage, sidecar: dict[str, Any]) -> bool:
    """Whether name or sidecar of an image of the input say that it lies in MNI152NLin2009cAsym."""
    if "space" in image.name.entities:
        return image.name.entities["space"] == SPACE
    stated = (sidecar.get("SimulatedSpace"), sidecar.get("SpatialReference"))
    return any(_NAMES_THE_SPACE.search(json.dumps(value)) is not None for value in stated)


def _nothing_in_space(images: Sequence[BoldImage]) -> Eeg2fmriError:
    spaces = sorted({image.name.entities.get("space", "the space of the scanner") for image in images})
    return BadDataError(
        f"the BOLD of this run lies in {' and '.join(spaces)}, not, preprocessed, in {SPACE}.",
        path=images[0].path,
        remedy=f"Run fMRIPrep with --output-spaces {SPACE}:res-2 and give its folder as --derivatives fmriprep=DIR.",
    )


def _mask(image: BoldImage) -> Path | None:
    stem = image.path.name.removesuffix(image.name.extension)
    if not stem.endswith(_ENDING):
        return None
    masks = [image.path.with_name(stem.removesuffix(_ENDING) + _MASK + extension) for extension in EXTENSIONS]
    return next((mask for mask in masks if mask.exists() or mask.is_symlink()), None)


def _confounds(image: BoldImage) -> Path | None:
    """The confounds table of the run: every entity of its name but ``desc-confounds`` is the image's."""
    own = image.name.entities.items()
    tables = []
    for path in sorted(image.path.parent.glob("*_desc-confounds_*.tsv")):
        name = parse_name(path.name)
        if name is None or name.suffix not in ("timeseries", "regressors"):
            continue
        if {(entity, value) for entity, value in name.entities.items() if entity != "desc"} <= own:
            tables.append((len(name.entities), path))
    return max(tables)[1] if tables else None
