import asyncio
import time
from dataclasses import replace

import pytest

from penchant.service.problems import Refused
from penchant.service.service import Service

HTML = {"accept": "text/html"}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_unknown_id_comes_with_known_ones(live, page_in, language):
    page = page_in(live.http.get("/user", params={"id": "u1x<b>", "lang": language}, headers=HTML), 404)
    assert "u1x<b>" in page.text
    assert "/user?id=u1" in page.links()
    live.http.cookies.clear()


def test_scripts_get_problems_and_people_pages(live, page_in, problem_in):
    for path in ("/user?id=nobody", "/nowhere", "/user"):
        problem_in(live.http.get(path))
        page_in(live.http.get(path, headers=HTML), live.http.get(path).status_code)
    problem_in(live.http.get("/user.json?id=nobody", headers=HTML))
    problem_in(live.http.get("/v1/nowhere", headers=HTML))


def test_a_page_that_does_not_exist_leads_back(live, page_in):
    page = page_in(live.http.get("/no/such<page>", headers=HTML), 404)
    assert "/" in page.links()
    assert page_in(live.http.delete("/", headers=HTML), 405)


def test_a_key_without_the_scope_is_told(keyed, page_in):
    live, keys = keyed
    bearer = {**HTML, "authorization": f"Bearer {keys['read']}"}
    page = page_in(live.http.get("/forget?id=u1", headers=bearer), 403)
    assert "/login" in page.links()


def test_what_nobody_expected_is_logged_and_not_told(live, page_in, monkeypatch):
    async def fail(self, *_, **__):
        raise ZeroDivisionError("the secret of the inside")

    monkeypatch.setattr(Service, "ask", fail)
    page = page_in(live.http.get("/user?id=u1", headers=HTML), 500)
    assert "secret" not in page.text
    assert "Request " in page.text


def test_too_much_to_do_says_when_to_try_again(live, page_in, monkeypatch):
    async def refuse(self, *_, **__):
        raise Refused(503, "Too many requests wait.", headers={"retry-after": "3"})

    monkeypatch.setattr(Service, "ask", refuse)
    response = live.http.get("/user?id=u1", headers=HTML)
    page = page_in(response, 503)
    assert response.headers["retry-after"] == "3"
    assert "Try again (in 3 s)" in page.text
    assert "/user?id=u1" in page.links()


def test_what_takes_too_long_is_a_page_too(settings, run, page_in, monkeypatch):
    async def wait(self, work, patience_s=None):
        await asyncio.sleep(5)

    monkeypatch.setattr(Service, "compute", wait)
    with run(replace(settings, deadline_s=0.2)) as live:
        began = time.monotonic()
        page_in(live.http.get("/model", headers=HTML), 504)
        assert time.monotonic() - began < 4


def test_other_names_of_this_machine_get_a_page_too(live, page_in):
    page_in(live.http.get("/", headers={**HTML, "host": "evil.example"}), 403)
