"""The fold over events: any cut gives the same bytes, and it says what the single updates say."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.dynamics import Dynamics, Neck, begin, observe_like, predict, update_dislike
from penchant.dynamics.events import Event
from penchant.dynamics.filter import DAY, Anchor, InterestFilter
from penchant.errors import StorageError
from penchant.testing.stores import check_apply

DIM = 3
ITEMS = {f"i{n}": np.random.default_rng(n).uniform(-0.9, 0.9, DIM) for n in range(6)}
ANCHORS = {"u": np.array([0.2, -0.1, 0.4])}
NECK = Neck(threshold=0.5, slope=8.0, norm=2.0)
DYNAMICS = Dynamics(process=0.01, observation=0.05, prior=0.1, half_life=20.0, like=1.0, dislike=1.0, ignored=0.3)


def make(space="one", shift=0.0, aligned=None, dynamics=DYNAMICS, variance=None, own=None):
    return InterestFilter(
        space=space,
        anchor=lambda user: Anchor(ANCHORS.get(user, np.zeros(DIM)) + shift, variance),
        item=ITEMS.get,
        dynamics=dynamics,
        neck=NECK,
        own=own,
        aligned=aligned or {},
    )


events = st.lists(
    st.tuples(st.sampled_from([*ITEMS, "strange"]), st.sampled_from(["like", "dislike", "impression"]),
              st.floats(0, 30), st.floats(0.1, 3)),
    min_size=1, max_size=8,
)  # fmt: skip


def as_events(rows):
    time, found = 0.0, []
    for number, (item, kind, days, weight) in enumerate(rows):
        time += days * DAY
        found.append(Event(str(number), "u", item, int(kind == "like"), time, kind, weight))
    return found


@given(events, st.data())
def test_the_fold_of_a_whole_is_that_of_its_parts_bit_for_bit(rows, data):
    filter_, whole = make(), as_events(rows)
    cut = data.draw(st.integers(1, len(whole)))
    state = filter_.step("u", None, whole[:cut])
    if cut < len(whole):
        state = filter_.step("u", state, whole[cut:])
    assert state == filter_.step("u", None, whole)


def test_likes_dislikes_and_ignored_impressions_are_the_single_updates():
    rows = [("i0", "like", 1, 1), ("i1", "dislike", 2, 2), ("i2", "impression", 3, 1), ("i3", "like", 0.5, 1)]
    found = make().read(make().step("u", None, as_events(rows)))
    anchor = ANCHORS["u"]
    belief = begin(anchor, DYNAMICS, 1.0)
    belief = observe_like(belief, 1.0, ITEMS["i0"], anchor, DYNAMICS)
    belief = update_dislike(predict(belief, 3.0, anchor, DYNAMICS), ITEMS["i1"], NECK, DYNAMICS, weight=2.0)
    belief = update_dislike(predict(belief, 6.0, anchor, DYNAMICS), ITEMS["i2"], NECK, DYNAMICS, weight=0.3)
    belief = observe_like(belief, 6.5, ITEMS["i3"], anchor, DYNAMICS)
    np.testing.assert_allclose(found.belief.mean, belief.mean, atol=1e-12)
    np.testing.assert_allclose(found.belief.variance, belief.variance, atol=1e-12)
    assert found.belief.time == 6.5
    assert found.generosity.variance < DYNAMICS.generosity
    assert found.interests.weight.sum() == pytest.approx(1)


def test_interests_are_moved_by_the_weight_of_the_event_and_not_by_that_of_likes():
    def interests(weight, like=DYNAMICS.like):
        filter_ = make(dynamics=replace(DYNAMICS, like=like))
        return filter_.read(filter_.step("u", None, as_events([("i0", "like", 1, weight)]))).interests

    grown = [interests(weight).likes.sum() - 1 for weight in (1, 2)]
    assert grown[1] == pytest.approx(2 * grown[0])
    assert not np.allclose(interests(1).mean, interests(2).mean)
    np.testing.assert_array_equal(interests(1).mean, interests(1, like=0.1).mean)


def test_likes_of_a_weight_of_none_teach_the_threshold_alone():
    filter_ = make(dynamics=Dynamics(like=0.0, dislike=0.0, process=0.0, generosity=0.05))
    liked, disliked = (
        filter_.read(filter_.step("u", None, as_events([("i0", kind, 1, 1)] * 5))) for kind in ("like", "dislike")
    )
    np.testing.assert_array_equal(liked.belief.mean, ANCHORS["u"])
    np.testing.assert_array_equal(disliked.belief.mean, ANCHORS["u"])
    assert liked.generosity.shift > 0 > disliked.generosity.shift


def test_it_is_a_fold_as_stores_ask():
    check_apply(make().apply, as_events([("i0", "like", 1, 1), ("strange", "like", 0, 1), ("i2", "dislike", 2, 1)]))


def test_unknown_items_move_time_alone():
    filter_ = make(dynamics=Dynamics(half_life=math.inf, process=0.0))
    found = filter_.read(filter_.step("u", None, as_events([("strange", "like", 3, 1)])))
    np.testing.assert_array_equal(found.belief.mean, ANCHORS["u"])
    np.testing.assert_allclose(found.belief.variance, 0.05)
    assert found.belief.time == 3.0


def test_a_variance_of_the_latent_is_the_prior():
    variance = np.array([0.01, 0.02, 0.03])
    filter_ = make(variance=variance)
    assert filter_.begin(filter_.anchor("u"), 0.0).belief.variance.tolist() == variance.tolist()


def test_a_far_like_begins_an_interest_of_its_own():
    sharp = Dynamics(observation=1e-3, prior=1e-2, process=0.0, like=1.0)
    filter_ = make(dynamics=sharp)
    near = [Event(str(n), "u", "near", 1, n * DAY) for n in range(4)]
    far = [Event(str(9 + n), "u", "far", 1, (9 + n) * DAY) for n in range(4)]
    filter_ = InterestFilter(
        space="s", anchor=lambda _: Anchor(np.zeros(DIM)), dynamics=sharp, neck=NECK,
        item={"near": np.full(DIM, 0.1), "far": np.full(DIM, -0.8)}.get,
    )  # fmt: skip
    found = filter_.read(filter_.step("u", None, near + far))
    assert len(found.interests.likes) == 2


def test_a_compacted_past_of_an_aligned_space_moves_with_the_encoded_point():
    old, new = make("old"), make("new", shift=0.05, aligned={"old": 0.002})
    data = old.step("u", None, as_events([("i0", "like", 1, 1)]))
    carried = new.carry("u", "old", data)
    assert carried is not None
    before, after = old.read(data), new.read(carried)
    np.testing.assert_allclose(after.belief.mean, before.belief.mean + 0.05)
    np.testing.assert_allclose(after.interests.mean, before.interests.mean + 0.05)
    np.testing.assert_allclose(after.belief.variance, before.belief.variance + 0.002)
    np.testing.assert_allclose(after.interests.variance, before.interests.variance + 0.002)
    assert new.carry("u", "another", data) is None
    wider = InterestFilter(
        space="wide", anchor=lambda _: Anchor(np.zeros(5)), item=ITEMS.get, dynamics=DYNAMICS, neck=NECK,
        aligned={"old": 0.0},
    )  # fmt: skip
    assert wider.carry("u", "old", data) is None, "of another number of axes"
    assert new.apply.carry is not None
    assert new.apply.space == "new"


def test_bytes_of_something_else_are_refused():
    with pytest.raises(StorageError, match="replay"):
        make().read(b"something else entirely")


def test_users_with_constants_of_their_own_are_folded_by_them():
    quick = Dynamics(process=0.2, observation=0.01, prior=0.3, half_life=1.0)
    segmented = make(own=lambda user: quick if user == "u" else None)
    whole = as_events([("i0", "like", 1, 1), ("i1", "dislike", 2, 2)])
    assert segmented.step("u", None, whole) == make(dynamics=quick).step("u", None, whole)
    assert segmented.step("v", None, whole) == make().step("v", None, whole)
    assert segmented.of("v") is segmented
    check_apply(segmented.apply, [*whole, *whole])
