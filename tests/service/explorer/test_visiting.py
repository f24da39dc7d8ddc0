from dataclasses import replace

import pytest
from fastapi import Request

from penchant.pages.rendering import View
from penchant.service.explorer.visiting import Visit

HTML = {"accept": "text/html"}


@pytest.mark.parametrize(
    ("query", "cookies", "accept", "tag", "theme"),
    [
        ("", {}, "", "en", None),
        ("", {}, "zh-CN,zh;q=0.9", "zh-Hans", None),
        ("", {"penchant_lang": "zh", "penchant_theme": "dark"}, "en", "zh-Hans", "dark"),
        ("?lang=en&theme=light", {"penchant_lang": "zh", "penchant_theme": "dark"}, "zh", "en", "light"),
        ("?lang=xx&theme=%22%3E", {"penchant_theme": "purple"}, "en", "en", None),
    ],
)
def test_how_a_page_is_shown(live, page_in, query, cookies, accept, tag, theme):
    for name, value in cookies.items():
        live.http.cookies.set(name, value)
    response = live.http.get(f"/{query}", headers={**HTML, "accept-language": accept})
    live.http.cookies.clear()
    html = page_in(response).all("html")[0]
    assert html["lang"] == tag
    assert html.get("data-theme") == theme
    assert ("set-cookie" in response.headers) == ("lang=en" in query)


def test_links_keep_the_query_but_not_how_it_is_shown(live, page_in):
    page = page_in(live.http.get("/user?id=u1&reach=5&lang=zh", headers=HTML))
    live.http.cookies.clear()
    assert "/user?id=u1&reach=5&lang=en" in page.links()
    assert "/user.json?id=u1&reach=5" in page.links()


@pytest.mark.parametrize(("query", "status"), [("", 422), ("id=", 422), ("id=" + "x" * 600, 422), ("id=u1&id=u2", 200)])
def test_ids_that_are_none(live, query, status):
    assert live.http.get(f"/user.json?{query}").status_code == status


def test_a_page_is_of_one_model_though_it_is_switched_meanwhile(models, settings, run):
    with run(replace(settings, model=str(models / "a.penchant"), models=str(models))) as live:
        request = Request({"type": "http", "query_string": b"", "headers": []})
        visit = Visit(live.service, request, View())
        before = visit.loaded("u1").version
        live.service.models.switch("b.penchant")
        assert visit.loaded("u1").version == before
        assert Visit(live.service, request, View()).loaded("u1").version != before
