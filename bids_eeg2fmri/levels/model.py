"""The model of a run with its output grids, loaded once per process."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import jax

from .. import __version__
from ..bold.grid import Grid, make_grid
from ..derivatives.provenance import ModelProvenance
from ..errors import UsageError
from ..explanation.regions import Region, chosen_regions, region_weights
from ..network.bundle import Bundle, load_bundle
from ..network.neuralfield import NeuralField
from ..settings import OutputSpace, Settings
from ..synthesis.start import Maps, make_maps


@dataclass(frozen=True)
class Model:
    """A bundle, and the grids it is asked to predict on.

    Attributes
    ----------
    bundle
        The network and its description.
    grids
        One output grid per requested space.
    fields_dir
        Where what takes long to make for a grid is kept for later runs.
    """

    bundle: Bundle
    grids: tuple[tuple[OutputSpace, Grid], ...]
    fields_dir: Path | None = None

    @property
    def provenance(self) -> ModelProvenance:
        """The model's identity, as the sidecars state it."""
        metadata = self.bundle.metadata
        return ModelProvenance(
            name=self.bundle.name,
            version=self.bundle.version,
            sha256=self.bundle.sha256,
            network=metadata["network"],
            training_datasets=tuple(metadata["training"]["datasets"]),
            doi=metadata.get("doi"),
            epistemic=self.bundle.network.epistemic,
        )

    @property
    def start_time_s(self) -> float:
        """Instant within the repetition time that a volume stands for: the training targets' convention."""
        return float(self.bundle.metadata["targets"]["start_time_s"])

    @property
    def any_instant(self) -> bool:
        """Whether the network can predict BOLD at any instant, and not only at that of its training targets."""
        return isinstance(self.bundle.network, NeuralField)

    def was_trained_on(self, subject: str, dataset: str) -> bool:
        """Whether a person of a dataset (as :func:`.dataset_name` names it) had a part in training or calibration."""
        training = self.bundle.metadata["training"]
        people = [training.get("people", {}).get(role) for role in ("training", "validation")]
        named = [label for labels in people if isinstance(labels, list) for label in labels]
        return dataset in training["datasets"] and subject in named

    @cached_property
    def maps(self) -> tuple[Maps, ...]:
        """What the network needs on every grid; made on first use."""
        return tuple(make_maps(self.bundle.network, grid, self.fields_dir) for _, grid in self.grids)


def _check_regions(regions: tuple[Region, ...], grid: Grid) -> None:
    """Refuse regions that the grid does not hold."""
    if not regions:
        return
    inside = region_weights(regions, grid.coordinates_mm).sum(axis=1)
    absent = [region.name for region, share in zip(regions, inside, strict=True) if share == 0]
    if absent:
        raise UsageError(
            f"--explain {' '.join(absent)}: no voxel of it lies on the output grid.",
            remedy="Name other regions, or use a grid that covers the brain.",
        )


def load_model(settings: Settings) -> Model:
    """Load the bundle and make the grids.

    Raises
    ------
    BadDataError, MissingInputError
        The bundle or a reference image cannot be used.
    UsageError
        An output space, or a region to explain, is unknown, or no voxel of the region lies on the grid.
    """
    regions = () if settings.explain is None else chosen_regions(settings.explain)
    grids = tuple((space, make_grid(space)) for space in settings.output_spaces)
    _check_regions(regions, grids[0][1])
    bundle = load_bundle(settings.model)
    # Machines that share a work directory must not take each other's rounding for their own.
    computed_by = f"{__version__}-jax{jax.__version__}-{jax.default_backend()}"
    return Model(bundle, grids, settings.scratch_dir / "fields" / computed_by / bundle.sha256[:32])
