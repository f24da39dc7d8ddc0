import math
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch

from penchant import Loss, Penchant, Space
from penchant.errors import ConfigError, CorruptModelError, DataError, NotFittedError, UnknownIdError
from penchant.nets import EncoderOptions
from penchant.tables import Field


def test_predictions_keep_order_and_agree_with_one_another(model, parts):
    test = parts[2]
    said = model.predict(test)
    assert said.columns == ["user_id", "item_id", "liked", "probability", "distance"]
    assert said.select("user_id", "item_id").equals(test.interactions.select("user_id", "item_id"))
    assert said["probability"].equals(model.predict_proba(test)["probability"])
    assert (said["liked"] == (said["distance"] <= model.threshold_)).all()
    assert (said["liked"] == (said["probability"] >= 0.5)).all()
    cap = model.space_.cap
    capped = model.distance(test)["distance"].to_numpy()
    np.testing.assert_allclose(capped, np.minimum(said["distance"], cap))
    assert model.threshold_ < cap <= model.threshold_ + 0.1 + 1e-9


def test_known_pairs_need_ids_alone(model, parts):
    test = parts[2]
    pairs = test.interactions.select("user_id", "item_id")
    np.testing.assert_allclose(
        model.predict_proba(pairs)["probability"], model.predict_proba(test)["probability"], atol=1e-6
    )


def test_an_id_in_no_table_is_named_and_the_portrait_way_offered(model):
    with pytest.raises(UnknownIdError, match=r"u999(?s:.)*features"):
        model.predict(pl.DataFrame({"user_id": ["u999"], "item_id": ["i1"]}))
    with pytest.raises(UnknownIdError, match="u999"):
        model.recommend("u999")
    with pytest.raises(UnknownIdError, match="i999"):
        model.audience("i999")


def test_columns_that_are_not_there_are_said(model):
    with pytest.raises(DataError, match="item_id"):
        model.predict(pl.DataFrame({"user_id": ["u1"]}))


def test_before_fitting_there_is_one_error():
    for ask in (
        lambda m: m.recommend("u1"),
        lambda m: m.history_,
        lambda m: m.save("x"),
        lambda m: m.portrait("u1"),
    ):
        with pytest.raises(NotFittedError, match="fit"):
            ask(Penchant())


def test_recommendations_are_the_nearest_unseen_items(model, parts):
    got = model.recommend(["u3", "u4"], n=7)
    assert got.columns == ["user_id", "rank", "item_id", "score", "distance", "inside"]
    for user in ("u3", "u4"):
        mine = got.filter(pl.col("user_id") == user)
        assert mine["rank"].to_list() == list(range(1, 8))
        assert mine["distance"].is_sorted()
        assert mine["score"].is_sorted(descending=True)
        seen = set(parts[0].interactions.filter(pl.col("user_id") == user)["item_id"])
        assert not seen & set(mine["item_id"])
        unseen = [i for i in parts[0].item_ids if i not in seen]
        pairs = pl.DataFrame({"user_id": [user] * len(unseen), "item_id": unseen})
        nearest = model.distance(pairs).sort("distance")["item_id"].head(7).to_list()
        assert mine["item_id"].to_list() == nearest


def test_seen_items_can_be_kept_and_candidates_narrowed(model, parts):
    every = model.recommend("u3", n=1000, exclude_seen=False)
    assert sorted(every["item_id"]) == sorted(parts[0].item_ids)
    few = model.recommend("u3", n=10, candidates=["i1", "i2", "i3"], exclude_seen=False)
    assert sorted(few["item_id"]) == ["i1", "i2", "i3"]
    zh = model.recommend("u3", n=1000, where="lang = 'zh'", exclude_seen=False)
    items = parts[0].items
    assert sorted(zh["item_id"]) == sorted(items.filter(pl.col("lang") == "zh")["item_id"])
    assert model.recommend("u3", where="lang = 'xx'").is_empty()


@pytest.mark.parametrize("where", ["no_such = 1", "lang =", "length", "1; drop table items", "max(length) > 3"])
def test_a_condition_that_is_none_is_refused(model, where):
    with pytest.raises(DataError, match="where"):
        model.recommend("u3", where=where)


def test_somebody_in_no_table_is_a_row_of_features(model, parts):
    row = parts[0].users.row(3, named=True)
    asked = {k: v for k, v in row.items() if k != "user_id"}
    got = model.recommend([asked, {"age": 30}], n=4)
    assert got.columns[0] == "row"
    assert got["row"].to_list() == [0] * 4 + [1] * 4
    np.testing.assert_allclose(model.encode("user", row), model.encode("user", "u3"), atol=1e-6)
    assert np.isfinite(model.encode("user", {})).all()
    with pytest.raises(DataError, match="agee"):
        model.recommend({"agee": 3})
    with pytest.raises(ConfigError, match="not both"):
        model.recommend(["u1", {"age": 3}])


def test_n_below_one_is_refused(model):
    with pytest.raises(ConfigError, match="n = 0"):
        model.recommend("u1", n=0)
    with pytest.raises(ConfigError, match="n = -1"):
        model.related(user="u1", n=-1)


