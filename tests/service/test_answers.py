import json

import numpy as np
import polars as pl
import pytest

from penchant.errors import DataError, UnknownIdError
from penchant.service.answers import Asked, explain_one, group_one, predict_many, read_many, recommend_many, related_one
from penchant.service.messages import (
    AudienceQuestion,
    ExplainQuestion,
    GroupQuestion,
    PortraitQuestion,
    PredictQuestion,
    RecommendQuestion,
    RelatedQuestion,
)
from penchant.service.models import load


@pytest.fixture(scope="module")
def loaded(folder):
    return load(folder / "a.penchant")


@pytest.fixture(scope="module")
def ask(loaded):
    def run(compute, *questions):
        return [
            a if isinstance(a, BaseException) else json.loads(a) for a in compute([Asked(q, loaded) for q in questions])
        ]

    return run


ROW = {"age": 30, "role": "scout"}


def questions():
    return [
        RecommendQuestion(user="u1", n=3),
        RecommendQuestion(user="u1", n=7, exclude_seen=False),
        RecommendQuestion(user=ROW, n=5),
        RecommendQuestion(user="u2", n=4),
        RecommendQuestion(user="u1", n=9),
        RecommendQuestion(user={}, n=2, where="lang = 'zh'"),
        RecommendQuestion(user={"age": 50}, n=50, where="lang = 'zh'"),
        RecommendQuestion(user="u3", candidates=["i1", "i2"], exclude_seen=False),
        RecommendQuestion(user="u4", n=6, inside_only=True),
        RecommendQuestion(user="u4", n=6, diversity=0.5),
        *[RecommendQuestion(user=f"u{n}", n=3) for n in range(5, 15)],
    ]


def test_together_as_alone(ask, same):
    together = ask(recommend_many, *questions())
    assert same(together, [ask(recommend_many, one)[0] for one in questions()])


def test_as_penchant_recommends(ask, model):
    for question, answer in zip(questions()[:8], ask(recommend_many, *questions()[:8]), strict=True):
        options = {"exclude_seen": question.exclude_seen, "candidates": question.candidates, "where": question.where}
        user = question.user if isinstance(question.user, str) else [question.user]
        frame = model.recommend(user, n=question.n, **options)
        assert [item["item"] for item in answer["items"]] == frame["item_id"].to_list()
        np.testing.assert_allclose([item["score"] for item in answer["items"]], frame["score"], rtol=1e-5)
        assert [item["inside"] for item in answer["items"]] == frame["inside"].to_list()
        assert [item["rank"] for item in answer["items"]] == list(range(1, frame.height + 1))


def test_inside_only_and_diversity(ask):
    inside, wide = ask(recommend_many, *questions()[8:10])
    assert all(item["inside"] for item in inside["items"])
    plain = ask(recommend_many, RecommendQuestion(user="u4", n=6))[0]
    assert wide["items"][0]["item"] == plain["items"][0]["item"]
    assert len({item["item"] for item in wide["items"]}) == 6


def test_a_wrong_question_touches_no_other(ask, same):
    bad = RecommendQuestion(user="u999", n=3)
    worse = RecommendQuestion(user={"colour": 1}, n=5)
    mixed = ask(recommend_many, questions()[0], bad, questions()[2], worse, questions()[3])
    assert isinstance(mixed[1], UnknownIdError)
    assert isinstance(mixed[3], DataError)
    assert same([mixed[n] for n in (0, 2, 4)], [ask(recommend_many, questions()[n])[0] for n in (0, 2, 3)])


def test_conditions_are_checked_first(ask):
    got = ask(
        recommend_many, RecommendQuestion(user="u1", where="lang in (select column_1 from read_csv('/etc/hostname'))")
    )
    assert isinstance(got[0], DataError)
    assert "select" in str(got[0])


def test_nobody_left(ask):
    assert ask(recommend_many, RecommendQuestion(user="u1", where="lang = 'none'"))[0]["items"] == []


def test_predictions_are_penchants(ask, model, same):
    pairs = [{"user": f"u{n}", "item": f"i{2 * n}"} for n in range(10)]
    mixed = [{"user": ROW, "item": "i1"}, {"user": "u1", "item": {"lang": "zh"}}, {"user": "u1", "item": "i2"}]
    asked = [PredictQuestion(pairs=p) for p in (pairs, mixed, pairs[:1])]
    got = ask(predict_many, *asked)
    frame = model.predict(pl.DataFrame({"user_id": [p["user"] for p in pairs], "item_id": [p["item"] for p in pairs]}))
    np.testing.assert_allclose([p["probability"] for p in got[0]["predictions"]], frame["probability"], rtol=1e-5)
    assert [p["liked"] for p in got[0]["predictions"]] == frame["liked"].to_list()
    assert same(got, [ask(predict_many, one)[0] for one in asked])
    wrong = ask(predict_many, asked[0], PredictQuestion(pairs=[{"user": "u999", "item": "i1"}]))
    assert same(wrong[0], got[0])
    assert isinstance(wrong[1], UnknownIdError)


def test_portraits_audiences_reasons_and_neighbours(ask, model):
    portrait, audience = ask(read_many, PortraitQuestion(user="u1", ranges=True), AudienceQuestion(item="i1"))
    assert portrait["portrait"]["typical"] == model.portrait("u1", details=False).to_dict()["typical"]
    assert len(portrait["ranges"]) == model.ranges("u1").height
    assert audience["portrait"]["side"] == "user"
    (reason,) = ask(explain_one, ExplainQuestion(user="u1", item="i2", max_changes=1))
    assert reason["explanation"]["item"] == "i2"
    near, far = ask(related_one, RelatedQuestion(item="i1", n=3), RelatedQuestion(user=None, item=None))
    assert [one["id"] for one in near["related"]] == model.related(item="i1", n=3)["item_id"].to_list()
    assert "exactly one" in str(far)


def test_groups_by_members_and_by_condition(ask, model):
    some, all_of, wrong = ask(
        group_one,
        GroupQuestion(members=["u1", "u2", "u1"], probability=0.4),
        GroupQuestion(side="item", where="lang = 'zh'", examples=3),
        GroupQuestion(),
    )
    assert some["group"]["says"] == model.group(["u1", "u2"], probability=0.4).sentences()
    assert all_of["group"]["size"] == model.items_.filter(pl.col("lang") == "zh").height
    assert len(all_of["group"]["portrait"]["examples"]) == 3
    assert "one of the two" in str(wrong)


def test_ids_of_both_types_in_one_batch(ask, same):
    mixed = ask(recommend_many, RecommendQuestion(user="u1", n=2), RecommendQuestion(user=5, n=2))
    assert same(mixed[0], ask(recommend_many, RecommendQuestion(user="u1", n=2))[0])
    assert isinstance(mixed[1], UnknownIdError)
    pairs = [{"user": "u1", "item": 3}, {"user": 4, "item": "i1"}]
    assert isinstance(ask(predict_many, PredictQuestion(pairs=pairs))[0], UnknownIdError)
    assert isinstance(ask(recommend_many, RecommendQuestion(user="u1", candidates=["i1", 4]))[0], UnknownIdError)
