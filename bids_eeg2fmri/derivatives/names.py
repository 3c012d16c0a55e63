"""Where every output of a recording goes: BIDS derivative names that carry ``rec-eeg2fmri``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ..bids.recording_file import RecordingFile
from ..settings import OutputSpace

if TYPE_CHECKING:
    from ..bold.grid import Grid

UncertaintyPart = Literal["total", "aleatoric", "epistemic"]
UNCERTAINTY_PARTS: tuple[UncertaintyPart, ...] = ("total", "aleatoric", "epistemic")


@dataclass(frozen=True)
class OutputNames:
    """Names of the outputs of one recording on one grid.

    Attributes
    ----------
    output_dir
        Root of the derivatives dataset.
    subject, session
        Labels without prefix; ``None`` when absent.
    stem
        Entities of every output, ``sub-01_ses-1_task-rest_rec-eeg2fmri_run-1``.
    space_entities
        Entities of images, ``space-MNI152NLin2009cAsym_res-2``; ``res-`` only for a named resolution.
    """

    output_dir: Path
    subject: str
    session: str | None
    stem: str
    space_entities: str

    @property
    def subject_dir(self) -> Path:
        """Folder of the person."""
        return self.output_dir / f"sub-{self.subject}"

    @property
    def func_dir(self) -> Path:
        """Folder of the images and tables."""
        parent = self.subject_dir if self.session is None else self.subject_dir / f"ses-{self.session}"
        return parent / "func"

    @property
    def bold(self) -> Path:
        """The synthetic BOLD."""
        return self._image("desc-preproc_bold")

    @property
    def mask(self) -> Path:
        """The brain mask."""
        return self._image("desc-brain_mask")

    @property
    def boldref(self) -> Path:
        """The mean over time of the synthetic BOLD."""
        return self._image("boldref")

    def uncertainty(self, part: UncertaintyPart) -> Path:
        """A map of the predictive standard deviation."""
        return self._image(f"stat-std_desc-{part}_boldmap")

    @property
    def correlation(self) -> Path:
        """The map of the correlation over time with the scanner's BOLD; only where there is such BOLD."""
        return self._image("stat-correlation_boldmap")

    @property
    def reliability(self) -> Path:
        """The map of the correlation that may be expected; only of models with a reliability atlas."""
        return self._image("stat-reliability_boldmap")

    @property
    def interpretable(self) -> Path:
        """Where the prediction may be interpreted. No ``_mask``: its readers expect one mask per run, the brain's."""
        return self._image("stat-reliability_desc-interpretable_boldmap")

    @property
    def confounds(self) -> Path:
        """The confounds table."""
        return self.func_dir / f"{self.stem}_desc-confounds_timeseries.tsv"

    @property
    def events(self) -> Path:
        """The events on the clock of the volumes."""
        return self.func_dir / f"{self.stem}_events.tsv"

    def figure(self, panel: str) -> Path:
        """The figure of a report panel."""
        return self.subject_dir / "figures" / f"{self.stem}_desc-{panel}_bold.svg"

    @property
    def subject_html(self) -> Path:
        """The report of the person."""
        return self.output_dir / f"sub-{self.subject}.html"

    @property
    def required(self) -> tuple[Path, ...]:
        """Every file a complete recording has; the BOLD sidecar, which is written last, comes last."""
        data = (
            self.mask,
            self.boldref,
            *(self.uncertainty(part) for part in UNCERTAINTY_PARTS),
            self.confounds,
            self.bold,
        )
        return tuple(name for path in data for name in (path, sidecar(path)))

    @property
    def without_images(self) -> tuple[Path, ...]:
        """What a complete recording has when only parcels were asked for, besides them."""
        return (self.confounds, sidecar(self.confounds))

    @property
    def with_reliability(self) -> tuple[Path, ...]:
        """What a complete recording has in addition when its model has a reliability atlas."""
        return tuple(name for path in (self.reliability, self.interpretable) for name in (path, sidecar(path)))

    def _image(self, ending: str) -> Path:
        return self.func_dir / f"{self.stem}_{self.space_entities}_{ending}.nii.gz"


def output_names(output_dir: Path, file: RecordingFile, grid: Grid | OutputSpace) -> OutputNames:
    """Output names of a recording on a grid; the grid itself need not be made for them."""
    entities = (
        ("sub", file.subject),
        ("ses", file.session),
        ("task", file.task),
        ("acq", file.acquisition),
        ("rec", "eeg2fmri"),
        ("run", file.run),
    )
    space = (("space", grid.space), ("res", grid.resolution))
    return OutputNames(output_dir, file.subject, file.session, _join(entities), _join(space))


def sidecar(path: Path) -> Path:
    """The JSON file that describes an image or a table."""
    return path.with_name(path.name.removesuffix(".gz").removesuffix(".nii").removesuffix(".tsv") + ".json")


def _join(entities: tuple[tuple[str, str | None], ...]) -> str:
    return "_".join(f"{key}-{value}" for key, value in entities if value is not None)
