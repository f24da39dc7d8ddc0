import numpy as np
import pytest

from penchant.errors import ConfigError
from penchant.estimator import portraying


def test_a_reach_has_three_meanings_and_none_is_even_chances(model):
    p, slope = model.threshold_, model.calibration_.slope
    assert model.portrait("u3", details=False).ball.distance == pytest.approx(p)
    sure = model.portrait("u3", probability=0.6, details=False).ball
    assert sure.distance == pytest.approx(p - np.log(0.6 / 0.4) / slope)
    core = model.portrait("u3", core=0.2, details=False).ball
    assert core.inside == pytest.approx(0.2)
    assert model.portrait("u3", distance=0.3, details=False).ball.distance == 0.3
    with pytest.raises(ConfigError, match="exactly one"):
        model.portrait("u3", core=0.2, distance=0.1)


def test_a_larger_ball_than_the_space_is_cut_and_says_so(model):
    ball = model.portrait("u3", distance=50.0, details=False).ball
    assert ball.distance == model.space_.diameter
    assert ball.clipped
    assert ball.inside == 1


def test_portraits_of_many_are_those_of_each(model, monkeypatch):
    monkeypatch.setattr(portraying, "_AT_ONCE", 7)  # in parts
    everyone = model.portraits()
    assert everyone["user_id"].to_list() == model.users_["user_id"].to_list()
    one = model.portrait("u3", details=False).features
    told = {
        (v if v.startswith(f) else f"{f}={v}"): share for f, v, share in one.select("feature", "value", "share").rows()
    }
    row = everyone.row(3, named=True)
    for name, share in told.items():
        assert row[name] == pytest.approx(share, abs=1e-5)
    assert model.portraits(["u3", "u5"]).height == 2
    assert model.portraits([{"age": 30}] * 9)["row"].to_list() == list(range(9))
    assert model.portraits([]).columns == everyone.columns
    assert model.portraits("i1", side="item").columns[0] == "item_id"


def test_details_are_the_same_each_time_and_left_out_where_not_wanted(model):
    first, second = (model.portrait("u3") for _ in range(2))
    assert first.to_json() == second.to_json()
    assert first.details is not None
    assert model.portrait("u3", details=False).details is None
    assert 0 <= model.portrait("u3", core=0.3, source="ball").details.returned <= 1


def test_what_nine_of_ten_likes_are_is_told_field_by_field(model):
    likely = model.portrait("u3").likely
    assert set(likely["feature"]) <= set(model.portrait("u3").typical)
    assert (likely["level"] == 0.9).all()
