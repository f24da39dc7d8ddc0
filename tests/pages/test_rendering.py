import json

import pytest
from jinja2 import UndefinedError

from penchant.pages.rendering import (
    View,
    count,
    day,
    embedded,
    environment,
    fixed,
    joined,
    percent,
    render,
    signed,
    url,
)

LOGIN = {"next": "/", "wrong": False, "needed": True}


def test_what_is_not_there_is_an_error_and_what_is_there_is_escaped():
    with pytest.raises(UndefinedError):
        render("login.html", {"next": "/"})
    page = render("login.html", LOGIN | {"next": '/"><script>alert(1)</script>'})
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_language_and_theme_are_on_the_page():
    page = render("login.html", LOGIN, View(language="zh", theme="dark", path="/login"))
    assert '<html lang="zh-Hans" data-theme="dark">' in page
    assert "登录" in page
    assert 'href="/login?lang=en"' in page
    assert 'href="/login?theme=light"' in page
    assert "data-theme" not in render("login.html", LOGIN).partition("<head>")[0]


def test_a_page_that_is_a_file_asks_no_service():
    page = render("login.html", LOGIN, View(live=False, static=lambda name: f"data:,{name}"))
    assert "/search" not in page
    assert "/static/" not in page


def test_a_dictionarys_values_come_before_its_methods():
    made = environment().from_string(
        "{{ one.items }} {{ one.keys }} {% for a, b in two.items() %}{{ a }}{{ b }}{% endfor %}"
    )
    assert made.render(one={"items": 3, "keys": 4}, two={"x": 1}) == "3 4 x1"


def test_any_id_is_legal_in_an_address():
    assert url("/user", id='a/b?c=d&e"<', why=None) == "/user?id=a%2Fb%3Fc%3Dd%26e%22%3C"
    assert url("/user") == "/user"
    assert url("/user", path="x", self="y") == "/user?path=x&self=y"
    view = View(path="/user", query=(("id", "ü 1"), ("path", "p"), ("self", "s")))
    assert view.here(theme="dark") == "/user?id=%C3%BC+1&path=p&self=s&theme=dark"
    assert view.twin() == "/user.json?id=%C3%BC+1&path=p&self=s"
    assert View().twin() == "/start.json"


def test_values_for_scripts_cannot_end_their_element():
    made = embedded({"a": "</script><!--&"}, "x")
    inside = made.partition(">")[2].rpartition("</script>")[0]
    assert not set("<>&") & set(inside)
    assert json.loads(inside) == {"a": "</script><!--&"}
    with pytest.raises(ValueError):
        embedded(float("nan"), "x")


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (percent(0.62), "62\u202f%"), (percent(0.0), "0\u202f%"), (percent(0.001), "< 1\u202f%"),
        (percent(0.8812, 1), "88.1\u202f%"), (percent(None), "–"), (percent(0.0004, 1), "< 0.1\u202f%"),
        (fixed(-0.5), "−0.50"), (fixed(None), "–"), (signed(0.25), "+0.25"), (signed(-0.25), "−0.25"),
        (signed(None), "–"),
        (count(1234567), "1\u202f234\u202f567"), (count(None), "–"),
        (joined([1, 2]), "1, 2"), (joined(range(5), 2), "0, 1, … (+3)"), (joined([]), "–"),
        (day("2026-01-02T03:04:05"), "2026-01-02 03:04"), (day(None), "–"),
    ],
)  # fmt: skip
def test_numbers_as_people_read_them(shown, text):
    assert shown == text
