"""What holds of every page: its policy, its twin, both languages, odd ids, the guard."""

import json
import re
from dataclasses import replace
from urllib.parse import urlencode

import pytest
from fastapi import Request

from penchant.pages.rendering import render
from penchant.service.explorer.routes import FREE, PAGES, explorer_of
from penchant.service.explorer.visiting import view_of

HTML = {"accept": "text/html"}
QUERIES = {
    "/user": {"id": "u1", "why": "i1"}, "/forget": {"id": "u1"}, "/search": {"q": "i"}, "/item": {"id": "i1"},
    "/what-if": {"id": "u1"},
}  # fmt: skip
"""What pages are asked for; others need nothing."""


def pages(live):
    return explorer_of(live.service).pages


def address(path, **query):
    query = {**QUERIES.get(path, {}), **query}
    return f"{path}?{urlencode(query)}" if query else path


def test_every_page_keeps_the_rules_in_both_languages_and_themes(live, page_in):
    for path in pages(live):
        for language, tag in (("en", "en"), ("zh", "zh-Hans")):
            response = live.http.get(address(path, lang=language, theme="dark"), headers=HTML)
            page = page_in(response)
            html = page.all("html")[0]
            assert (html["lang"], html["data-theme"]) == (tag, "dark"), path
            kept = response.headers.get_list("set-cookie")
            assert any(f"penchant_lang={language}" in one for one in kept)
            assert any("penchant_theme=dark" in one for one in kept)
        live.http.cookies.clear()


def test_every_pages_twin_has_the_values_that_the_template_got(live):
    for path, template in pages(live).items():
        shown = live.http.get(address(path), headers=HTML)
        twin = live.http.get(address("/start.json" if path == "/" else f"{path}.json", **QUERIES.get(path, {})))
        assert twin.headers["content-type"] == "application/json"
        values = json.loads(twin.content)
        request = shown.request
        made = render(template, values, _view(live, request))
        assert _steady(made) == _steady(shown.text), path


def _view(live, request):
    scope = {
        "type": "http", "method": "GET", "path": request.url.path, "query_string": request.url.query,
        "headers": [(k.lower().encode(), v.encode()) for k, v in request.headers.items()],
    }  # fmt: skip
    return view_of(live.service, Request(scope), frozenset(pages(live)))


def _steady(html):
    """Of two answers the last of six digits may differ."""
    return re.sub(r"-?\d+\.\d{3,}", lambda found: f"{float(found[0]):.3g}", html)


def test_nothing_is_english_on_a_chinese_page_but_what_the_data_say(live, page_in):
    page = page_in(live.http.get("/?lang=zh", headers=HTML))
    live.http.cookies.clear()
    for word in ("Start", "Search", "Users", "likes", "model "):
        assert word not in page.text.replace("penchant", "")


@pytest.mark.parametrize("path", ["/user", "/search"])
def test_odd_ids_are_shown_and_nothing_else_happens(odd, page_in, path):
    for who in odd.service.models.serving.first.fitted.known["user"].vocabulary.ids.to_list():
        if who.startswith("u") and who[1:].isdigit() and int(who[1:]) > 12:
            continue
        query = {"q": who} if path == "/search" else {"id": who}
        response = odd.http.get(f"{path}?{urlencode(query)}", headers=HTML, follow_redirects=True)
        page = page_in(response)
        assert who in "".join(page.words) or who.strip() in page.text
        assert "<script>alert" not in response.text
        assert "<img src=x" not in response.text


def test_odd_items_are_explained(odd, page_in):
    for item in odd.service.models.serving.first.fitted.known["item"].vocabulary.ids.head(60).to_list():
        if item.startswith("i") and item[1:].isdigit():
            continue
        response = odd.http.get(f"/user?{urlencode({'id': 'x.json', 'why': item})}", headers=HTML)
        page = page_in(response)
        assert "onerror" not in {name for _, attributes in page.tags for name in attributes}
        assert item in "".join(page.words)


def test_every_page_needs_a_key_where_there_are_keys(keyed, page_in):
    live, _ = keyed
    for path in pages(live):
        page = page_in(live.http.get(address(path), headers=HTML), 401)
        assert [one for one in page.all("input") if one.get("name") == "key"]
        wanted = next(one["value"] for one in page.all("input") if one.get("name") == "next")
        assert wanted == address(path)
        twin = live.http.get("/start.json" if path == "/" else f"{path}.json")
        assert twin.status_code == 401
        assert twin.headers["content-type"] == "application/problem+json"
    for path in ("/login", "/static/x/penchant.css"):
        assert live.http.get(path).status_code == 200


def test_without_the_explorer_there_are_no_pages(settings, run):
    with run(replace(settings, explorer=False)) as live:
        for path in ("/", "/login", "/static/x/penchant.css"):
            response = live.http.get(path, headers=HTML)
            assert response.status_code == 404
            assert response.headers["content-type"] == "application/problem+json"


def test_the_list_is_of_functions_that_enter_pages(live):
    assert len(set(PAGES)) == len(PAGES)
    assert {"/", "/search", "/user", "/forget", "/model"} <= set(pages(live))
    assert not set(pages(live)) & set(FREE)
