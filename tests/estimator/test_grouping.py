import numpy as np
import pytest
import torch

from penchant.errors import ConfigError, DataError, UnknownIdError
from penchant.estimator import grouping


def test_a_group_is_shown_what_the_most_would_like(model):
    names = ["u1", "u2", "u3", "u4"]
    found = model.group(names, examples=7)
    points, items = (torch.from_numpy(model.encode(side, ids)) for side, ids in
                     (("user", names), ("item", model.items_["item_id"].to_list())))  # fmt: skip
    apart = model.space_.cross(items, points).numpy()
    share = (apart <= model.threshold_).mean(1)
    best = np.lexsort((apart.mean(1), -share))[:7]
    shown = found.portrait.examples
    assert shown["item_id"].to_list() == [model.items_["item_id"][int(j)] for j in best]
    np.testing.assert_allclose(shown["liked_by"].to_numpy(), share[best])
    np.testing.assert_allclose(shown["distance"].to_numpy(), apart.max(1)[best], rtol=1e-4)
    assert found.size == 4


def test_what_they_would_like_on_the_average_is_the_mean_of_their_portraits(model):
    names = ["u1", "u2", "u3"]
    each = model.portraits(names).drop("user_id").mean().row(0, named=True)
    for row in model.group(names).portrait.features.iter_rows(named=True):
        told = row["value"].startswith(row["feature"])
        name = row["value"] if told else f"{row['feature']}={row['value']}"
        assert row["share"] == pytest.approx(each[name], abs=1e-5)


def test_a_small_ball_leaves_no_common_taste_and_two_parts(model):
    everyone = model.users_["user_id"].to_list()
    found = model.group(everyone, probability=0.96)
    assert found.verdict != "common taste"
    assert sorted(name for part in found.parts for name in part.members) == sorted(everyone)
    assert found.left < 0
    assert "common taste" in found.sentences()[0]


def test_a_segment_is_the_group_that_a_condition_leaves(model):
    old = model.users_.filter(model.users_["age"] > 40)["user_id"].to_list()
    segment, group = model.group(where="age > 40"), model.group(old)
    assert segment.size == len(old)
    assert segment.reach == pytest.approx(group.reach)
    assert "age > 40" in segment.title


def test_items_have_a_common_audience_too(model):
    assert model.group(["i1", "i2"], side="item").portrait.side == "user"


def test_large_segments_are_asked_by_a_sample_and_large_catalogues_near_the_centre(model, monkeypatch):
    monkeypatch.setattr(grouping, "_ASKED", 10)
    monkeypatch.setattr(grouping, "_ITEMS", 20)
    monkeypatch.setattr(grouping, "_CELLS", 100)
    found = model.group(where="age > 0")
    assert any("10 of them" in note for note in found.notes)
    assert len(found.portrait.examples) == 5


@pytest.mark.parametrize(
    ("asked", "error", "said"),
    [
        ({}, ConfigError, "one of the two"),
        ({"users": ["u1"], "where": "age > 1"}, ConfigError, "one of the two"),
        ({"users": []}, ConfigError, "nobody"),
        ({"where": "age > 1000"}, ConfigError, "no known user is like that"),
        ({"where": "nope > 1"}, DataError, "Columns: user_id"),
        ({"users": ["nobody"]}, UnknownIdError, "nobody"),
        ({"users": ["u1"], "probability": 0.9999999}, ConfigError, "no ball is that sure"),
    ],
)
def test_groups_that_cannot_be_are_refused(model, asked, error, said):
    with pytest.raises(error, match=said):
        model.group(**asked)


def test_a_common_ball_of_hardly_any_size_is_no_error(model, monkeypatch):
    names = ["u1", "u2", "u3"]
    reach = model.group(names).reach
    probability = float(model.calibration_.probability(np.array([reach * (1 + 1e-7)]))[0])
    found = model.group(names, probability=probability)
    assert abs(found.left) < 1e-3
    assert found.portrait.ball.words.startswith(("The ball that everyone likes", "They have no ball in common"))


def test_one_alone_is_no_group_of_several(model):
    said = model.group(["u1"])
    assert "a group of one user" in said.title
    assert said.sentences()[0].startswith("One alone")
