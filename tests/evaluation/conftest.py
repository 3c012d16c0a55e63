"""Small made-up recordings."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy import sparse

from bids_eeg2fmri.bold.grid import SPACE, Grid
from bids_eeg2fmri.evaluation.forecast import Forecast, Observed
from bids_eeg2fmri.evaluation.pictures import standardised_picture

N_PARCELS = 12


@pytest.fixture(scope="session")
def grid():
    """A box of brain in a field of view of 14 x 13 x 6 voxels."""
    dseg = np.zeros((14, 13, 6), np.uint8)
    dseg[2:12, 2:11, 1:5] = 2
    return Grid(np.diag([4.0, 4.0, 4.0, 1.0]), dseg.shape, dseg, None, SPACE)


@pytest.fixture(scope="session")
def labels(grid):
    """Twelve parcels; some voxels in none."""
    return np.arange(int(grid.mask.sum())) % (N_PARCELS + 1)


@pytest.fixture(scope="session")
def averaging(labels):
    rows = np.stack([labels == label for label in range(1, N_PARCELS + 1)]).astype(np.float32)
    return sparse.csr_array(rows / rows.sum(axis=1, keepdims=True))


@pytest.fixture(scope="session")
def make_recording(grid, averaging):
    """A function that makes BOLD with a known share of predictable variance, and the best forecast of it."""

    def make(seed=0, n_volumes=120, explained=0.3, tr_s=2.0):
        rng = np.random.default_rng(seed)
        n_voxels = averaging.shape[1]
        parcel_signal = rng.standard_normal((n_volumes, N_PARCELS))
        owner = (averaging.toarray() > 0).argmax(axis=0)
        signal = np.sqrt(explained) * parcel_signal[:, owner]
        z = signal + np.sqrt(1 - explained) * rng.standard_normal((n_volumes, n_voxels))
        z = ((z - z.mean(axis=0)) / z.std(axis=0)).astype(np.float32)
        picture = standardised_picture(
            1000 + 200 * rng.standard_normal(n_voxels), 20 + rng.random(n_voxels), grid.mask.size
        )
        parcels = (averaging @ z.T).T
        valid, parcel_valid = np.ones(n_voxels, bool), np.ones(N_PARCELS, bool)
        observed = Observed(z, parcels, valid, parcel_valid, tr_s, picture.mean, picture.sd, picture.background)
        mean = signal.astype(np.float32)
        sd = np.full_like(mean, np.sqrt(1 - explained))
        parcel_mean = (averaging @ mean.T).T
        parcel_sd = np.broadcast_to((parcels - parcel_mean).std(axis=0), parcels.shape)
        return SimpleNamespace(observed=observed, forecast=Forecast(mean, sd, parcel_mean, parcel_sd))

    return make
