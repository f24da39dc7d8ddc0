import numpy as np
import polars as pl
import pytest
from interrupting import StoppedError, StoppingAfter

from penchant import Penchant
from penchant.errors import ConfigError, DataError


def test_one_label_only_is_refused_before_training(parts):
    train, valid, _ = parts
    liked = train.with_interactions(train.interactions.filter(pl.col("label") == 1))
    with pytest.raises(DataError, match="one label only"):
        Penchant().fit(liked, valid)
    with pytest.raises(DataError, match="validation rows hold no rows"):
        Penchant().fit(train, valid.with_interactions(valid.interactions.head(0)))


def test_without_validation_all_epochs_run_and_the_neck_decides(parts):
    model = Penchant(epochs=2, rng=1).fit(parts[0])
    assert len(model.history_) == 2
    assert "valid" not in model.history_.columns
    assert model.threshold_ == pytest.approx(model.module_.threshold.item())


def test_the_population_is_the_mean_over_liked_pairs(model, parts):
    train = parts[0]
    liked = train.interactions.filter(pl.col("label") == 1).join(train.items, on="item_id", how="left")
    zh = (liked["lang"].drop_nulls() == "zh").mean()
    told = model.portrait("u1").features.filter((pl.col("feature") == "lang") & (pl.col("value") == "zh"))
    assert told["population"][0] == pytest.approx(zh, abs=1e-5)


def test_users_and_items_outside_the_training_rows_are_known_too(model, parts):
    assert len(model.recommend(parts[0].user_ids.to_list(), n=1)) == len(parts[0].users)


def test_weights_of_rows_reach_the_loss(simulation):
    from dataclasses import replace

    tables = simulation.tables
    schema = replace(tables.schema, weight="weight")

    def fitted(weights):
        pairs = tables.interactions.with_columns(weight=pl.Series(weights))
        return (
            Penchant(epochs=1, rng=1).fit(replace(tables, schema=schema, interactions=pairs)).module_.threshold.item()
        )

    n = len(tables)
    assert fitted(np.ones(n)) != fitted(np.where(tables.interactions["label"] == 1, 5.0, 1.0))


def test_training_keeps_to_its_threads_and_gives_them_back(parts, monkeypatch):
    import torch

    from penchant.estimator import fitting

    train, seen = fitting.train, []
    monkeypatch.setattr(fitting, "train", lambda job: seen.append(torch.get_num_threads()) or train(job))
    before = torch.get_num_threads()
    for asked in (1, 2, 0):
        Penchant(epochs=1, threads=asked).fit(parts[0])
        assert torch.get_num_threads() == before
    assert seen == [1, 2, before]


# ---------------------------------------------------------------------- likes alone


RANKED = {"epochs": 3, "batch_size": 64, "rng": 4}


@pytest.fixture(scope="module")
def likes(simulation):
    """Likes alone, users known by their history: training rows, given ones and held-out ones of other users."""
    from dataclasses import replace

    from penchant import Field, Schema

    tables = simulation.tables
    past = Field(name="past", side="user", kind="history")
    schema = Schema(fields=(past, *tables.schema.side("item")), user_id="user_id", item_id="item_id")
    pairs = tables.interactions.filter(pl.col("label") == 1)
    last = pl.col("user_id").is_in(tables.user_ids[-15:].implode())
    chance = pl.Series(np.random.default_rng(0).random(pairs.height))
    parts = pairs.filter(~last), pairs.filter(last & (chance < 0.7)), pairs.filter(last & (chance >= 0.7))
    return [replace(tables, schema=schema, interactions=part) for part in parts]


def ranking(**changes):
    from penchant import EncoderOptions, Loss, Space

    loss = Loss(**{"neck": "softmax", **changes})
    return Penchant(space=Space(dim=8), encoder=EncoderOptions(hidden=(), bins=4), loss=loss, **RANKED)


def fitted(model, train, valid=None, checkpoint=None, progress=None, given=None):
    from penchant._progress import SilentProgress
    from penchant.estimator.fitting import fit_penchant

    model._fitted = fit_penchant(model, train, valid, checkpoint, progress or SilentProgress(), given)
    return model


def bits(model):
    return {name: t.clone() for name, t in model.module_.state_dict().items()}


def same(one, other):
    import torch

    return all(torch.equal(one[name], other[name]) for name in one)


def test_a_pointwise_neck_names_the_way_out_of_likes_alone(likes, parts):
    with pytest.raises(DataError, match=r"one label only \(1\).*a ranking neck: loss.neck = 'softmax'"):
        Penchant().fit(likes[0], likes[2])
    never = parts[0].with_interactions(parts[0].interactions.filter(pl.col("label") == 0))
    for model, said in ((Penchant(), "liked and disliked ones"), (ranking(), "liked ones are needed")):
        with pytest.raises(DataError, match=said) as caught:
            model.fit(never)
        assert "ranking neck" not in str(caught.value)
    with pytest.raises(DataError, match="validation rows hold no rows"):
        ranking().fit(likes[0], likes[2].with_interactions(likes[2].interactions.head(0)))


@pytest.mark.parametrize("neck", ["softmax", "bpr", "warp"])
@pytest.mark.parametrize("held_out", [False, True])
def test_likes_alone_are_enough_for_users_known_and_new(likes, neck, held_out, tmp_path):
    train, given, valid = likes
    model = fitted(ranking(neck=neck), train, valid if held_out else None, given=given if held_out else None)
    assert ("valid" in model.history_.columns) == held_out
    assert 0 < model.threshold_ < model.space_.diameter
    told = {"past": {"liked": given.interactions["item_id"][:4].to_list()}}
    assert len(model.recommend(told, n=5)) == 5
    assert not np.array_equal(model.encode("user", told), model.encode("user", {"past": []}))
    assert model.predict_proba(valid)["probability"].is_between(0, 1).all()
    assert model.portrait(told).features.height
    model.save(tmp_path / "m")
    again = Penchant.load(tmp_path / "m")
    assert again.predict_proba(valid).equals(model.predict_proba(valid))


