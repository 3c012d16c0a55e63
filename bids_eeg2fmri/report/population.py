"""How the parcels go together in the people that a model was trained on."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from ..network.bundle import Network
from ..network.neuralfield import NeuralField


def population_connectivity(network: Network) -> Float[np.ndarray, "parcels parcels"] | None:
    """Correlations between parcels that the network's prior implies.

    A :class:`~bids_eeg2fmri.network.neuralfield.NeuralField` holds no mean connectivity of its training people, but
    the principal patterns of their BOLD: the covariance that these span is theirs, apart from what the patterns leave
    out.

    Parameters
    ----------
    network
        Any network that a bundle can hold.

    Returns
    -------
    ndarray or None
        NaN for parcels of which no training person had BOLD; ``None`` for a network without such a prior.
    """
    return connectivity_of_patterns(np.asarray(network.loadings[...])) if isinstance(network, NeuralField) else None


def connectivity_of_patterns(
    loadings: Float[np.ndarray, "parcels patterns"],
) -> Float[np.ndarray, "parcels parcels"]:
    """Correlations between parcels that are sums of independent patterns; NaN for parcels that no pattern reaches."""
    covariance = loadings.astype(float) @ loadings.astype(float).T
    sd = np.sqrt(np.diag(covariance))
    product = np.outer(sd, sd)
    return np.divide(covariance, product, out=np.full(covariance.shape, np.nan), where=product > 0)
