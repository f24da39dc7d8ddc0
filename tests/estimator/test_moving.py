"""Events move users, and nothing else of the model; who has events can be asked for."""

import time

import numpy as np
import polars as pl
import pytest
from pydantic import TypeAdapter

from penchant import Penchant
from penchant.dynamics.events import Event
from penchant.errors import DataError, UnknownIdError
from penchant.estimator.moving import events_of, fingerprint
from penchant.portraits.forms import InterestForm

NOW = time.time() - 10_000


@pytest.fixture
def moved(model, parts) -> Penchant:
    """A copy that follows a store of its own."""
    import copy

    one = copy.copy(model)
    one._fitted = copy.copy(model._fitted)
    one.follow()
    return one


def likes(user, items, start=0):
    return [Event(f"{user}-{start + n}", user, item, 1, NOW + n) for n, item in enumerate(items)]


def test_likes_pull_and_dislikes_push(moved):
    far = moved.related(user="u1", n=50)["item_id"].to_list()[-3:]
    before = moved.distance(pl.DataFrame({"user_id": ["u1"], "item_id": far[:1]}))["distance"][0]
    where = moved.encode("user", "u1")
    done = moved.observe(likes("u1", far))
    assert done.accepted == 3
    item = moved.encode("item", far[:1])
    space = moved.space_
    import torch

    after = float(space.base_distance(torch.tensor(moved.encode("user", "u1")), torch.tensor(item))[0])
    assert after < before
    nearest = moved.recommend(["u1"], n=1)["item_id"][0]
    here = moved.encode("user", "u1")
    moved.observe([Event("no", "u1", nearest, 0, NOW + 50, weight=3.0)])
    pushed = [float(space.base_distance(torch.tensor(x), torch.tensor(moved.encode("item", nearest)))[0])
              for x in (here, moved.encode("user", "u1"))]  # fmt: skip
    assert pushed[1] > pushed[0]
    assert not np.allclose(where, here)
    assert np.array_equal(moved.encode("user", "u2"), moved.encode("user", "u2"))


def test_others_stay_bit_for_bit(model, moved):
    moved.observe(likes("u1", ["i1"]))
    np.testing.assert_allclose(moved.encode("user", ["u2", "u3"]), model.encode("user", ["u2", "u3"]), atol=1e-6)
    assert moved.recommend(["u2"], n=5)["item_id"].to_list() == model.recommend(["u2"], n=5)["item_id"].to_list()


def test_what_was_met_is_not_recommended_again(moved):
    first = moved.recommend(["u1"], n=3)["item_id"].to_list()
    moved.observe(likes("u1", first))
    assert set(moved.recommend(["u1"], n=40)["item_id"]).isdisjoint(first)
    assert set(moved.recommend(["u1"], n=50, exclude_seen=False)["item_id"]) >= set(first)


def test_somebody_new_is_served_after_an_event(moved):
    with pytest.raises(UnknownIdError, match="stranger"):
        moved.recommend(["stranger"])
    moved.observe(likes("stranger", ["i1", "i2"]))
    found = moved.recommend(["stranger", "u1"], n=4)
    assert found["user_id"].unique(maintain_order=True).to_list() == ["stranger", "u1"]
    assert moved.portrait("stranger", details=False).subject == "user stranger"
    assert moved.explain("stranger", "i3").user == "user stranger"
    with pytest.raises(UnknownIdError, match="nobody"):
        moved.interest("nobody")


def test_an_interest_tells_where_how_surely_and_which_way(moved):
    assert moved.interest("u4").events == 0
    moved.observe([*likes("u4", ["i1", "i2", "nothing known"]), Event("x", "u4", "i3", 0, NOW + 9)])
    found = moved.interest("u4")
    assert found.events == 4
    assert found.trajectory["item"].to_list() == ["i1", "i2", "i3"]
    assert found.notes[0].startswith("1 of the events")
    assert found.radius > 0
    assert found.interests["weight"].sum() == pytest.approx(1)
    TypeAdapter(InterestForm).validate_python(found.to_dict())
    np.testing.assert_allclose(found.point, moved.encode("user", "u4")[0], atol=1e-6)


def test_the_way_ends_where_likes_have_led(moved):
    moved.observe(likes("u6", ["i1", "i2", "i4"]))
    found = moved.interest("u6")
    assert found.trajectory["moved"][-1] == pytest.approx(found.moved, abs=1e-4)


def test_frames_are_events_and_the_same_row_is_the_same_event(moved):
    frame = pl.DataFrame({"user_id": ["u1", "u1"], "item_id": ["i1", "i2"], "label": [1, 0], "time": [NOW, NOW + 1]})
    assert moved.observe(frame).accepted == 2
    assert len(moved.observe(frame).duplicates) == 2
    days = frame.with_columns(time=pl.from_epoch(pl.col("time").cast(pl.Int64)))
    assert events_of(days, moved.schema_)[0].time == int(NOW)
    named = frame.with_columns(
        id=pl.Series([1, 2]), kind=pl.Series([None, "impression"]), weight=pl.Series([2.0, None])
    )
    first, second = events_of(named, moved.schema_)
    assert (first.id, first.kind, first.weight) == ("1", "like", 2.0)
    assert (second.kind, second.weight) == ("impression", 1.0)


def test_a_frame_that_lacks_something_is_refused_by_number_and_field(moved):
    frame = pl.DataFrame({"user_id": ["u1"], "label": [1], "time": [NOW]})
    with pytest.raises(DataError, match="item"):
        moved.observe(frame)


def test_a_store_outlives_the_model(model, parts, tmp_path):
    url = f"sqlite:///{tmp_path / 'events.db'}"
    where = []
    for _ in range(2):
        one = Penchant.load(saved(model, tmp_path))
        store = one.follow(url)
        one.observe(likes("u1", ["i1", "i2"]))
        where.append(one.encode("user", "u1"))
        store.close()
    np.testing.assert_array_equal(*where)


def saved(model, folder):
    path = folder / "m.penchant"
    if not path.exists():
        model.save(path)
    return path


def test_a_fingerprint_tells_models_and_dynamics_apart(model, parts):
    from penchant.dynamics import Dynamics

    fitted = model._fitted
    one = fingerprint(fitted, Dynamics())
    assert one == fingerprint(fitted, Dynamics())
    assert one != fingerprint(fitted, Dynamics(process=0.5))
    other = Penchant(epochs=1, rng=6).fit(parts[0], parts[1])
    assert one != fingerprint(other._fitted, Dynamics())
