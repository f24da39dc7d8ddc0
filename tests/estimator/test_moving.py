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


# ---------------------------------------------------------------------- after a warm start


@pytest.fixture(scope="module")
def later(model, parts):
    """The third part of the rows, for the day after."""
    return parts[2].with_interactions(parts[2].interactions[:100]), parts[2].with_interactions(
        parts[2].interactions[100:]
    )


def grown(one, later, **changes):
    """A copy, gone on from."""
    import copy

    other = copy.copy(one).set_params(epochs=1, **changes)
    return other.fit(*later, warm_start=True)


def test_who_is_followed_is_followed_on_in_the_later_space(moved, later):
    store = moved.follow()
    moved.observe([*likes("u1", ["i1", "i2", "i3"]), *likes("stranger", ["i1", "i2"])])
    where, before = moved.encode("user", ["u1", "stranger"]), moved.interest("u1")
    other = grown(moved, later)
    assert other.following.store is store
    after = other.interest("u1")
    assert after.events == before.events == 3
    assert after.trajectory["item"].equals(before.trajectory["item"])
    space = other.space_
    import torch

    apart = space.base_distance(*(torch.tensor(points) for points in (other.encode("user", ["u1", "stranger"]), where)))
    assert float(apart.max()) < 0.3
    assert other.observe(likes("u1", ["i4"], start=9)).accepted == 1
    assert other.interest("u1").events == 4
    moved._fitted.follower = None
    assert other.interest("u1").events == 4, "the store lives as long as somebody follows it"


def test_a_compacted_past_is_carried_over_moved_with_the_encoder_and_less_sure(model, later, tmp_path):
    """Follow, observe, compact, go on: nothing of the log is left, and the interest goes on from where it was."""
    import copy

    one = copy.copy(model)
    one._fitted = copy.copy(model._fitted)
    one.follow(f"sqlite:///{tmp_path / 'events.db'}")
    one.observe(likes("u1", ["i1", "i2", "i3"]))
    old = one.following
    data = old.store.state("u1", old.filter.space).data
    state = old.filter.read(data)
    old.store.compact(NOW + 100, old.filter.apply)
    assert list(old.store.events()) == []
    other = grown(one, later)
    assert old.store.retire(old.filter.space) > 0
    now = other.following
    carried = now.filter.read(now.store.state("u1", now.filter.space).data)
    shift = now.filter.anchor("u1").point - old.filter.anchor("u1").point
    np.testing.assert_allclose(carried.belief.mean, state.belief.mean + shift, atol=1e-12)
    np.testing.assert_allclose(carried.belief.variance, state.belief.variance + other.drift_.variance, rtol=1e-9)
    assert other.interest("u1").events == 3
    third = grown(other, later)
    assert third.interest("u1").events == 3
    twice = third.following.filter.read(third.following.store.state("u1", third.following.filter.space).data)
    added = other.drift_.variance + third.drift_.variance
    np.testing.assert_allclose(twice.belief.variance, state.belief.variance + added, rtol=1e-9)
    now.store.close()


def test_a_cold_fit_takes_nothing_over(moved, parts):
    moved.observe(likes("u1", ["i1"]))
    moved.set_params(epochs=1).fit(parts[0], parts[1])
    assert moved._fitted.follower is None
    assert moved._fitted.ancestors == ()
    moved.set_params(epochs=4)


# ---------------------------------------------------------------------- segments


def test_users_of_a_segment_are_moved_by_its_constants(model, later, tmp_path):
    import copy
    from dataclasses import replace

    from penchant.dynamics import Dynamics, Segments
    from penchant.estimator.moving import filter_of

    fitted = copy.copy(model._fitted)
    values = fitted.known["user"].frame["lang"] if "lang" in model.users_.columns else fitted.known["user"].frame[:, 1]
    column, value = values.name, values.drop_nulls()[0]
    slow = replace(fitted.dynamics, prior=1e-6)
    everyone = fingerprint(fitted, fitted.dynamics)
    fitted.segments = Segments(column=column, constants={str(value): slow})
    assert fingerprint(fitted, fitted.dynamics) != everyone
    fold = filter_of(fitted)
    users = model.users_[model._fitted.schema.user_id]
    own = [str(one) == str(value) for one in values.to_list()]
    for user, slow_one in list(zip(users, own, strict=True))[:10]:
        assert (fold.of(user).dynamics.prior == 1e-6) == slow_one
    assert isinstance(fold.of("nobody").dynamics, Dynamics)
    assert fold.of("nobody") is fold
    still, quick = users.filter(pl.Series(own))[0], users.filter(~pl.Series(own))[0]
    other = copy.copy(model)
    other._fitted = fitted
    other.follow()
    before = other.encode("user", [still, quick])
    other.observe([*likes(still, ["i1", "i2"]), *likes(quick, ["i1", "i2"])])
    way = np.abs(other.encode("user", [still, quick]) - before).max(1)
    assert way[0] < 1e-3 < way[1]
    assert other.interest(still).radius < other.interest(quick).radius
    other.save(tmp_path / "m")
    assert Penchant.load(tmp_path / "m").segments_ == fitted.segments
