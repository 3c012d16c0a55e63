"""Which model made an output."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class ModelProvenance:
    """The identity of a model bundle.

    Attributes
    ----------
    name, version
        Name and version of the bundle.
    sha256
        Digest of its weights and description.
    network
        Name of the network, for example ``"neuralfield"``.
    training_datasets
        What it was trained on, one citation or DOI per dataset; simulations are called so.
    doi
        DOI of the bundle, when it has one.
    epistemic
        What its epistemic uncertainty is, as the end of a sentence.
    """

    name: str
    version: str
    sha256: str
    network: str
    training_datasets: tuple[str, ...]
    doi: str | None = None
    epistemic: str = "what the members of the model disagree on"


def is_simulated(training_datasets: Iterable[str]) -> bool:
    """Whether one of these training datasets, as models and sidecars name them, is simulated."""
    return any("simulat" in name.lower() or "phantom" in name.lower() for name in training_datasets)
