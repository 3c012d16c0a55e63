"""Batches: every volume once per epoch, nothing remembered; and their way to the devices."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bids_eeg2fmri.learning.published.batches import InOrder, ShuffledEpochs
from bids_eeg2fmri.learning.published.devices import make_mesh, split_over
from bids_eeg2fmri.learning.published.feed import feed


@given(n_volumes=st.integers(1, 60), batch_size=st.integers(1, 20), seed=st.integers(0, 2**31))
def test_every_epoch_holds_every_volume_once(n_volumes, batch_size, seed):
    epochs = ShuffledEpochs(n_volumes, batch_size, seed)
    for epoch in range(2):
        steps = range(epoch * epochs.steps_per_epoch, (epoch + 1) * epochs.steps_per_epoch)
        batches = [epochs(step) for step in steps]
        assert {len(batch.numbers) for batch in batches} == {batch_size}
        counted = np.concatenate([batch.numbers[batch.weights > 0] for batch in batches])
        assert sorted(counted) == list(range(n_volumes))


def test_a_step_decides_alone():
    forwards = [ShuffledEpochs(50, 8, seed=3)(step).numbers for step in range(20)]
    backwards = [ShuffledEpochs(50, 8, seed=3)(step).numbers for step in reversed(range(20))][::-1]
    np.testing.assert_array_equal(forwards, backwards)
    assert not np.array_equal(forwards[0], forwards[7]), "epochs differ"
    assert not np.array_equal(forwards[0], ShuffledEpochs(50, 8, seed=4)(0).numbers), "seeds differ"


def test_in_order_fills_the_last_batch_with_weight_zero():
    batches = InOrder(5, 3)
    assert batches.n_steps == 2
    np.testing.assert_array_equal(batches(1).numbers, [3, 4, 0])
    np.testing.assert_array_equal(batches(1).weights, [1, 1, 0])


def test_fed_batches_are_those_of_the_files(people):
    volumes, _ = people
    indices = ShuffledEpochs(len(volumes), 8, seed=0)
    sharding = split_over(make_mesh(8))
    steps = range(3, 9)

    for step, batch in zip(steps, feed(volumes, indices, steps, sharding), strict=True):
        numbers, weights = indices(step).numbers, indices(step).weights
        assert isinstance(batch.spectra, jax.Array)
        np.testing.assert_array_equal(batch.spectra, volumes.spectra(numbers))
        np.testing.assert_array_equal(batch.targets, volumes.targets(numbers))
        np.testing.assert_array_equal(batch.weights, weights)


def test_a_file_that_vanished_is_the_callers_problem(people):
    volumes, _ = people
    (volumes.recordings[-1].folder / "targets.npy").unlink()
    fed = feed(volumes, InOrder(len(volumes), 4), range(len(volumes) // 4), split_over(make_mesh(4)))
    next(fed)
    with pytest.raises(FileNotFoundError):
        list(fed)
