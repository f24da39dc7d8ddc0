"""Fits that go on from an earlier one: what was known stays known, and stays where it was."""

import copy
import math
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch
from interrupting import StoppedError, StoppingAfter

from penchant import EncoderOptions, Field, Latent, Loss, Penchant, Schema, Space
from penchant._progress import SilentProgress
from penchant.errors import ConfigError, DataError, NotFittedError
from penchant.estimator.fitting import fit_penchant
from penchant.estimator.warming import with_known

DAYS = {"epochs": 3, "batch_size": 128, "rng": 5}


@pytest.fixture(scope="module")
def days(simulation):
    """Two days, each with rows to validate on; on the second a fifth of the users and items are new."""
    tables = simulation.tables
    pairs = tables.interactions
    old = pl.col("user_id").is_in(tables.user_ids[:48].implode()) & pl.col("item_id").is_in(
        tables.item_ids[:40].implode()
    )
    known = pairs.filter(old)
    early, late = known[:700], pl.concat([known[700:], pairs.filter(~old)]).sample(fraction=1, shuffle=True, seed=1)
    parts = [early[:600], early[600:], late[:500], late[500:620]]
    return [only_who_appear(tables.with_interactions(part)) for part in parts]


def only_who_appear(tables):
    """As an increment is given: rows of users and items for those in the interactions alone."""
    users = tables.users.filter(pl.col("user_id").is_in(tables.interactions["user_id"].implode()))
    items = tables.items.filter(pl.col("item_id").is_in(tables.interactions["item_id"].implode()))
    return replace(tables, users=users, items=items)


@pytest.fixture(scope="module")
def first(days):
    return Penchant(**DAYS).fit(days[0], days[1])


def again(model, train, valid=None, **changes):
    one = copy.copy(model)
    return one.set_params(**{"epochs": 2, **changes}).fit(train, valid, warm_start=True)


@pytest.fixture(scope="module")
def second(first, days):
    return again(first, days[2], days[3])


def test_everybody_known_stays_known_with_what_was_known_of_them(first, second, days):
    for table, key in (("users_", "user_id"), ("items_", "item_id")):
        before, after = getattr(first, table), getattr(second, table)
        assert after.height > before.height
        assert after[: before.height][key].equals(before[key])
    absent = set(first.users_["user_id"]) - set(days[2].user_ids) - set(days[3].user_ids)
    for user in sorted(absent)[:3] or first.users_["user_id"][:1]:
        assert len(second.recommend(user, n=5)) == 5
    met = second._fitted.seen
    assert met.height >= first._fitted.seen.height
    shown = second.recommend(first.users_["user_id"].to_list(), n=60)
    seen = days[0].interactions.select("user_id", "item_id")
    assert shown.join(seen, on=["user_id", "item_id"], how="inner").is_empty()


def test_a_row_that_is_given_anew_counts(first, days):
    user = next(one for one in days[2].user_ids if one in set(first.users_["user_id"]))
    changed = days[2].users.with_columns(age=pl.when(pl.col("user_id") == user).then(99.0).otherwise("age"))
    joined = with_known(first.users_, first.items_, replace(days[2], users=changed)).users
    assert joined.filter(pl.col("user_id") == user)["age"].to_list() == [99.0]
    assert joined["user_id"].n_unique() == joined.height


def test_the_anchor_keeps_the_space_and_without_it_the_space_wanders(first, days):
    loose, held, tight = (again(first, days[2], days[3], warm__anchor=a).drift_ for a in (0, 10.0, 300.0))
    for figure in ("users", "items", "items_90", "decisions", "variance"):
        assert getattr(loose, figure) > getattr(held, figure) > getattr(tight, figure)
    assert 0 <= tight.users < tight.users_90 < 0.12
    assert first.drift_ is None


def test_drift_is_of_the_same_rows(first, second):
    """By hand: what the new networks make of the old table, as the old encoder coded it."""
    from penchant.training import encode_all

    start, now = first._fitted, second._fitted
    for side, mean in (("user", second.drift_.users), ("item", second.drift_.items)):
        known = start.known[side]
        rows = start.encoded(side, known.frame, known.vocabulary.ids)
        apart = now.model.space.base_distance(encode_all(now.model, side, rows, now.device), known.points)
        assert mean == pytest.approx(float(apart.mean()), rel=1e-5)


def test_it_learns(first, second, days):
    assert second.score(days[3]) > first.score(with_known(first.users_, first.items_, days[3])) - 0.02
    assert {"anchor", "valid"} <= set(second.history_.columns)
    assert second.threshold_ != first.threshold_


