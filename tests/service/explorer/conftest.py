"""A service with odd ids and names, without a portrait term; one with keys; what a page must be."""

import itertools
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import httpx
import polars as pl
import pytest
from many_kinds import many_kinds

from penchant import Penchant, simulate, split_random
from penchant.losses import Loss
from penchant.service import KeyFile
from penchant.service.explorer.registrar import POLICY
from penchant.service.models import Loaded, load

HTML = {"accept": "text/html,application/xhtml+xml"}

USERS = [
    'a"b',
    "<script>alert(1)</script>",
    "x.json",
    "a/b?c=d&e#f",
    "שלום",
    "👩‍🚀",
    "用户 1",
    "' OR 1=1 --",
    "{{ 7*7 }}",
    "%00",
]
ITEMS = ['i"1', "<img src=x onerror=alert(1)>", "i/2.json", "\u202eevil", "🎬 film", "{n}", "--", "&amp;"]
"""Ids that pages have to bear."""


VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}


class Page(HTMLParser):
    """What stands in a page: tags with their attributes and those around them, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.around: list[list[tuple[str, dict[str, str | None]]]] = []
        self.words: list[str] = []
        self._open: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.around.append(list(self._open))
        if tag not in VOID:
            self._open.append(self.tags[-1])

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.around.append(list(self._open))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self._open, f"</{tag}> closes nothing"
            assert self._open.pop()[0] == tag, f"</{tag}> closes another tag"

    def handle_data(self, data: str) -> None:
        if "script" not in {tag for tag, _ in self._open}:
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    def links(self) -> list[str]:
        return [str(one["href"]) for one in self.all("a") if one.get("href")]


def checked(response: httpx.Response, status: int = 200) -> Page:
    """A page that keeps the rules of all pages."""
    assert response.status_code == status, response.text[:400]
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["content-security-policy"] == POLICY
    assert response.headers["x-content-type-options"] == "nosniff"
    page = Page(response.text)
    for tag, attributes in page.tags:
        assert "style" not in attributes, (tag, attributes)
        assert not [name for name in attributes if name.startswith("on")], (tag, attributes)
        for name in ("src", "href", "action"):
            assert not re.match(r"(?i)\s*(javascript:|//|https?:)", attributes.get(name) or ""), (tag, attributes)
        if tag == "img":
            assert "alt" in attributes
    assert not page.all("style")
    for script in page.all("script"):
        assert script.get("src") or script["type"] == "application/json"
    ids = [attributes["id"] for _, attributes in page.tags if attributes.get("id")]
    assert len(ids) == len(set(ids)), "an id stands once"
    headings = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert headings[0] == 1
    assert headings.count(1) == 1
    assert all(later <= earlier + 1 for earlier, later in itertools.pairwise(headings)), headings
    named = {str(one.get("for")) for one in page.all("label")}
    for (tag, attributes), around in zip(page.tags, page.around, strict=True):
        if tag in ("input", "select", "textarea") and attributes.get("type") != "hidden":
            labelled = attributes.get("aria-label") or attributes.get("id") in named
            assert labelled or "label" in [one for one, _ in around], attributes
        if tag == "svg":  # its text stands in its place, or around it
            every = [attributes, *(one for _, one in around)]
            assert any(one.get("aria-hidden") == "true" or one.get("role") == "img" for one in every), attributes
    return page


@pytest.fixture(scope="session")
def page_in():
    return checked


@pytest.fixture(scope="session")
def odd_folder(tmp_path_factory):
    """A model without the portrait term, of users and items with odd ids and names."""
    tables = simulate(n_users=40, n_items=50, n_interactions=900, rng=3).tables
    ids = {
        "user": dict(zip(tables.user_ids.head(len(USERS)), USERS, strict=True)),
        "item": dict(zip(tables.item_ids.head(len(ITEMS)), ITEMS, strict=True)),
    }
    schema = tables.schema

    def renamed(frame: pl.DataFrame, column: str, side: str) -> pl.DataFrame:
        return frame.with_columns(pl.col(column).replace(ids[side]))

    pairs = renamed(renamed(tables.interactions, schema.user, "user"), schema.item, "item")
    users, items = renamed(tables.users, schema.user_id, "user"), renamed(tables.items, schema.item_id, "item")
    odd = replace(tables, users=users, items=items, interactions=pairs)
    where = tmp_path_factory.mktemp("odd") / 'odd "model" <1>.penchant'
    train, valid = split_random(odd, (0.8, 0.2), rng=1)
    Penchant(epochs=1, rng=1, loss=Loss(delta=0)).fit(train, valid).save(where)
    return where


@pytest.fixture(scope="session")
def odd(odd_folder, settings, run) -> Iterator[Any]:
    with run(replace(settings, model=str(odd_folder))) as one:
        yield one


@pytest.fixture(scope="session")
def keyed(settings, run, tmp_path_factory) -> Iterator[Any]:
    """A service with keys, and the keys by their scopes."""
    where = tmp_path_factory.mktemp("keyed")
    file = KeyFile.create(where / "keys.json")
    keys = {name: file.add(name, scopes)[1] for name, scopes in (("read", ["read"]), ("ops", ["read", "admin"]))}
    options = {"keys": str(file.path), "store": f"sqlite:///{where / 'events.db'}", "audit": str(where / "audit.log")}
    with run(replace(settings, **options)) as one:
        yield one, keys


@pytest.fixture(scope="session")
def kinds_loaded(tmp_path_factory) -> Loaded:
    """A model with a column of every kind."""
    where = tmp_path_factory.mktemp("kinds") / "kinds.penchant"
    train, valid = split_random(many_kinds(), (0.8, 0.2), rng=1)
    Penchant(epochs=1, rng=1).fit(train, valid).save(where)
    return load(where)


@pytest.fixture(scope="session")
def kinds(kinds_loaded, settings, run) -> Iterator[Any]:
    """A service with it."""
    with run(replace(settings, model=str(kinds_loaded.path))) as one:
        yield one
