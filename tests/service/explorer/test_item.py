import json
from urllib.parse import urlencode

import polars as pl
import pytest

HTML = {"accept": "text/html"}


def values(live, **query):
    response = live.http.get("/item.json", params=query)
    assert response.status_code == 200, response.text
    return json.loads(response.content)


def test_the_audience_is_that_of_the_library(live, model):
    found = values(live, id="i1")
    shares = {
        (one["feature"], one["value"]): one["share"] for one in model.audience("i1", details=False).features.to_dicts()
    }
    for one in found["answer"]["portrait"]["bars"]["rows"]:
        assert one["share"] == pytest.approx(shares[one["feature"], one["value"]], rel=1e-3, abs=1e-5)
        assert one["proved_low"] <= one["found_low"] + 1e-5
    near = model.related(item="i1", to="user", n=8)
    assert [one["id"] for one in found["answer"]["users"]] == near["user_id"].to_list()
    assert [one["probability"] for one in found["answer"]["users"]] == pytest.approx(
        near["probability"].to_list(), rel=1e-3
    )
    assert [one["id"] for one in found["answer"]["items"]] == model.related(item="i1", n=8)["item_id"].to_list()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_item_leads_on(live, page_in, language):
    page = page_in(live.http.get(f"/item?id=i1&lang={language}", headers=HTML))
    live.http.cookies.clear()
    assert {"/what-if?item=i1", "/map?item=i1", "/item?id=i1&reach=25"} <= {
        one.replace(f"&lang={language}", "") for one in page.links()
    }
    assert sum(one.startswith("/user?id=") for one in page.links()) >= 8


def test_an_item_that_nobody_met(kinds, page_in):
    page = page_in(kinds.http.get("/item?id=i49", headers=HTML))
    assert "Nobody in the data has reacted to this item" in page.text
    assert "Nobody in the data" not in page_in(kinds.http.get("/item?id=i1", headers=HTML)).text


def test_one_that_is_unknown_gets_suggestions(live, page_in):
    page = page_in(live.http.get("/item?id=i1<b>", headers=HTML), 404)
    assert "Perhaps you meant" in page.text
    assert "/item?id=i1" in page.links()
    assert live.http.get("/item", headers=HTML).status_code == 422


def test_without_the_portrait_term_it_is_said(odd, page_in):
    assert "trained without the portrait term" in page_in(odd.http.get("/item?id=--", headers=HTML)).text


def test_odd_ids_are_shown_and_nothing_else_happens(odd, page_in):
    ids = odd.service.models.serving.first.fitted.known["item"].vocabulary.ids
    for item in ids.filter(~ids.str.contains(r"^i\d+$") & ids.is_not_null()).to_list():
        for path, name in (("/item", "id"), ("/what-if", "item")):
            response = odd.http.get(f"{path}?{urlencode({name: item})}", headers=HTML)
            page = page_in(response)
            assert item in "".join(page.words)
            assert "<img src=x" not in response.text
            twin = odd.http.get(f"{path}.json?{urlencode({name: item})}").json()
            assert item in (twin["id"],)


def test_who_met_it_is_counted(live, model):
    seen = live.service.models.serving.first.fitted.seen
    row = model.items_["item_id"].to_list().index("i1")
    past = values(live, id="i1")["facts"]["past"]
    mine = seen.filter(pl.col("item") == row)
    assert (past["liked"]["n"], past["disliked"]["n"]) == (mine["liked"].sum(), (~mine["liked"]).sum())
