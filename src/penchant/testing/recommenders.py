"""The laws of a recommender."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import polars as pl

from penchant.errors import ConfigError, NotFittedError, PenchantError, UnknownIdError
from penchant.recommender import Recommender
from penchant.tables import Field, Schema, Tables, simulate, split_cold_items, split_cold_users, split_random

__all__ = ["check_recommender", "checkerboard"]

MakeRecommender = Callable[[], Recommender]


def checkerboard(size: int = 16) -> tuple[Tables, Tables]:
    """Users j like items of the same parity, and only ids tell who is who: the right answer is known.

    Returns:
        Training rows without two pairs of each user, one liked and one not; and those two.

    Source: the tests of the library implicit (Ben Frederickson), with dislikes added.
    """
    schema = Schema(
        fields=(
            Field(name="user", side="user", kind="id"),
            Field(name="item", side="item", kind="id"),
        ),
        user_id="user",
        item_id="item",
        user="user",
        item="item",
    )
    cells = [(j, i) for j in range(size) for i in range(size)]
    pairs = pl.DataFrame(
        {
            "user": [f"u{j}" for j, _ in cells],
            "item": [i for _, i in cells],
            "label": [int((j + i) % 2 == 0) for j, i in cells],
        }
    )
    withheld = pl.Series([(i - j) % size < 2 for j, i in cells])
    users, items = pl.DataFrame({"user": [f"u{j}" for j in range(size)]}), pl.DataFrame({"item": range(size)})
    whole = Tables(schema, users, items, pairs)
    return whole.with_interactions(pairs.filter(~withheld)), whole.with_interactions(pairs.filter(withheld))


def check_recommender(make: MakeRecommender, *, solves: float = 0.95) -> None:
    """Hold a recommender against the contract and its own capability flags.

    Arguments:
        make: gives a fresh, unfitted recommender, always the same; small enough to be fitted a few times.
        solves: the share of users for whom a personal one must put the withheld like of the checkerboard
            first.

    Raises:
        AssertionError: naming the law that is broken.

    Example:
        >>> from penchant.baselines import Popular
        >>> check_recommender(Popular)
    """
    tables = simulate(n_users=50, n_items=40, n_interactions=1200, rng=3).tables
    train, valid, test = split_random(tables, rng=3)
    _check_unfitted(make(), test)
    _check_params(make)
    model = make()
    before = repr(model.get_params())
    assert model.fit(train, valid) is model, "fit() returns self"
    assert repr(model.get_params()) == before, "fit() changes no parameter"
    _check_probabilities(model, test)
    _check_rankings(model, train)
    _check_choices(model, train)
    _check_unknown(model, test)
    _check_repeats(model, make().fit(train, valid), test)
    _check_flags(model, make, tables, test)
    if model.personal:
        _check_checkerboard(make(), solves)


def _raises(kind: type[PenchantError], ask: Callable[[], object], law: str) -> None:
    try:
        ask()
    except kind:
        return
    raise AssertionError(f"{law}: {kind.__name__} expected")


def _check_unfitted(model: Recommender, test: Tables) -> None:
    user = test.user_ids[0]
    _raises(NotFittedError, lambda: model.predict_proba(test), "predict_proba() before fit()")
    _raises(NotFittedError, lambda: model.recommend([user]), "recommend() before fit()")


def _check_params(make: MakeRecommender) -> None:
    model = make()
    for name, parameter in inspect.signature(type(model).__init__).parameters.items():
        right = name == "self" or parameter.kind is inspect.Parameter.KEYWORD_ONLY
        assert right, f"the constructor takes keywords only; {name} is none"
    own = model.get_params(deep=False)
    assert type(model)(**own).get_params() == model.get_params(), "the constructor stores what it is given"
    assert make().set_params(**model.get_params()).get_params() == model.get_params(), "set_params(get_params())"
    _raises(ConfigError, lambda: make().set_params(no_such_option=1), "set_params() of an unknown name")
    assert repr(model).startswith(type(model).__name__), "repr() names the class"


def _check_probabilities(model: Recommender, test: Tables) -> None:
    schema, pairs = test.schema, test.interactions
    found = model.predict_proba(test)
    keys = [schema.user, schema.item]
    assert found.columns == [*keys, "probability"], f"predict_proba(): columns {keys} and 'probability' expected"
    assert found.select(keys).equals(pairs.select(keys)), "predict_proba(): one row an interaction, in order"
    p = found["probability"]
    assert p.dtype.is_float(), "predict_proba(): 'probability' is a float"
    assert bool(p.is_between(0, 1).all()), "predict_proba(): probabilities are in [0, 1]"
    assert p.n_unique() > 1, "predict_proba(): not all pairs are alike"
    backward = model.predict_proba(test.with_interactions(pairs.reverse()))["probability"].reverse()
    assert _near(p, backward), "predict_proba(): a row does not depend on the order of rows"
    flipped = pairs.with_columns((1 - pl.col(schema.label)).alias(schema.label))
    again = model.predict_proba(test.with_interactions(flipped))["probability"]
    assert _near(p, again), "predict_proba(): labels are not looked at"
    assert model.predict_proba(test.with_interactions(pairs.clear())).height == 0, "no pairs, no rows"


def _near(one: pl.Series, other: pl.Series) -> bool:
    return bool(((one - other).abs() < 1e-5).all())


def _check_rankings(model: Recommender, train: Tables) -> None:
    schema, users = train.schema, train.user_ids.to_list()
    found = model.recommend(users, n=5)
    expected = [schema.user, "rank", schema.item]
    assert found.columns[:3] == expected, f"recommend(): columns {expected} first, got {found.columns}"
    assert "score" in found.columns, "recommend(): a column 'score' expected"
    assert found[schema.user].unique(maintain_order=True).to_list() == users, "recommend(): users in order"
    for _, rows in found.group_by(schema.user):
        assert rows["rank"].to_list() == list(range(1, rows.height + 1)), "recommend(): ranks from 1"
        assert rows["score"].is_sorted(descending=True), "recommend(): scores fall with the rank"
        assert rows[schema.item].n_unique() == rows.height, "recommend(): no item twice"
    seen = train.interactions.select(schema.user, schema.item).unique()
    assert found.join(seen, on=[schema.user, schema.item]).is_empty(), "exclude_seen leaves out training rows"
    everything = model.recommend(users, n=10_000)
    whole = len(users) * train.items.height - seen.height
    assert everything.height == whole, "a large n gives all unseen items"
    one = model.recommend(users[1], n=5)
    assert _ranking(one, schema) == _ranking(found.filter(pl.col(schema.user) == users[1]), schema), (
        "recommend(): a user alone gets what the user gets among others"
    )
    _raises(ConfigError, lambda: model.recommend(users[:1], n=0), "recommend(n=0)")


def _ranking(frame: pl.DataFrame, schema: Schema) -> list[Any]:
    return frame[schema.item].to_list()


def _check_choices(model: Recommender, train: Tables) -> None:
    schema, user, items = train.schema, train.user_ids[0], train.item_ids.to_list()
    chosen = items[7:2:-1]
    found = model.recommend([user], n=3, exclude_seen=False, candidates=chosen)
    assert found.height == 3, "candidates: n of them are given"
    assert set(found[schema.item]) <= set(chosen), "candidates: only these are given"
    everything = model.recommend([user], n=len(items), exclude_seen=False)
    assert sorted(everything[schema.item]) == sorted(items), "exclude_seen=False gives every item"
    kept = [item for item in everything[schema.item] if item in set(chosen)]
    assert kept[:3] == _ranking(found, schema), "candidates do not change the order"
    assert model.recommend([user], candidates=[]).is_empty(), "no candidates, no rows"
    assert model.recommend([]).is_empty(), "no users, no rows"


def _check_unknown(model: Recommender, test: Tables) -> None:
    schema, user, pair = test.schema, test.user_ids[0], test.interactions.head(1)
    nobody = test.with_interactions(pair.with_columns(pl.lit("nobody").alias(schema.user)))
    nothing = test.with_interactions(pair.with_columns(pl.lit("nothing").alias(schema.item)))
    law = "predict_proba() for an id in no table"
    _raises(UnknownIdError, lambda: model.predict_proba(nobody), law)
    _raises(UnknownIdError, lambda: model.predict_proba(nothing), law)
    _raises(UnknownIdError, lambda: model.recommend(["nobody"]), "recommend() for an id in no table")
    _raises(UnknownIdError, lambda: model.recommend([user], candidates=["nothing"]), "an unknown candidate")


def _check_repeats(one: Recommender, other: Recommender, test: Tables) -> None:
    assert one.predict_proba(test).equals(other.predict_proba(test)), "fitted twice, it predicts the same"
    users = test.user_ids.to_list()
    assert one.recommend(users).equals(other.recommend(users)), "fitted twice, it recommends the same"


def _check_flags(model: Recommender, make: MakeRecommender, tables: Tables, test: Tables) -> None:
    """What it says it can do, it can do."""
    schema, users = test.schema, test.user_ids.to_list()
    whole = model.recommend(users, n=len(tables.item_ids), exclude_seen=False)
    rankings = {tuple(rows[schema.item]) for _, rows in whole.group_by(schema.user)}
    if model.personal:
        assert len(rankings) > 1, "personal: two users get different rankings"
    else:
        assert len(rankings) == 1, "not personal: all users get one ranking"
    if model.serves_new_users:
        row = dict.fromkeys((field.name for field in schema.side("user")), None)
        found = model.recommend([row, {}], n=4)
        assert found.columns[:3] == ["row", "rank", schema.item], "a row of features gives a column 'row'"
        assert found["row"].to_list() == [0] * 4 + [1] * 4, "a user who is in no table is served by features"
        _check_cold(make(), split_cold_users(tables, rng=3), tables.user_ids, "users")
    if model.serves_new_items:
        _check_cold(make(), split_cold_items(tables, rng=3), tables.item_ids, "items")


def _check_cold(model: Recommender, parts: Sequence[Tables], ids: pl.Series, what: str) -> None:
    """Fitted on tables that do not hold the others, it predicts for them."""
    train, _, test = parts
    schema = train.schema
    column, key = (schema.user, schema.user_id) if what == "users" else (schema.item, schema.item_id)
    kept = getattr(train, what).filter(pl.col(key or "").is_in(train.interactions[column].unique().implode()))
    assert len(kept) < len(ids), "the split leaves some out"
    known = {"users": train.users, "items": train.items, what: kept}
    model.fit(Tables(schema, known["users"], known["items"], train.interactions))
    p = model.predict_proba(test)["probability"]
    assert bool(p.is_between(0, 1).all()), f"new {what} are served"


def _check_checkerboard(model: Recommender, solves: float) -> None:
    train, withheld = checkerboard()
    schema = train.schema
    model.fit(train)
    first = model.recommend(train.user_ids.to_list(), n=1)
    liked = withheld.interactions.filter(pl.col(schema.label) == 1)
    found = first.join(liked, on=[schema.user, schema.item]).height / liked.height
    assert found >= solves, f"the checkerboard: {found:.0%} of the withheld likes come first, {solves:.0%} expected"
    both = model.predict_proba(withheld).with_columns(withheld.interactions[schema.label].alias("liked"))
    yes, no = (both.filter(pl.col("liked") == value)["probability"].mean() for value in (1, 0))
    assert yes > no, "the checkerboard: withheld likes are likelier than withheld dislikes"  # type: ignore[operator]