def test_the_same_seed_gives_the_same_model(first, second, days):
    other = again(first, days[2], days[3])
    weights = second.module_.state_dict()
    assert all(torch.equal(weights[name], value) for name, value in other.module_.state_dict().items())
    assert other.drift_ == second.drift_


def test_a_saved_model_is_gone_on_from_alike_and_tells_its_drift(first, second, days, tmp_path):
    first.save(tmp_path / "one")
    loaded = Penchant.load(tmp_path / "one").set_params(epochs=2).fit(days[2], days[3], warm_start=True)
    assert loaded.predict_proba(days[3]).equals(second.predict_proba(days[3]))
    loaded.save(tmp_path / "two")
    back = Penchant.load(tmp_path / "two")
    assert back.drift_ == second.drift_
    assert back._fitted.ancestors == second._fitted.ancestors
    assert back.predict_proba(days[3]).equals(second.predict_proba(days[3]))


def test_ancestors_add_up(first, second, days):
    third = again(second, days[2], days[3])
    one, two = third._fitted.ancestors
    assert one[0] == second._fitted.ancestors[0][0]
    assert two[1] == third.drift_.variance
    assert one[1] == pytest.approx(second.drift_.variance + third.drift_.variance)


def test_without_validation_movement_is_as_before(first, days):
    one = again(first, days[2])
    assert one._fitted.dynamics == first._fitted.dynamics
    assert one.threshold_ == pytest.approx(one.module_.threshold.item())


def test_interrupted_and_resumed_gives_the_same_bits(first, second, days, tmp_path):
    one = copy.copy(first).set_params(epochs=2)
    with pytest.raises(StoppedError):
        fit_penchant(one, days[2], days[3], tmp_path, StoppingAfter(6), None, first._fitted)
    assert any(tmp_path.iterdir())
    resumed = fit_penchant(one, days[2], days[3], tmp_path, SilentProgress(), None, first._fitted)
    weights = second.module_.state_dict()
    assert all(torch.equal(weights[name], value) for name, value in resumed.model.state_dict().items())
    other = again(first, days[0])
    with pytest.raises(ConfigError, match="another configuration or other data"):
        fit_penchant(one, days[2], days[3], tmp_path, SilentProgress(), None, other._fitted)


# ---------------------------------------------------------------------- what is refused


def test_nothing_to_go_on_from(days):
    with pytest.raises(NotFittedError):
        Penchant().fit(days[0], warm_start=True)


def test_nothing_new(first, days):
    with pytest.raises(DataError, match="training rows hold no rows"):
        again(first, days[2].with_interactions(days[2].interactions.head(0)))


def with_fields(tables, change):
    return replace(tables, schema=replace(tables.schema, fields=tuple(change(tables.schema.fields))))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda fields: (f for f in fields if f.name != "age"), "column 'age' of user is gone"),
        (
            lambda fields: (*fields, Field(name="more", side="item", kind="numeric")),
            "column 'more' of item is new",
        ),
        (
            lambda fields: (
                Field(name="age", side="user", kind="category") if f.name == "age" else f for f in fields
            ),
            "column 'age': kind = 'category': 'numeric' expected",
        ),
        (
            lambda fields: (replace(f, scale="log") if f.name == "age" else f for f in fields),
            "column 'age': scale = 'log': 'minmax' expected",
        ),
    ],
)  # fmt: skip
def test_other_columns_are_refused_by_name(first, days, change, said):
    other = with_fields(days[2], change)
    with pytest.raises(ConfigError, match=said):
        again(first, other)
    with pytest.raises(ConfigError, match=said):
        again(first, days[2], with_fields(days[3], change))


def test_another_key_or_label_is_refused(first, days):
    other = replace(days[2], schema=replace(days[2].schema, time="when"))
    with pytest.raises(ConfigError, match=r"schema.time = 'when': "):
        again(first, other)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"space": Space(dim=7)}, "space.dim = 7: 64 expected"),
        ({"space": Space(norm=math.inf)}, "space.norm = inf: 2.0 expected"),
        ({"space": Space(box="sigmoid")}, "space.box = 'sigmoid': 'tanh' expected"),
        ({"encoder": EncoderOptions(hidden=(3,))}, r"encoder.hidden = \(3,\): \(64, 64\) expected"),
        ({"encoder": EncoderOptions(kind="gru")}, "encoder.kind = 'gru': 'mlp' expected"),
        ({"item_encoder": EncoderOptions(bins=3)}, "item_encoder.bins = 3: 50 expected"),
        ({"decoder__linear": False}, "decoder.linear = False: True expected"),
        ({"latent": Latent(kind="contrastive")}, "latent.kind = 'contrastive': 'point' expected"),
    ],
)
def test_another_space_is_refused_by_name(first, days, changes, said):
    with pytest.raises(ConfigError, match=said):
        again(first, days[2], **changes)


