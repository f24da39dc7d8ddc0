import pytest
from pictures import HOSTILE

from penchant.service.problems import Refused

PAGE = {"accept": "text/html", "sec-fetch-site": "same-origin"}


def test_the_page_names_the_point_to_begin_with(live):
    for query, side in (("user=u3", "user"), ("item=i3", "item"), ("", "item")):
        values = live.ask(f"/map.json?{query}").json()
        assert values["chosen"] == {"side": side, "id": query.partition("=")[2]}
    page = live.http.get("/map", params={"item": HOSTILE[1]}, headers=PAGE)
    assert page.status_code == 200
    assert HOSTILE[1] not in page.text
    assert "unsafe" not in page.headers["content-security-policy"]


def test_while_the_map_is_drawn_the_page_is_told_how_far_it_is(live, monkeypatch):
    answers = [Refused(503, "drawing", more={"progress": 0.4}), None, Refused(501, "not here")]

    def find(loaded, wait_s):
        assert loaded is live.service.models.serving.first
        if (answer := answers.pop(0)) is not None:
            raise answer

    monkeypatch.setattr(live.service.atlas, "find", find)
    assert live.ask("/map/state.json").json() == {"ready": False, "progress": 0.4}
    assert live.ask("/map/state.json").json() == {"ready": True}
    assert live.ask("/map/state.json").status_code == 501


@pytest.mark.parametrize("side", ["user", "item"])
def test_a_group_is_told_as_a_piece_of_a_page(live, side):
    body = {"side": side, "members": [f"{side[0]}{k}" for k in (1, 2, 3)]}
    answer = live.http.post("/map/group", json=body, headers=PAGE)
    assert answer.status_code == 200, answer.text
    assert "<html" not in answer.text
    assert 'class="bars"' in answer.text
    other = "/item?id=" if side == "user" else "/user?id="
    assert answer.text.count(other) == 5


@pytest.mark.parametrize(
    ("body", "status"),
    [({"members": []}, 422), ({"members": ["nobody"]}, 404), ({"members": ["u1"] * 1001}, 422), ({"who": 1}, 422)],
)
def test_groups_that_cannot_be(live, body, status):
    answer = live.http.post("/map/group", json=body, headers={"sec-fetch-site": "same-origin"})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_no_other_site_asks_for_groups(live):
    answer = live.http.post("/map/group", json={"members": ["u1"]}, headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 403
