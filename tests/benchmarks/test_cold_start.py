"""Few clicks are part of more clicks, and nothing of a new user but features is known."""

import pytest

from penchant import simulate


@pytest.fixture(scope="module")
def module(benchmark_module):
    return benchmark_module("cold_start")


def test_fewer_clicks_are_the_first_of_more(module):
    tables = simulate(n_users=20, n_items=30, n_interactions=400, rng=1).tables
    before = set()
    for n in (0, 1, 3, 10):
        rows = module.told(tables, n).interactions
        pairs = set(rows.select("user_id", "item_id").rows())
        assert before <= pairs
        assert rows.group_by("user_id").len()["len"].max() in (n, None)
        before = pairs


def test_every_case_has_its_protocol_and_models(module):
    assert set(module._models()) >= {"penchant", "LightFM", "popularity"}
    assert module.CLICKS[0] == 0
    with pytest.raises(SystemExit):
        module.main(["--cases", "nope"])
