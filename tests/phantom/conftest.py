from __future__ import annotations

import numpy as np
import pytest

from bids_eeg2fmri.phantom.draw import draw_person
from bids_eeg2fmri.phantom.sources import simulate_sources


@pytest.fixture(scope="session")
def person():
    return draw_person(3)


@pytest.fixture(scope="session")
def activity(person):
    """Three minutes of the person, shared: nobody changes it."""
    return simulate_sources(person, 180.0, 128.0, np.random.default_rng(0))
