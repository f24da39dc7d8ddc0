"""The peers say what they claim to say, choose on validation users, and find what is plain to see."""

from dataclasses import replace

import numpy as np
import pytest

from penchant.tables.splits import split_cold_users, split_per_user


@pytest.fixture(scope="module")
def module(benchmark_module):
    return benchmark_module("_portrait_peers")


@pytest.fixture(scope="module")
def arrays(benchmark_module):
    return benchmark_module("_portrait_arrays").arrays


@pytest.fixture(scope="module")
def case(benchmark_module):
    simulator = benchmark_module("_portrait_data").simulator
    return simulator(0, liked=0.3, noise=0.05, n_users=150, n_items=120, n_interactions=6000)


@pytest.fixture(scope="module")
def data(arrays, case):
    return arrays(case)


@pytest.fixture(scope="module")
def claims(module, data):
    return {name: peer(data, 0) for name, peer in module.peers(cold=False).items()}


def test_every_claim_is_a_portrait_of_every_user(claims, data):
    assert list(claims) == ["population", "group", "own likes", "own likes shrunk", "ridge", "ridge items"]
    for claim in claims.values():
        assert claim.portrait.shape == (len(data.users), data.items.shape[1])
        assert np.isfinite(claim.portrait).all()


def test_own_likes_are_the_users_own(claims, data):
    rows = data.train.liked & (data.train.user == 7)
    mean = data.items[data.train.item[rows]].astype(float).mean(0)
    assert claims["own likes"].portrait[7] == pytest.approx(mean)
    s = float(claims["own likes shrunk"].setting.removeprefix("s="))
    n = rows.sum()
    assert claims["own likes shrunk"].portrait[7] == pytest.approx((n * mean + s * data.base) / (n + s))
    assert (claims["population"].portrait == data.base).all()


def test_more_knowledge_comes_nearer_to_the_truth(benchmark_module, claims, data):
    figures = benchmark_module("_portrait_measures").figures
    found = {
        name: figures(claim.portrait[data.test.users], data.test.portrait, data.base).means()
        for name, claim in claims.items()
    }
    error = {name: means["squared_error"] for name, means in found.items()}
    assert error["ridge"] < error["own likes"] < error["population"]
    assert error["group"] < error["population"]
    assert error["own likes shrunk"] < error["population"]
    assert error["ridge items"] < error["own likes"]
    assert found["ridge"]["correlation"] > 0.9


def test_settings_are_chosen_without_the_test_users(module, data, claims):
    blind = replace(data, test=replace(data.test, portrait=np.full_like(data.test.portrait, np.nan)))
    assert (module.ridge(blind, 0).portrait == claims["ridge"].portrait).all()
    with pytest.raises(ValueError, match="no validation user"):
        module.population(replace(data, valid=replace(data.valid, users=data.valid.users[:0])))


def test_of_equals_the_first_and_of_others_the_best_on_validation_users(module, data):
    base = np.tile(data.base, (len(data.users), 1))
    truth = base.copy()
    truth[data.valid.users] = data.valid.portrait
    best = module._best(data, [("base", base), ("truth", truth), ("truth again", truth)])
    assert (best.setting, best.error) == ("truth", 0.0)


def test_cold_users_have_no_past_to_speak_of(benchmark_module, module, arrays, case):
    assert list(module.peers(cold=True)) == ["population", "group", "ridge"]
    parts = split_cold_users(case.train, (0.6, 0.2, 0.2))
    cold = replace(case, cold=True, train=parts[0], valid=parts[1], test=parts[2], truth=None)
    data = arrays(cold)
    figures = benchmark_module("_portrait_measures").figures
    for peer in module.peers(cold=True).values():
        said = peer(data, 0).portrait[data.test.users]
        assert np.isfinite(said).all()
    assert figures(said, data.test.portrait, data.base).means()["correlation"] > 0.5, "ridge, by the users' tastes"


def test_users_without_training_rows_are_told_as_far_as_may_be(module, arrays, case):
    train, valid, test = split_per_user(case.train)
    nobody = train.interactions.filter(train.interactions["user_id"] != "u0")
    data = arrays(replace(case, train=train.with_interactions(nobody), valid=valid, test=test))
    assert module.own_likes(data).portrait[0] == pytest.approx(data.base)
    for peer in (module.group, module.ridge):
        assert np.isfinite(peer(data, 0).portrait).all()
