"""Regions of interest by name: networks, subcortical structures, single parcels of the bundled atlas."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy import sparse

from ..bold.atlas import NETWORKS, load_atlas
from ..errors import UsageError

DEFAULT_REGIONS = NETWORKS
_SUBCORTICAL = "Subcortical"


@dataclass(frozen=True)
class Region:
    """Parcels that are explained together.

    Attributes
    ----------
    name
        Name of the network, structure or parcel.
    parcels
        Numbers (0, 1, ...) of its parcels in the atlas.
    """

    name: str
    parcels: tuple[int, ...]

    @property
    def label(self) -> str:
        """The name as a BIDS label, letters and digits only."""
        return re.sub(r"[^0-9A-Za-z]", "", self.name)


def known_regions() -> dict[str, Region]:
    """All regions by name: the networks, the subcortical structures of both hemispheres together, the parcels."""
    atlas = load_atlas()
    members: dict[str, list[int]] = {name: [] for name in NETWORKS}
    for parcel, (name, hemisphere, network) in enumerate(
        zip(atlas.names, atlas.hemispheres, atlas.networks, strict=True)
    ):
        members[network].append(parcel)
        if network == _SUBCORTICAL:
            members.setdefault(name.removeprefix(f"{hemisphere}-"), []).append(parcel)
    members |= {name: [parcel] for parcel, name in enumerate(atlas.names)}
    return {name: Region(name, tuple(parcels)) for name, parcels in members.items()}


def chosen_regions(names: Sequence[str]) -> tuple[Region, ...]:
    """The regions of these names, each once, in their order; of no names, the networks.

    Raises
    ------
    UsageError
        A name is not known.
    """
    known = known_regions()
    by_folded_name = {name.casefold(): region for name, region in known.items()}
    chosen: dict[str, Region] = {}
    for name in names or DEFAULT_REGIONS:
        region = by_folded_name.get(name.casefold())
        if region is None:
            structures = [each for each in known if each not in NETWORKS and each not in load_atlas().names]
            raise UsageError(
                f"--explain {name}: there is no region of this name.",
                remedy=f"Choose networks ({', '.join(NETWORKS)}), structures ({', '.join(structures)}) or parcels of "
                f"the atlas ({load_atlas().names[0]} to {load_atlas().names[-1]}).",
            )
        chosen[region.name] = region
    return tuple(chosen.values())


def region_weights(regions: Sequence[Region], coordinates_mm: Float[np.ndarray, "voxels 3"]) -> sparse.csr_array:
    """Sparse (regions x voxels) rows that average voxels over each region; zero where a region holds no voxel."""
    labels = load_atlas().labels_at(coordinates_mm)
    rows = []
    for region in regions:
        inside = np.isin(labels, np.array(region.parcels) + 1)
        rows.append(inside / max(inside.sum(), 1))
    return sparse.csr_array(np.stack(rows).astype(np.float32))
