"""Potentials at the electrodes from the Oddball cap's bipolar channels."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.published.bipolar import ELECTRODES, MASTOIDS, NOISY, PAIRS, differences, to_electrodes


def test_cap_has_43_channels_on_34_electrodes_and_two_mastoids():
    used = {name for pair in PAIRS for name in pair}

    assert len(PAIRS) == 43
    assert len(ELECTRODES) == 34
    assert used == {*ELECTRODES, *MASTOIDS}


@pytest.mark.parametrize("noisy", [(), *NOISY.values()])
def test_potentials_come_back_up_to_the_average(noisy):
    potentials = np.random.default_rng(0).standard_normal((36, 50))
    bipolar = differences() @ potentials
    bipolar[np.array(noisy, int) - 1] = 1e6

    found = to_electrodes(bipolar, noisy)

    np.testing.assert_allclose(found, (potentials - potentials.mean(axis=0))[:34], atol=1e-9)


def test_channels_that_do_not_join_the_cap_are_refused():
    to_lm = [number for number, pair in enumerate(PAIRS, start=1) if "LM" in pair]

    with pytest.raises(ValueError, match="do not join"):
        to_electrodes(np.zeros((43, 4)), to_lm)
