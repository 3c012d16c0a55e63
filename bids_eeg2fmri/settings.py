"""The frozen settings that travel from the command line through every room."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

SPACE = "MNI152NLin2009cAsym"
SCHAEFER200 = "schaefer200"
RESOLUTIONS = ("1", "2", "3", "4")

Level = Literal["participant", "group", "train"]
NetworkName = Literal["neuralfield", "calhas2022"]
Device = Literal["auto", "cpu", "gpu"]
ClassifyUnit = Literal["participant", "recording", "event"]
ContrastWeights = Literal["uncertainty", "none"]
Executor = Literal["processes", "dask"]


@dataclass(frozen=True)
class OutputSpace:
    """One requested output grid: a named resolution of a space, or the grid of an image.

    Attributes
    ----------
    space
        BIDS space label; only ``MNI152NLin2009cAsym`` is known.
    resolution
        ``"1"`` to ``"4"`` (see :mod:`bids_eeg2fmri.bold.grid`), or ``None`` with a reference image.
    reference_image
        An image in ``space`` whose grid is used instead of a named resolution.
    """

    space: str = SPACE
    resolution: str | None = "2"
    reference_image: Path | None = None


@dataclass(frozen=True)
class Settings:
    """Everything a run depends on; made once by the command line, never changed.

    Attributes with a unit carry it in their name; ``None`` means "not asked for".
    Labels (participants, sessions, tasks, runs) are stored without their BIDS prefix.
    """

    bids_dir: Path
    output_dir: Path
    level: Level
    work_dir: Path = Path("work")

    # Selection
    participant_label: tuple[str, ...] = ()
    exclude_participant_label: tuple[str, ...] = ()
    session_label: tuple[str, ...] = ()
    task_id: tuple[str, ...] = ()
    run_id: tuple[str, ...] = ()
    bids_filter_file: Path | None = None
    bids_database_dir: Path | None = None
    # Left out of the hash, so that settings can be the key of a cache.
    derivatives: dict[str, Path] = field(default_factory=dict, hash=False)
    skip_bids_validation: bool = False

    # EEG
    tr_s: float | None = None
    volume_marker: str | None = None
    montage: str | None = None
    allow_gradient_artefact: bool = False

    # Synthesis
    model: str = "neuralfield-sim"
    device: Device = "auto"
    output_spaces: tuple[OutputSpace, ...] = (OutputSpace(),)
    float32: bool = False
    sloppy: bool = False
    random_seed: int = 0

    # Beside the images
    # No regions of interest: the default ones.
    explain: tuple[str, ...] | None = None
    parcellation: str | None = None
    parcels_only: bool = False
    n_samples: int = 0
    embed_report: bool = False
    template_anat: bool = False

    # Group
    classify: str | None = None
    classify_unit: ClassifyUnit = "participant"
    permutations: int = 1000
    contrast: str | None = None
    contrast_weights: ContrastWeights = "uncertainty"

    # Training
    network: NetworkName = "neuralfield"
    from_model: str | None = None
    network_config: Path | None = None
    folds: int | Literal["loso"] = 5
    test_participants: tuple[str, ...] = ()
    validation_participants: tuple[str, ...] = ()
    confounds: tuple[str, ...] = ()
    epochs: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    search: int | None = None

    # Resources
    executor: Executor = "processes"
    # "local", the name of a batch system, or a running scheduler's address or file.
    dask_cluster: str = "local"
    nprocs: int = 1
    omp_nthreads: int | None = None
    mem_bytes: int | None = None
    low_mem: bool = False

    # Running
    dry_run: bool = False
    reports_only: bool = False
    boilerplate_only: bool = False
    overwrite: bool = False
    stop_on_first_crash: bool = False
    clean_workdir: bool = False
    debug: bool = False
    verbosity: int = 0

    @property
    def scratch_dir(self) -> Path:
        """The folder inside the work directory that is ours to fill and to clean."""
        return self.work_dir / "bids_eeg2fmri"


# Options whose name on the command line and in a configuration file is not the field's.
OPTION_OF_FIELD = {"tr_s": "tr", "mem_bytes": "mem", "level": "analysis_level", "from_model": "from"}


def settings_toml(settings: Settings) -> str:
    """The settings as a TOML text that ``--config-file`` reads back.

    Options that were not asked for and have no default are left out.
    """
    lines = []
    for item in fields(settings):
        value = getattr(settings, item.name)
        if item.name == "mem_bytes" and value is not None:
            value = f"{value}B"
        if item.name == "output_spaces":
            lines += _spaces_toml(value)
        elif value is not None:
            lines.append(f"{OPTION_OF_FIELD.get(item.name, item.name)} = {_toml_value(value)}")
    return "\n".join(lines) + "\n"


def _spaces_toml(spaces: tuple[OutputSpace, ...]) -> list[str]:
    named = [f"{space.space}:res-{space.resolution}" for space in spaces if space.reference_image is None]
    images = [space.reference_image for space in spaces if space.reference_image is not None]
    lines = [f"output_spaces = {_toml_value(tuple(named))}"] if named else []
    return lines + [f"reference_image = {_toml_value(image)}" for image in images]


def _toml_value(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(_toml_value(item) for item in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_toml_value(key)} = {_toml_value(item)}' for key, item in value.items())}}}"
    if isinstance(value, str | Path):
        # A JSON string is a TOML basic string, except that TOML also wants DEL escaped.
        return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
    return json.dumps(value)