def test_what_is_of_training_alone_may_change(first, days):
    one = again(first, days[2], loss=Loss(delta=5.0), encoder__dropout=0.1, learning_rate=1e-3, batch_size=64)
    assert one.drift_ is not None


def test_a_column_of_another_type_is_refused_by_name(first, days):
    key = days[2].users.with_columns(pl.concat_list("age").alias("age"))
    with pytest.raises(DataError, match=r"users: columns of another type than in the earlier fit: age"):
        with_known(first.users_, first.items_, replace(days[2], users=key))


# ---------------------------------------------------------------------- histories, encoders, necks


@pytest.fixture(scope="module")
def past(days):
    """The same days, users known by their past, rows with a time."""
    parts, start = [], 0
    for tables in days:
        fields = (Field(name="past", side="user", kind="history"), *tables.schema.fields)
        times = pl.Series("time", np.arange(start, start + len(tables)))
        start += len(tables)
        schema = replace(tables.schema, fields=fields, time="time")
        parts.append(replace(tables, schema=schema, interactions=tables.interactions.with_columns(times)))
    return parts


KINDS = {
    "mlp": {}, "wide_deep": {"crosses": (("lang", "topics"),), "cross_buckets": 100},
    "gru": {}, "lstm": {"history_bag": False}, "attention": {},
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_pasts_grow_and_the_space_stays(past, kind):
    small = {"hidden": (8,), "history_dim": 8, "history_length": 20, "embedding_dim": 4}
    if kind == "wide_deep":
        names = [f.name for f in past[0].schema.side("item") if f.kind in ("category", "tags", "binary")]
        KINDS[kind] = {"crosses": (tuple(names[:2]),), "cross_buckets": 100}
    options = EncoderOptions(kind=kind, **small, **KINDS[kind])
    model = Penchant(space=Space(dim=8), encoder=options, **{**DAYS, "epochs": 2}).fit(past[0], past[1])
    later = again(model, past[2], past[3], epochs=1, warm__anchor=100.0)
    assert later.drift_.users < 0.1
    user = past[2].interactions["user_id"].filter(past[2].interactions["user_id"].is_in(model.users_["user_id"]))[0]
    told = later._fitted.encoder.histories
    entries = told.of(pl.Series([user]))
    items = set(told.items.take(entries.items))
    every = pl.concat([part.interactions.select("user_id", "item_id") for part in (past[0], past[2])])
    assert items == set(every.filter(pl.col("user_id") == user)["item_id"])
    assert not np.array_equal(later.encode("user", user), model.encode("user", user))


def test_likes_of_before_are_no_negatives_and_are_not_to_be_found(past):
    likes = [part.with_interactions(part.interactions.filter(pl.col("label") == 1)) for part in past]
    options = {"space": Space(dim=8), "encoder": EncoderOptions(hidden=(), bins=4), "loss": Loss(neck="softmax")}
    model = Penchant(**options, **{**DAYS, "epochs": 2}).fit(likes[0], likes[1])
    later = again(model, likes[2], likes[3], epochs=1)
    assert later.drift_.items < 0.3
    from penchant.estimator.warming import remembered

    known = remembered(model._fitted)
    assert len(known) == likes[0].interactions.select("user_id", "item_id").n_unique()
    assert (known.interactions["label"] == 1).all()


def test_gaussians_stay_too(days):
    model = Penchant.preset("variational", **DAYS, space__dim=6).fit(days[0], days[1])
    later = again(model, days[2], days[3], epochs=1, warm__anchor=100.0)
    assert later.drift_.users < 0.15
    assert later.uncertainty("user", later.users_["user_id"][-1])["sigma"][0] > 0


def test_titles_may_change():
    from penchant.estimator.warming import check_schema

    one = Schema(fields=(Field(name="a", side="user", kind="numeric"),), user_id="u", item_id="i")
    other = replace(one, fields=(Field(name="a", side="user", kind="numeric", title="Age"),))
    check_schema(other, one)