def test_relations_between_any_two(model):
    users = model.related(user="u3", to="user", n=5)
    assert "u3" not in users["user_id"].to_list()
    assert users["distance"].is_sorted()
    assert model.related(user="u3", to="item", n=5).columns == ["item_id", "distance", "probability"]
    assert len(model.related(item="i3", to="user", n=500)) == 60
    assert len(model.related(item="i3", to="item", n=500)) == 49
    assert len(model.related(item={"lang": "zh"}, to="item", n=500)) == 50
    for wrong in ({}, {"user": "u1", "item": "i1"}, {"user": ["u1", "u2"]}, {"user": "u1", "to": "shop"}):
        with pytest.raises(ConfigError):
            model.related(**wrong)


def test_portraits_describe_the_other_side(model):
    liked = model.portrait("u3")
    assert liked.side == "item"
    assert set(liked.typical) == {"length", "video", "lang", "topics", "published", "content"}
    assert len(liked.examples) == 5
    audience = model.audience({"lang": "zh"}, examples=2)
    assert audience.side == "user"
    assert "age" in audience.typical
    assert audience.typical["age"].endswith("years")
    assert len(audience.examples) == 2
    share = model.predict(pl.DataFrame({"user_id": ["u3"] * 50, "item_id": [f"i{j}" for j in range(50)]}))["liked"]
    assert liked.ball.inside == pytest.approx(share.mean())
    assert liked.notes == ()


def test_a_portrait_without_its_term_says_that_it_is_not_to_be_trusted(parts):
    blind = Penchant(epochs=1, loss=Loss(delta=0)).fit(parts[0], parts[1])
    assert "delta" in blind.portrait("u1").notes[0]


def test_one_seed_gives_one_model(parts):
    def weights():
        fitted = Penchant(epochs=2, batch_size=128, rng=9).fit(parts[0], parts[1])
        return list(fitted.module_.state_dict().values()), fitted.predict_proba(parts[2])["probability"]

    (one, first), (other, second) = weights(), weights()
    assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))
    assert first.equals(second)


def with_past(parts):
    """The same tables, users known by their history, too."""
    fields = (*parts[0].schema.fields, Field(name="past", side="user", kind="history"))
    return [replace(part, schema=replace(part.schema, fields=fields)) for part in parts]


@pytest.mark.parametrize(
    ("stop_after", "preset", "latent"),
    [(1, "default", {}), (2, "default", {"latent__kind": "contrastive"}), (3, "default", {}),
     (1, "variational", {"latent__anneal": 3}), (2, "variational", {"latent__anneal": 3}), (2, "sequential", {})],
)  # fmt: skip
def test_interrupted_and_resumed_is_bit_equal(parts, tmp_path, stop_after, preset, latent):
    class Interrupting:
        def __init__(self):
            self.epochs = 0

        def start(self, total, title):
            pass

        def step(self, n=1, **figures):
            self.epochs += "valid" in figures
            if self.epochs == stop_after and not figures:
                raise KeyboardInterrupt

        def finish(self):
            pass

    if preset == "sequential":
        parts = with_past(parts)
    options = {"epochs": 4, "batch_size": 256, "encoder__dropout": 0.2, "rng": 4} | latent
    make = lambda: Penchant.preset(preset, **options)  # noqa: E731
    whole = make().fit(parts[0], parts[1])
    with pytest.raises(KeyboardInterrupt):
        make().fit(parts[0], parts[1], checkpoint=tmp_path, progress=Interrupting())
    resumed = make().fit(parts[0], parts[1], checkpoint=tmp_path)
    assert resumed.module_.user_encoder.causal == (preset == "sequential")
    assert resumed.history_.equals(whole.history_)
    assert resumed.predict(parts[2]).equals(whole.predict(parts[2]))
    with pytest.raises(ConfigError, match="another configuration"):
        make().set_params(learning_rate=0.5).fit(parts[0], parts[1], checkpoint=tmp_path)


@pytest.mark.parametrize("preset", ["default", "seed"])
@pytest.mark.parametrize("norm", [2.0, math.inf])
def test_saved_and_loaded_predicts_bit_equal(parts, tmp_path, preset, norm):
    model = Penchant.preset(preset, space=Space(dim=6, norm=norm), epochs=1, rng=2).fit(parts[0], parts[1])
    model.save(tmp_path / "m.penchant")
    again = Penchant.load(tmp_path / "m.penchant")
    assert again.predict(parts[2]).equals(model.predict(parts[2]))
    assert again.recommend(["u1", "u2"]).equals(model.recommend(["u1", "u2"]))
    assert again.portrait("u1").to_json() == model.portrait("u1").to_json()
    assert again.get_params() == {**model.get_params(), "device": "auto"}
    assert again.history_.equals(model.history_)
    assert again.space_ == model.space_


def test_an_altered_model_is_refused_by_name(model, tmp_path):
    model.save(tmp_path / "m")
    weights = tmp_path / "m" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4] + b"0000")
    with pytest.raises(CorruptModelError, match=r"weights\.safetensors was altered"):
        Penchant.load(tmp_path / "m")


