"""A person's anatomy as fMRIPrep writes it: the T1w image, and how it fits MNI152NLin2009cAsym."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..settings import SPACE
from .bids_name import parse_name

# The value of ``rec-`` in the names of our own stand-ins, which are nobody's anatomy.
STAND_IN = "template"

_IMAGE = ".nii.gz"
# Suffix and entities of each kind, by the attribute that holds it.
_KINDS: Mapping[str, tuple[str, Mapping[str, str | None]]] = {
    "t1w": ("T1w", {"desc": "preproc", "space": None}),
    "mask": ("mask", {"desc": "brain", "space": SPACE}),
    "to_template": ("xfm", {"from": "T1w", "to": SPACE}),
    "from_template": ("xfm", {"from": SPACE, "to": "T1w"}),
}


@dataclass(frozen=True)
class AnatomyFiles:
    """The files of one ``anat`` folder that tools for preprocessed BOLD ask for; ``None`` where there is none.

    Attributes
    ----------
    dataset, root
        Name and root of the derivatives dataset.
    folder
        The ``anat`` folder.
    t1w
        The preprocessed T1w image, in its own space.
    mask
        The brain mask in MNI152NLin2009cAsym.
    to_template, from_template
        The transforms between the two.
    """

    dataset: str
    root: Path
    folder: Path
    t1w: Path | None
    mask: Path | None
    to_template: Path | None
    from_template: Path | None

    @property
    def found(self) -> tuple[Path, ...]:
        """The files that are there."""
        files = (self.to_template, self.from_template, self.mask, self.t1w)
        return tuple(path for path in files if path is not None)

    @property
    def missing(self) -> tuple[str, ...]:
        """Names, as fMRIPrep would write them, of the files that are not there."""
        wanted = {
            "desc-preproc_T1w.nii.gz": self.t1w,
            f"space-{SPACE}_desc-brain_mask.nii.gz": self.mask,
            f"from-T1w_to-{SPACE}_mode-image_xfm.h5": self.to_template,
            f"from-{SPACE}_to-T1w_mode-image_xfm.h5": self.from_template,
        }
        return tuple(name for name, path in wanted.items() if path is None)


def anatomy_kind(file_name: str) -> str | None:
    """Which attribute of :class:`AnatomyFiles` a file of this name belongs to; ``None``: none, or it is a stand-in."""
    name = parse_name(file_name)
    if name is None or name.entities.get("rec") == STAND_IN:
        return None
    # Transforms come in several formats; images that the readers find, in one.
    right_format = name.extension != ".json" if name.suffix == "xfm" else name.extension == _IMAGE
    for kind, (suffix, entities) in _KINDS.items():
        fits = all(name.entities.get(entity) == value for entity, value in entities.items())
        if name.suffix == suffix and right_format and fits:
            return kind
    return None


def find_anatomy(derivatives: Mapping[str, Path], subject: str) -> AnatomyFiles | None:
    """Look for a person's anatomy in derivatives datasets, in their order.

    The person's own ``anat`` folder comes before those of sessions. A file whose content is not here, such as an
    annexed one, counts as absent.

    Parameters
    ----------
    derivatives
        Roots of the datasets by name.
    subject
        Label of the person, without prefix.

    Returns
    -------
    AnatomyFiles or None
        The first complete set, else the first with anything in it; ``None`` where no dataset has any.
    """
    sets = [found for found in _sets(derivatives, subject) if found.found]
    return next((found for found in sets if not found.missing), sets[0] if sets else None)


def _sets(derivatives: Mapping[str, Path], subject: str) -> Iterator[AnatomyFiles]:
    for dataset, root in derivatives.items():
        person = root / f"sub-{subject}"
        for folder in (person / "anat", *sorted(person.glob("ses-*/anat"))):
            yield _set_of(dataset, root, folder, subject)


def _set_of(dataset: str, root: Path, folder: Path, subject: str) -> AnatomyFiles:
    first: dict[str, Path] = {}
    for path in sorted(folder.glob(f"sub-{subject}_*")):
        kind = anatomy_kind(path.name)
        if kind is not None and path.is_file():
            first.setdefault(kind, path)
    return AnatomyFiles(
        dataset,
        root,
        folder,
        t1w=first.get("t1w"),
        mask=first.get("mask"),
        to_template=first.get("to_template"),
        from_template=first.get("from_template"),
    )
