import numpy as np
import pytest

from penchant.errors import ConfigError
from penchant.maps import draw_map, place_points

METRIC = {"norm": 2.0, "cap": 0.6, "threshold": 0.5}


def test_everybody_is_drawn_named_and_measured(space, sides, groups, steps):
    found = draw_map(space, sides, metric=METRIC, progress=steps)
    assert len(found) == 180
    assert found.side.tolist() == [0] * 120 + [1] * 60
    assert found.ids[120] == "user0"
    assert found.quality.trustworthiness > 0.9
    assert len(found.clusters) == 3
    named = " ".join(one.name for one in found.clusters)
    assert all(word in named for word in ("guides", "news", "games"))
    inside = found.cluster >= 0
    for number in range(3):
        assert len(set(groups[1][inside & (found.cluster == number)].tolist())) == 1
    assert (steps.done, steps.finished) == (steps.total, True)


def test_who_is_placed_moves_nobody_and_joins_a_cluster(space, sides, make_side):
    items, users = sides
    new = make_side("item", items.frame[:6], items.points[:6] + np.float32(0.001), ids=[f"n{i}" for i in range(6)])
    without, found = (draw_map(space, sides, placed=p, metric=METRIC) for p in ((), (new,)))
    assert found.placed == 6
    assert np.array_equal(found.xy[:180], without.xy)
    every = np.concatenate([items.points, users.points])
    assert np.array_equal(found.xy[180:], place_points(space, new.points, every, without.xy, without.scale))
    assert found.cluster[180:].tolist() == found.cluster[:6].tolist()
    assert found.ids[180:] == new.ids
    topic = next(column for column in found.columns if column.name == "topic")
    assert topic.values[180:].tolist() == topic.values[:6].tolist()


def test_one_side_alone_three_users_and_nobody(space, sides, make_side):
    items, users = sides
    assert len(draw_map(space, [items], metric=METRIC, method="pca")) == 120
    three = make_side("user", users.frame[:3], users.points[:3])
    empty = make_side("item", items.frame[:0], items.points[:0])
    found = draw_map(space, [empty, three], metric=METRIC)
    assert found.side.tolist() == [1, 1, 1]
    assert found.clusters == ()
    assert found.quality.k == 1
    with pytest.raises(ConfigError, match="nobody"):
        draw_map(space, [empty], metric=METRIC)


def test_an_error_ends_the_progress(space, sides, steps):
    with pytest.raises(ConfigError):
        draw_map(space, sides, metric=METRIC, threads=0, progress=steps)
    assert steps.finished