def test_a_like_is_rather_a_like_than_a_random_item(likes):
    """What P(liked) means where nothing says what is not liked."""
    train, given, valid = likes
    model = fitted(ranking(), train, valid, given=given)
    assert float(model.predict_proba(valid)["probability"].mean()) > 0.5
    g = np.random.default_rng(1)
    items = pl.Series(g.choice(valid.item_ids.to_list(), len(valid)))
    random = valid.with_interactions(valid.interactions.with_columns(item_id=items))
    assert float(model.predict_proba(random)["probability"].mean()) < 0.5


def test_with_both_labels_a_ranking_neck_is_calibrated_on_them(parts):
    model = ranking().fit(parts[0], parts[1])
    labels = parts[1].interactions["label"]
    assert float(model.predict_proba(parts[1])["probability"].mean()) == pytest.approx(float(labels.mean()), abs=0.02)


def test_only_necks_with_a_scale_of_their_own_learn_it(likes):
    for neck, learns in (("softmax", True), ("bpr", True), ("warp", False)):
        module = fitted(ranking(neck=neck), likes[0]).module_
        assert (float(module.scale.detach()) != pytest.approx(10.0)) == learns
        assert float(module.threshold.detach()) == 0.5


def test_what_is_given_is_known_but_nothing_is_learned_from_it(likes):
    train, given, valid = likes
    one = fitted(ranking(), train)
    other = fitted(ranking(), train, given=given)
    assert same(bits(one), bits(other))
    user = given.interactions["user_id"][0]
    assert not np.array_equal(one.encode("user", user), other.encode("user", user))
    own = given.interactions.filter(pl.col("user_id") == user)["item_id"]
    told = {"past": {"liked": own.to_list()}}
    np.testing.assert_allclose(other.encode("user", user), other.encode("user", told), atol=1e-6)
    shown = other.recommend(user, n=len(train.items))["item_id"]
    assert not set(shown) & set(own)
    judged = (
        fitted(ranking(), train, valid).history_["valid"],
        fitted(ranking(), train, valid, given=given).history_["valid"],
    )
    assert not judged[0].equals(judged[1])


def test_users_of_whom_it_is_only_told_need_not_be_in_the_tables(likes, tmp_path):
    from dataclasses import replace

    train, given, valid = likes
    fewer = replace(train, users=train.users.filter(pl.col("user_id").is_in(train.interactions["user_id"].implode())))
    model = fitted(ranking(), fewer, valid, given=given)
    whole = fitted(ranking(), train, valid, given=given)
    np.testing.assert_allclose(model.history_["valid"].to_numpy(), whole.history_["valid"].to_numpy())
    assert set(model.users_["user_id"]) == set(fewer.user_ids)
    model.save(tmp_path / "m")
    assert Penchant.load(tmp_path / "m").predict_proba(train).equals(model.predict_proba(train))


def test_what_is_to_be_found_must_not_be_told(likes):
    train, given, valid = likes
    leak = given.with_interactions(pl.concat([given.interactions, valid.interactions.head(3)]))
    with pytest.raises(DataError, match=r"given and held out \(3 such|given and held out") as caught:
        fitted(ranking(), train, valid, given=leak)
    assert caught.value.problems[0].n_rows == 3


@pytest.mark.parametrize("kind", ["gru", "lstm", "attention"])
def test_what_reads_in_order_needs_the_whole_past(likes, kind):
    from dataclasses import replace

    train = likes[0]
    fields = tuple(replace(one, last=3) if one.kind == "history" else one for one in train.schema.fields)
    with pytest.raises(ConfigError, match=r"past\.last = 3.*history_length"):
        ranking().set_params(encoder__kind=kind).fit(replace(train, schema=replace(train.schema, fields=fields)))
    short = replace(train, schema=replace(train.schema, fields=fields))
    assert ranking().fit(short).recommend(train.user_ids[:1].to_list(), n=2).height == 2, "a bag does not"


@pytest.mark.parametrize("negatives", ["catalogue", "uniform", "popular", "batch"])
def test_interrupted_while_drawing_and_resumed_gives_the_same_bits(likes, negatives, tmp_path):
    train, given, valid = likes
    options = {"negatives": negatives, "n_negatives": 12, "zeta": 0.1}
    whole = fitted(ranking(**options), train, valid, given=given)

    with pytest.raises(StoppedError):
        fitted(ranking(**options), train, valid, tmp_path, StoppingAfter(15), given)
    assert any(tmp_path.iterdir())
    resumed = fitted(ranking(**options), train, valid, tmp_path, None, given)
    assert same(bits(whole), bits(resumed))
    assert whole.history_.equals(resumed.history_)


def test_a_weight_of_the_width_makes_items_narrower(parts):
    from penchant.nets import as_tensors
    from penchant.nets.interval import interval_width

    def width(zeta):
        from penchant import Loss

        model = Penchant(loss=Loss(zeta=zeta), epochs=3, batch_size=128, rng=5).fit(parts[0], parts[1])
        items = as_tensors(model._check_fitted().encoder.item.encode(parts[0].items))
        net, bound = model.module_.item_encoder, model.space_.bound
        names = [b.name for b in net.layout.blocks if b.likelihood != "none"]
        return sum(float(interval_width(net, items, name, bound=bound).mean().detach()) for name in names)

    assert width(10.0) < 0.8 * width(0.0)
