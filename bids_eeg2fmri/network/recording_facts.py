"""What the network must know of a whole recording, besides its frames."""

from __future__ import annotations

from typing import NamedTuple

from jaxtyping import Float

from .novelty import AnyArray, Description


class RecordingFacts(NamedTuple):
    """Facts of one recording.

    Attributes
    ----------
    amplitude
        What one standard deviation of a parcel's log band power is as evidence (a score).
    information
        Fisher information that goes with the evidence (:mod:`bids_eeg2fmri.eeg.modulation`).
    profile
        Mean log minimum-norm power, parcels x bands flattened, less its overall mean.
    condition
        How well the parcels explain the electrodes: of every band the log odds of the share they explain, the log
        misfit, the log information and the log of the power's variation.
    missing
        Share of the frames that were not recorded or not clean.
    """

    amplitude: Float[AnyArray, "parcels bands"]
    information: Float[AnyArray, "bands parcels parcels"]
    profile: Float[AnyArray, " profile"]
    condition: Float[AnyArray, " condition"]
    missing: Float[AnyArray, ""]

    @property
    def description(self) -> Description:
        """What the novelty score looks at."""
        return Description(self.profile, self.condition, self.missing)
