"""A case as numbers is the case: whose likes, which rows, and nothing of the held-out rows among what is known."""

import numpy as np
import polars as pl
import pytest

from penchant import Field
from penchant.tables.simulator import simulate
from penchant.tables.splits import split_random


@pytest.fixture(scope="module")
def module(benchmark_module):
    return benchmark_module("_portrait_arrays")


@pytest.fixture(scope="module")
def made():
    return simulate(n_users=30, n_items=50, n_interactions=900, liked=0.4, noise=0.0, missing=0.1, rng=3)


@pytest.fixture(scope="module")
def case(module, made):
    parts = split_random(made.tables, (0.5, 0.2, 0.3), rng=1)
    return module.PortraitCase("some", False, *parts, "a note", least=4, least_valid=2)


def test_targets_are_the_means_of_held_out_likes(module, case):
    data = module.arrays(case)
    for target, tables, least in ((data.valid, case.valid, 2), (data.test, case.test, 4)):
        likes = tables.interactions.filter(pl.col("label") == 1)
        counted = dict(likes.group_by("user_id").len().iter_rows())
        enough = {u for u, n in counted.items() if n >= least}
        keys = case.train.user_ids.gather(target.users).to_list()
        assert set(keys) == enough
        assert target.count.tolist() == [counted[u] for u in keys]
        one = likes.filter(pl.col("user_id") == keys[0])["item_id"].str.slice(1).cast(pl.Int64).to_numpy()
        assert target.portrait[0] == pytest.approx(np.nanmean(data.items[one], axis=0), rel=1e-5)
        assert target.weight.tolist() == [min(n, 8) for n in target.count]


def test_the_base_is_the_mean_over_training_likes(module, case):
    data = module.arrays(case)
    liked = case.train.interactions.filter(pl.col("label") == 1)["item_id"].str.slice(1).cast(pl.Int64).to_numpy()
    assert data.base == pytest.approx(np.nanmean(data.items[liked].astype(float), axis=0))
    assert len(data.train.user) == len(case.train)
    assert data.items.shape[1] == len(data.labels) == len(data.base)
    assert sum(place.stop - place.start for place in data.user_blocks) == data.users.shape[1]
    assert module.average(np.full((2, 1), np.nan), np.array([0, 1])) == [0.5]


def test_the_truth_of_a_simulation_is_everything_inside_the_ball(module, made, case):
    told = module.PortraitCase("some", False, case.train, case.valid, case.test, "", least=6, truth=made.truth)
    data = module.arrays(told)
    truth = made.truth
    for row, user in enumerate(data.test.users):
        size = (((truth.user_points[user] - truth.item_points) ** 2).mean(1)) ** 0.5
        inside = size <= truth.radius
        assert data.test.count[row] == inside.sum() >= 6
        assert data.test.portrait[row] == pytest.approx(np.nanmean(data.items[inside].astype(float), axis=0), rel=1e-5)


def test_more_fields_go_to_all_parts(module, case):
    more = case.with_fields(Field(name="past", side="user", kind="history"))
    assert all(part.schema.history is not None for part in (more.train, more.valid, more.test))
    assert case.train.schema.history is None
    assert module.arrays(more).users.shape == module.arrays(case).users.shape