def test_a_situation_counts_and_none_is_taken_as_missing(simulation, tmp_path):
    tables = simulation.tables
    fields = (*tables.schema.fields, Field(name="hour", side="context", kind="numeric"))
    hours = pl.Series("hour", np.arange(len(tables)) % 24)
    timed = replace(
        tables,
        schema=replace(tables.schema, fields=fields),
        interactions=tables.interactions.with_columns(hours),
    )
    model = Penchant(epochs=2, rng=1).fit(timed)
    none, noon, night = (model.recommend("u1", n=3, context=c) for c in (None, {"hour": 12}, {"hour": 0}))
    assert none["distance"].to_list() != noon["distance"].to_list() != night["distance"].to_list()
    pairs = timed.interactions.select("user_id", "item_id")
    assert model.predict(pairs)["distance"].to_list() != model.predict(timed)["distance"].to_list()
    with pytest.raises(DataError, match="minute"):
        model.recommend("u1", context={"minute": 3})
    model.save(tmp_path / "m")
    assert Penchant.load(tmp_path / "m").predict(timed).equals(model.predict(timed))


@pytest.mark.parametrize("kind", ["gru", "lstm", "attention"])
def test_what_comes_last_counts_and_is_kept_in_files(parts, tmp_path, kind):
    crossed = EncoderOptions(kind="wide_deep", hidden=(8,), crosses=(("lang", "video"),), cross_buckets=16)
    options = EncoderOptions(kind=kind, history_dim=8)
    model = Penchant(epochs=2, batch_by="user", encoder=options, item_encoder=crossed, rng=1)
    model.fit(*with_past(parts)[:2])
    model.save(tmp_path / "m")
    again = Penchant.load(tmp_path / "m")
    assert again.item_encoder == crossed
    rows = [{"past": ids} for ids in (["i1", "i2", "i3"], ["i3", "i2", "i1"], [{"item": f"i{n}"} for n in (1, 2, 3)])]
    first, other, same = model.encode("user", rows)
    assert not np.allclose(first, other)
    np.testing.assert_allclose(first, same, atol=1e-6)
    np.testing.assert_array_equal(again.encode("user", rows), model.encode("user", rows))
    users = model.users_["user_id"].to_list()
    np.testing.assert_array_equal(again.encode("user", users), model.encode("user", users))


def test_items_are_encoded_as_users_are_unless_something_else_is_said():
    config = {"item_encoder": {"hidden": [32]}, "encoder": {"kind": "gru", "embedding_dim": 8}}
    model = Penchant.from_config(config)
    assert model.item_encoder == replace(model.encoder, hidden=(32,)), "what is not named is as the users'"
    assert Penchant.from_config(model.get_params(deep=False)).item_encoder == model.item_encoder
    assert Penchant.from_config({**config, "item_encoder": None}).item_encoder is None
    assert model.set_params(item_encoder__hidden=(4,)).item_encoder.hidden == (4,)
    with pytest.raises(ConfigError, match="set item_encoder as a whole, with its hidden"):
        Penchant().set_params(item_encoder__hidden=(4,))
    with pytest.raises(ConfigError, match=r"item_encoder.hiden is no option: did you mean hidden"):
        Penchant.from_config({"item_encoder": {"hiden": [32]}})


def test_presets_and_configs_are_checked_by_name():
    seed = Penchant.preset("seed", loss__delta=2.0)
    assert (seed.loss.neck, seed.loss.delta, seed.encoder.inputs) == ("hinge", 2.0, "vector")
    with pytest.raises(ConfigError, match="one of default, seed"):
        Penchant.preset("sed")
    with pytest.raises(ConfigError, match="did you mean"):
        Penchant.preset("seed", epoch=3)
    config = {"preset": "seed", "epochs": 7, "space": {"norm": "inf"}, "loss": {"gamma": 0.5}}
    model = Penchant.from_config(config)
    assert (model.epochs, model.space.norm, model.space.dim, model.loss.gamma, model.loss.neck) == (
        7,
        math.inf,
        16,
        0.5,
        "hinge",
    )
    with pytest.raises(ConfigError, match=r"config\.epoch is no option: did you mean epochs"):
        Penchant.from_config({"epoch": 3})


def test_a_config_of_the_wrong_type_is_refused_before_any_work():
    with pytest.raises(ConfigError, match="epochs"):
        Penchant.from_config({"epochs": "many"})
    with pytest.raises(ConfigError, match="rng"):
        Penchant.from_config({"rng": 1.5})


@pytest.mark.filterwarnings("ignore:loss.neck")
@pytest.mark.parametrize("neck", ["hinge", "literal", "capped", "logistic"])
def test_every_neck_ends_in_calibrated_probabilities(parts, neck):
    model = Penchant(loss=Loss(neck=neck), epochs=2, batch_size=256).fit(parts[0], parts[1])
    probability = model.predict_proba(parts[1])["probability"].to_numpy()
    label = parts[1].interactions["label"].to_numpy()
    assert probability.mean() == pytest.approx(label.mean(), abs=0.02), "calibrated in the large on the validation rows"
