"""The search space against a satisfiability solver, the published specifications, and the networks that it builds."""

from __future__ import annotations

from itertools import pairwise

import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bids_eeg2fmri.learning.search.dissimilarity import dissimilarity, encode
from bids_eeg2fmri.learning.search.exactness import faults
from bids_eeg2fmri.learning.search.solver import Solver
from bids_eeg2fmri.learning.search.space import SearchSpace
from bids_eeg2fmri.network.calhas2022 import Blocks, Calhas2022Config
from bids_eeg2fmri.network.calhas2022.config import EEG_BLOCKS, FMRI_BLOCKS
from bids_eeg2fmri.network.calhas2022.encoder import Encoder

PUBLISHED = SearchSpace((64, 64, 30), (7, 7, 7), (2, 2, 2), max_layers=3)
SMALL = (
    SearchSpace((8, 6, 6), (3, 2, 2), None, max_layers=3),
    SearchSpace((7, 6, 5), (2, 2, 2), (2, 1, 1), max_layers=2),
    SearchSpace((11, 7, 6), (2, 2, 2), (2, 2, 1), (2, 1, 1), min_layers=2, max_layers=2),
)


@pytest.mark.parametrize("space", SMALL, ids=["no pooling", "pooling", "strided pooling"])
def test_counting_finds_what_the_solver_enumerates(space):
    solutions = list(Solver(space).solutions())
    assert len(solutions) == len(set(solutions)) == space.size > 1
    assert {space.blocks(index) for index in range(space.size)} == set(solutions)
    depths = [len(blocks.kernels) for blocks in solutions]
    assert space.counts == {depth: depths.count(depth) for depth in space.depths}


def test_a_space_can_be_empty():
    space = SearchSpace((6, 6, 6), (7, 2, 2))
    assert space.size == 0 and list(Solver(space).solutions()) == []
    with pytest.raises(IndexError, match="solution 0 of 0"):
        space.blocks(0)


def test_the_published_specification_of_volumes_is_a_solution():
    assert Solver(PUBLISHED).admits(FMRI_BLOCKS)
    assert faults((64, 64, 30), FMRI_BLOCKS, (7, 7, 7)) == ()


def test_the_published_specification_of_eeg_is_not_exact():
    space = SearchSpace((64, 134, 10), (7, 7, 7), max_layers=2)
    assert not Solver(space).admits(EEG_BLOCKS)
    assert faults((64, 134, 10), EEG_BLOCKS, (7, 7, 7)) == (
        "block 1, second axis, convolution: (134 - 37) / 5 leaves a remainder of 2",
        "ends at (6, 6, 8), not (7, 7, 7)",
    )


def test_windows_that_do_not_fit_are_named():
    blocks = Blocks(kernels=((3, 9, 2),), strides=((1, 1, 1),), pool=None)
    assert faults((8, 8, 8), blocks, (6, 1, 7)) == (
        "block 1, second axis, convolution: window 9 and stride 1 on a length of 8",
    )
    slow = Blocks(kernels=((2, 2, 2),), strides=((2, 1, 1),), pool=None)
    assert "window 2 and stride 2" in faults((8, 8, 8), slow, (4, 7, 7))[0]


@given(
    st.integers(0, PUBLISHED.size - 1), st.sampled_from(["kernels", "strides"]), st.integers(0, 2), st.integers(0, 2)
)
@settings(max_examples=12, deadline=None)
def test_solver_and_arithmetic_agree_on_large_solutions_and_their_neighbours(index, part, layer, axis):
    blocks = PUBLISHED.blocks(index)
    solver = Solver(PUBLISHED)
    assert solver.admits(blocks) and faults(PUBLISHED.in_shape, blocks, PUBLISHED.out_shape) == ()
    changed = [list(layer) for layer in getattr(blocks, part)]
    changed[layer % len(changed)][axis] += 1
    neighbour = Blocks(**{**vars(blocks), part: tuple(map(tuple, changed))})
    assert solver.admits(neighbour) == (not faults(PUBLISHED.in_shape, neighbour, PUBLISHED.out_shape))


@given(st.data())
@settings(max_examples=8, deadline=None)
def test_every_architecture_builds_and_has_the_wanted_shape(data):
    length = st.integers(5, 20)
    in_shape, latent = data.draw(st.tuples(length, length, length)), data.draw(st.tuples(*[st.integers(1, 4)] * 3))
    pool = data.draw(st.sampled_from([None, (2, 2, 1), (2, 2, 2)]))
    space = SearchSpace(in_shape, latent, pool, max_layers=3)
    assume(space.size)
    blocks = space.blocks(data.draw(st.integers(0, space.size - 1)))
    assert all(k > s > 0 for k, s in zip(np.ravel(blocks.kernels), np.ravel(blocks.strides), strict=True))
    assert space.min_layers <= len(blocks.kernels) <= space.max_layers
    config = Calhas2022Config(latent_shape=latent, n_filters=2)

    def last_block():
        encoder = Encoder(in_shape, blocks, config, name="encoder", rngs=nnx.Rngs(0))
        x = jnp.zeros((1, *in_shape, 1))
        for block in encoder.blocks:
            x = block(x)
        return x

    assert nnx.eval_shape(last_block).shape == (1, *latent, 2)


def test_encodings_tell_solutions_apart():
    space = SMALL[0]
    codes = np.array([encode(space.blocks(index), space) for index in range(space.size)])
    assert len(np.unique(codes, axis=0)) == space.size
    assert codes.shape[1] == 2 * space.max_layers * 3 * 4
    by_hand = encode(Blocks(((5, 2, 3),), ((1, 1, 2),), None), space).reshape(2, 3, 3, 4)
    np.testing.assert_array_equal(by_hand[0, 0], [[1, 0, 1, 0], [0, 1, 0, 0], [1, 1, 0, 0]])
    np.testing.assert_array_equal(by_hand[1, 0], [[1, 0, 0, 0], [1, 0, 0, 0], [0, 1, 0, 0]])
    assert not by_hand[:, 1:].any()


def test_dissimilarity_is_the_mean_distance_of_pairs():
    space = SMALL[0]
    some = [space.blocks(index) for index in range(0, space.size, 3)]
    codes = [encode(blocks, space) for blocks in some]
    distances = [np.sum(a != b) for i, a in enumerate(codes) for b in codes[:i]]
    assert dissimilarity(some, space) == pytest.approx(np.mean(distances))
    assert dissimilarity(some[:1], space) == 0
    shuffled = [codes[i] for i in np.random.default_rng(0).permutation(len(codes))]
    consecutive = [np.sum(a != b) for a, b in pairwise(shuffled)]
    assert dissimilarity(some, space) == pytest.approx(np.mean(consecutive), rel=0.5)


def test_the_published_space_is_large():
    assert PUBLISHED.counts == {1: 147, 2: 3_168_644, 3: 6_648_165_180}
