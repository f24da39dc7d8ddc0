from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from penchant import Field, Penchant, simulate, split_random
from penchant.errors import ConfigError, DataError, UnknownIdError


def test_no_real_change_moves_nothing(model):
    age = model.users_.filter(pl.col("user_id") == "u3")["age"][0]
    found = model.what_if("u3", {"age": age})
    assert found.moved == pytest.approx(0, abs=1e-5)
    assert found.kept == 1
    assert found.features["change"].abs().max() == pytest.approx(0, abs=1e-5)
    assert found.top["rank_before"].to_list() == found.top["rank_after"].to_list() == list(range(1, 11))


def test_a_change_is_the_row_with_other_features(model):
    row = model.users_.filter(pl.col("user_id") == "u3").row(0, named=True)
    changed = {**row, "age": 12}
    found = model.what_if("u3", {"age": 12}, n=5)
    apart = np.abs(model.encode("user", changed) - model.encode("user", "u3"))
    assert (found.moved > 0) == bool(apart.any())
    new = model.recommend(changed, n=5, exclude_seen=False)["item_id"].to_list()
    old = model.recommend("u3", n=5, exclude_seen=False)["item_id"].to_list()
    assert found.top.filter(pl.col("rank_after") <= 5)["item_id"].to_list() == new
    assert set(found.top["item_id"]) == set(new) | set(old)
    assert found.changes["age"] == (row["age"], 12)


def test_items_and_rows_of_features_can_be_changed_too(model):
    audience = model.what_if("i1", {"lang": "zh"}, side="item")
    assert audience.after.side == "user"
    new = model.what_if({"age": 30}, {"age": 50})
    assert new.changes == {"age": (30, 50)}
    assert 0 <= new.kept <= 1


def test_the_past_of_a_known_user_stays_unless_it_is_changed():
    tables = simulate(n_users=40, n_items=30, n_interactions=900, rng=5).tables
    schema = replace(tables.schema, fields=(*tables.schema.fields, Field(name="past", side="user", kind="history")))
    train, valid, _ = split_random(replace(tables, schema=schema), rng=5)
    model = Penchant(epochs=2, rng=5).fit(train, valid)
    age = model.users_.filter(pl.col("user_id") == "u3")["age"][0]
    assert model.what_if("u3", {"age": age}).moved == pytest.approx(0, abs=1e-5)
    found = model.what_if("u3", {"past": {"liked": ["i1", "i2"]}})
    assert found.moved > 0
    assert "earlier items" in found.title


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [({}, ConfigError, "nothing is changed"), ({"nope": 1}, DataError, "nope"), ({"age": "old"}, DataError, "age")],
)
def test_changes_that_cannot_be_are_refused(model, change, error, said):
    with pytest.raises(error, match=said):
        model.what_if("u3", change)


def test_unknown_ones_and_no_rows_are_refused(model):
    with pytest.raises(UnknownIdError):
        model.what_if("nobody", {"age": 3})
    with pytest.raises(ConfigError, match="at least 1"):
        model.what_if("u3", {"age": 3}, n=0)
