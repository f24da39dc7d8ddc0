"""Streams of randomness: the same by name, independent otherwise, and frozen for good."""

import numpy as np
import torch

from penchant._random import generator, seed_of, torch_generator


def test_a_stream_is_the_same_each_time_and_does_not_move_others():
    first = generator(7, "split").random(5)
    generator(7, "weights").random(1000)
    assert np.array_equal(first, generator(7, "split").random(5))
    assert torch.equal(
        torch.rand(5, generator=torch_generator(7, "x")), torch.rand(5, generator=torch_generator(7, "x"))
    )


def test_streams_are_told_apart_by_seed_and_by_name():
    seeds = {seed_of(rng, *names) for rng in range(-50, 50) for names in ((), ("a",), ("b",), ("a", "b"))}
    assert len(seeds) == 400
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_streams_are_not_correlated():
    draws = np.array([generator(rng, "x").standard_normal(2000) for rng in range(20)])
    off = np.corrcoef(draws)[np.triu_indices(20, 1)]
    assert np.abs(off).max() < 5 / np.sqrt(2000)


def test_seeds_never_change_between_versions():
    assert seed_of(0) == 2_033_344_993_903_900_207
    assert seed_of(7, "split", "random") == 6_889_102_064_915_373_956
