import time
import uuid

import httpx
import pytest

from penchant.service import Client
from penchant.service.client import ServiceError


@pytest.fixture
def client(live):
    with Client(live.url) as one:
        yield one


def test_every_question(client, model):
    assert client.predict([("u1", "i1"), ({"age": 30}, {"lang": "zh"})])[1]["liked"] in (True, False)
    assert [one["item"] for one in client.recommend("u2", n=3)] == model.recommend("u2", n=3)["item_id"].to_list()
    assert client.portrait("u2")["portrait"]["side"] == "item"
    assert client.audience("i2")["portrait"]["side"] == "user"
    assert client.explain("u2", "i2", only=["lang"], max_changes=1)["item"] == "i2"
    assert client.group(["u1", "u2"], examples=1)["size"] == 2
    assert len(client.related(item="i2", n=4)) == 4
    picture, here = client.map(), client.place(user="u1")
    assert (picture["n"], picture["ids"][here["index"]], here["side"]) == (90, "u1", "user")
    assert client.model()["first"]["items"] == 50
    assert "user" in client.schema()
    name = uuid.uuid4().hex  # the server is shared with tests that send whatever comes to their mind
    event = {"id": name, "user": "client/1", "item": "i1", "label": 1, "time": time.time() - 9}
    assert client.send([event]) == {"accepted": 1, "duplicates": [], "conflicts": []}
    assert client.send([event]) == {"accepted": 0, "duplicates": [name], "conflicts": []}
    assert client.interest("client/1")["interest"]["events"] == 1
    assert client.forget("client/1")["events"] == 1


def test_what_is_refused_is_raised_with_its_problem(client):
    with pytest.raises(ServiceError, match="no user 'nobody'") as refused:
        client.recommend("nobody")
    assert refused.value.status == 404
    assert refused.value.problem["request_id"] in str(refused.value)


def scripted(*answers, tries=3):
    left, slept = list(answers), []

    def answer(request):
        got = left.pop(0)
        if isinstance(got, Exception):
            raise got
        return got

    client = Client("http://here", transport=httpx.MockTransport(answer), sleep=slept.append, tries=tries)
    return client, slept


def test_it_waits_as_long_as_it_is_told():
    ok = httpx.Response(200, json={"first": {}})
    client, slept = scripted(httpx.Response(429, headers={"retry-after": "7"}), httpx.Response(503), ok)
    assert client.model() == {"first": {}}
    assert slept[0] == 7
    assert 0.2 <= slept[1] <= 0.4
    client, slept = scripted(httpx.ConnectError("no"), ok)
    assert client.model() == {"first": {}}


def test_a_map_that_is_drawn_is_waited_for():
    drawing = [httpx.Response(503, json={"progress": 0.2}) for _ in range(5)]
    client, slept = scripted(*drawing, httpx.Response(200, json={"x": []}))
    assert client.map(wait_s=60) == {"x": []}
    assert len(slept) == 4, "three tries and a last one, and again"
    client, slept = scripted(*drawing[:2], httpx.Response(200, json={"x": []}), tries=1)
    assert client.map(wait_s=60) == {"x": []}
    assert len(slept) == 2, "a single try waits too"
    for problem in ({"progress": 0.2}, {"title": "busy"}):
        client, _ = scripted(*[httpx.Response(503, json=problem) for _ in range(3)])
        with pytest.raises(ServiceError, match="503"):
            client.map(wait_s=60 if "title" in problem else 0)


def test_it_gives_up_in_the_end():
    client, slept = scripted(*[httpx.Response(503, text="<html>") for _ in range(3)])
    with pytest.raises(ServiceError, match="503"):
        client.model()
    assert len(slept) == 2
    client, _ = scripted(*[httpx.ConnectError("no") for _ in range(3)])
    with pytest.raises(httpx.ConnectError):
        client.model()
