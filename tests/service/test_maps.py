import gzip
import json
from dataclasses import replace

import pytest

from penchant.maps import FORM
from penchant.service.atlas import Atlas
from penchant.service.maps import takes_gzip


def test_the_map_is_given_packed_with_its_tag(live):
    answer = live.http.get("/v1/map")
    assert answer.status_code == 200
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["content-type"] == "application/json"
    told = answer.json()
    assert told["form"] == FORM
    assert told["model"] == live.service.models.serving.first.version
    again = live.http.get("/v1/map", headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    plain = live.http.get("/v1/map", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.json() == told
    assert plain.headers["etag"] == answer.headers["etag"]


def test_somebody_is_found_on_it(live, model):
    told = live.ask("/v1/map").json()
    user = model.users_["user_id"][2]
    found = live.ask("/v1/map/place", {"user": user}).json()
    assert told["ids"][found["index"]] == user
    inside = model.recommend(user, n=50, exclude_seen=False).filter("inside")["item_id"].to_list()
    assert {told["ids"][place] for place in found["inside"]} == set(inside)
    new = live.ask("/v1/map/place", {"item": {}}).json()
    assert new["index"] is None
    assert new["side"] == "item"
    assert -1 <= new["x"] <= 1
    assert new["model"]["version"] == told["model"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"user": "u1", "item": "i1"}, 422),
        ({"user": "nobody"}, 404),
        ({"user": {"nonsense": 1}}, 422),
        ({"item": ["i1"]}, 422),
        ({"user": '"<b>\u202e🦜'}, 404),
    ],
)
def test_what_cannot_be_found_is_said(live, problem_in, body, status):
    answer = live.ask("/v1/map/place", body)
    assert answer.status_code == status
    problem_in(answer)


def test_until_it_is_drawn_it_says_how_far_it_is(run, settings, problem_in, tmp_path, monkeypatch):
    def slow(self, loaded, work, own):
        work.percent = 40
        while not self._ended:
            work.over.wait(0.01)

    monkeypatch.setattr(Atlas, "_run", slow)
    with run(replace(settings, maps=str(tmp_path / "maps"))) as live:
        for route, body in (("/v1/map", None), ("/v1/map", None), ("/v1/map/place", {"item": {}})):
            answer = live.ask(route, body)
            assert answer.status_code == 503
            assert int(answer.headers["retry-after"]) > 0
            told = problem_in(answer)
            assert told["progress"] == 0.4
            assert "40 %" in told["detail"]
        assert live.ask("/v1/recommend", {"user": {}}).status_code == 200


def test_which_encodings_are_taken():
    assert takes_gzip("gzip, deflate, br")
    assert takes_gzip("br;q=1.0, GZIP;q=0.5, *;q=0.1")
    assert takes_gzip("*")
    assert not takes_gzip("")
    assert not takes_gzip("br, gzip;q=0")
    assert not takes_gzip("identity")


def test_the_packed_form_is_the_map(live):
    drawn = live.service.atlas.find(live.service.models.serving.first, 20.0)
    assert json.loads(gzip.decompress(drawn.packed)) == drawn.picture.to_dict()
