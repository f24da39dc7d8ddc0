import pytest

ROUTES = {
    "predict": {"pairs": [{"user": "u1", "item": "i1"}, {"user": {"age": 30}, "item": {"lang": "zh"}}]},
    "recommend": {"user": {"age": 30}, "n": 3, "where": "lang = 'zh'", "diversity": 0.2},
    "portrait": {"user": "u1", "core": 0.2, "ranges": True},
    "audience": {"item": {"lang": "zh"}, "details": True, "examples": 2},
    "explain": {"user": "u1", "item": "i2", "only": ["lang"], "max_changes": 1},
    "related": {"user": "u1", "to": "user", "n": 2},
    "group": {"members": ["u1", "u2", "u3"], "examples": 2},
}


@pytest.mark.parametrize("route", ROUTES)
def test_each_question_is_answered_with_the_model_that_did(live, route):
    response = live.ask(f"/v1/{route}", ROUTES[route])
    assert response.status_code == 200, response.text
    assert response.json()["model"] == {"version": live.service.models.serving.first.version, "arm": "first"}


def test_what_there_is_to_know(live):
    schema = live.ask("/v1/schema").json()
    assert {"age", "role"} <= {one["name"] for one in schema["user"]}
    assert live.ask("/v1/model").json()["first"]["items"] == 50


@pytest.mark.parametrize(
    ("route", "body", "status", "field"),
    [
        ("recommend", {"user": "u999"}, 404, None),
        ("recommend", {"user": {"colour": "red"}}, 422, "/colour"),
        ("recommend", {"user": "u1", "n": 5000}, 422, "/n"),
        ("recommend", {"user": "u1", "n": "x"}, 422, "/n"),
        ("recommend", {"user": "u1", "candidates": ["i1"] * 1001}, 422, "/candidates"),
        ("recommend", {"user": "u1", "candidates": ["none"]}, 404, None),
        ("recommend", {"user": "u1", "where": "exists (select 1)"}, 422, ""),
        ("recommend", {"user": "u1", "where": "lang > 3"}, 422, ""),
        ("recommend", {"user": "u1", "context": {"hour": 3}}, 422, None),
        ("predict", {"pairs": [{"user": "u1"}]}, 422, "/pairs/0/item"),
        ("predict", {"pairs": [{"user": "u1", "item": "i1"}] * 1001}, 422, "/pairs"),
        ("portrait", {"user": "u1", "core": 0.1, "distance": 0.1}, 422, None),
        ("explain", {"user": "u1", "item": "i1", "only": ["none"]}, 422, None),
        ("related", {"to": "user"}, 422, None),
        ("group", {"members": ["u1", "u999"]}, 404, None),
        ("group", {"members": []}, 422, "/members"),
        ("group", {"members": ["u1"] * 1001}, 422, "/members"),
        ("group", {"members": ["u1"], "where": "age > 3"}, 422, None),
        ("group", {"where": "exists (select 1)"}, 422, ""),
    ],
)
def test_wrong_questions_name_the_field(live, problem_in, route, body, status, field):
    response = live.ask(f"/v1/{route}", body)
    assert response.status_code == status, response.text
    content = problem_in(response)
    if field is not None:
        assert field in [one["field"] for one in content["errors"]]
