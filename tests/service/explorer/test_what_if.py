import json
from urllib.parse import urlencode

import pytest
from many_kinds import EVIL

HTML = {"accept": "text/html"}
HERE = {**HTML, "sec-fetch-site": "same-origin", "content-type": "application/x-www-form-urlencoded"}


def moved(live, *pairs, **query):
    response = live.http.get(f"/what-if.json?{urlencode([*query.items(), *pairs])}")
    assert response.status_code == 200, response.text
    return json.loads(response.content)


def test_a_move_is_the_what_if_of_the_library(live, model):
    found = moved(live, ("f.age", "70"), id="u3")
    wanted = model.what_if("u3", {"age": 70})
    assert found["answer"]["moved"] == pytest.approx(wanted.moved, abs=1e-4)
    assert found["query"] == [["id", "u3"], ["f.age", "70"]]
    assert found["changed"] == 1
    shares = {(one["feature"], one["value"]): one["after"] for one in wanted.features.to_dicts()}
    for one in found["answer"]["bars"]:
        assert one["share"] == pytest.approx(shares[one["feature"], one["value"]], rel=1e-3, abs=1e-4)


def test_without_a_move_and_from_an_average_one(kinds, page_in):
    still = moved(kinds, id="u3")
    assert (still["changed"], still["answer"]["moved"], still["answer"]["left"]) == (0, 0, [])
    assert "Nothing is changed yet" in page_in(kinds.http.get("/what-if?id=u3", headers=HTML)).text
    assert "an average user" in page_in(kinds.http.get("/what-if", headers=HTML)).text
    item = moved(kinds, ("f.price", "5"), side="item")
    assert item["query"] == [["side", "item"], ["f.price", "5"]]
    assert item["answer"]["before"]["known"] == 40
    assert moved(kinds, side="item", who="i3")["id"] == "i3"
    assert moved(kinds, side="user", who="")["id"] is None


def test_the_form_of_no_change_is_none(kinds, page_in):
    """Sent as it came, without scripts, it says what was said without it."""
    page = page_in(kinds.http.get("/what-if?id=u5", headers=HTML))
    sent = {one["name"]: one.get("value") or "" for one in page.all("input")
            if (one.get("name") or "").startswith("f.") and one.get("type") == "text"}  # fmt: skip
    assert sent
    assert moved(kinds, *sent.items(), id="u5")["changed"] == 0


def test_the_past_can_be_changed(kinds):
    found = moved(kinds, ("f.past", "i1\ni2"), ("d.past", "i3"), id="u5")
    assert found["changed"] == 1
    assert found["answer"]["moved"] > 0
    wrong = moved(kinds, ("f.past", "i1\nno such item"), id="u5")
    assert next(one for one in wrong["fields"] if one["name"] == "past")["problem"]["code"] == "item"
    assert wrong["changed"] == 0


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_was_is_said_at_its_field(kinds, page_in, language):
    query = [("item", "i4"), ("f.price", "7"), ("f.mood", EVIL[0]), ("f.topics", ""), ("lang", language)]
    response = kinds.http.get(f"/what-if?{urlencode(query)}", headers=HTML)
    kinds.http.cookies.clear()
    page = page_in(response)
    assert ("was calm" if language == "en" else "原为 calm") in page.text
    assert "<script>alert" not in response.text
    begin = next(one for one in page.all("a") if "data-reset" in one)
    assert begin["href"] == "/what-if?item=i4"
    other = next(one["href"] for one in page.all("a") if one.get("hreflang"))
    assert "f.topics=&" in other, "the other language shows the same"


def test_unknown_ones_and_wrong_sides(live, page_in):
    page = page_in(live.http.get("/what-if?id=u1<b>", headers=HTML), 404)
    assert "/user?id=u1" in page.links()
    assert live.http.get("/what-if.json?item=" + "x" * 600).status_code == 404
    assert live.http.get("/what-if.json?side=both").status_code == 422


def test_the_answer_alone_comes_for_the_script(kinds):
    body = urlencode([("id", "u3"), ("f.age", "70")])
    quick, full = (kinds.http.post(f"/what-if/answer?more={more}", content=body, headers=HERE) for more in (0, 1))
    assert quick.status_code == full.status_code == 200
    assert "<html" not in quick.text
    assert 'class="proved" x="' in full.text.split("</ul>", 1)[1]
    assert 'class="proved" x="' not in quick.text.split("</ul>", 1)[1]
    assert "proved range" in quick.text, "there is room for what comes"
    assert "/what-if?id=u3&amp;f.age=70&amp;reach=25" in quick.text
    refused = kinds.http.post("/what-if/answer", content=body, headers={**HERE, "sec-fetch-site": "cross-site"})
    assert refused.status_code == 403


def test_without_the_portrait_term_it_is_said(odd, page_in):
    page = page_in(odd.http.get("/what-if?id=x.json&f.age=40", headers=HTML))
    assert "trained without the portrait term" in page.text


def test_odd_ids_and_values(odd, page_in):
    ids = odd.service.models.serving.first.fitted.known["user"].vocabulary.ids
    for who in ids.filter(~ids.str.contains(r"^u\d+$")).to_list():
        response = odd.http.get(f"/what-if?{urlencode({'id': who, 'f.age': '<b>old</b>'})}", headers=HTML)
        page = page_in(response)
        assert who in "".join(page.words)
        assert "<script>alert" not in response.text
        assert "<b>old" not in response.text
