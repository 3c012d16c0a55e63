"""The model of a run with its output grids, loaded once per process."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from ..bold.grid import Grid, make_grid
from ..derivatives.provenance import ModelProvenance
from ..network.bundle import Bundle, load_bundle
from ..settings import OutputSpace, Settings
from ..synthesis.grid_maps import GridMaps, make_grid_maps


@dataclass(frozen=True)
class Model:
    """A bundle, and the grids it is asked to predict on.

    Attributes
    ----------
    bundle
        The network and its description.
    grids
        One output grid per requested space.
    """

    bundle: Bundle
    grids: tuple[tuple[OutputSpace, Grid], ...]

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
        )

    @property
    def start_time_s(self) -> float:
        """Instant within the repetition time that a volume stands for: the training targets' convention."""
        return float(self.bundle.metadata["targets"]["start_time_s"])

    @cached_property
    def maps(self) -> tuple[GridMaps, ...]:
        """The network's maps on every grid; evaluated on first use."""
        return tuple(make_grid_maps(self.bundle.network, grid) for _, grid in self.grids)


def load_model(settings: Settings) -> Model:
    """Load the bundle and make the grids.

    Raises
    ------
    BadDataError, MissingInputError
        The bundle or a reference image cannot be used.
    UsageError
        An output space is unknown.
    """
    grids = tuple((space, make_grid(space)) for space in settings.output_spaces)
    return Model(load_bundle(settings.model), grids)
