import json
from urllib.parse import urlencode

import pytest
from many_kinds import EVIL

HTML = {"accept": "text/html"}
HERE = {**HTML, "sec-fetch-site": "same-origin", "content-type": "application/x-www-form-urlencoded"}

EVERY = [
    ("f.price", "12,5"), ("f.mood", EVIL[0]), ("f.topics", f"tag 1\n{EVIL[2]}\n{EVIL[3]}"), ("f.day", "2020-05-01"),
    ("f.at", "2020-01-02T10:30"), ("f.body", "</textarea><script>x</script> red fish"), ("f.vec", "0.1, 2, -1"),
    ("f.author", "\u202e👩‍👩‍👧"),
]  # fmt: skip


def draft(live, pairs, path="/draft.json"):
    response = live.http.get(f"{path}?{urlencode(pairs)}")
    assert response.status_code == 200, response.text
    return json.loads(response.content)


def test_a_draft_is_read_as_the_library_reads_the_row(kinds, kinds_loaded):
    found = draft(kinds, [("f.price", "12,5"), ("f.topics", "tag 1\ntag 2"), ("f.body", "red fish")])
    row = {"price": 12.5, "topics": ["tag 1", "tag 2"], "body": "red fish"}
    wanted = kinds_loaded.model.audience(row, details=False)
    shares = {(one["feature"], one["value"]): one["share"] for one in wanted.features.to_dicts()}
    for one in found["answer"]["portrait"]["bars"]["rows"]:
        assert one["share"] == pytest.approx(shares[one["feature"], one["value"]], rel=1e-3, abs=1e-5)
    assert found["answer"]["standing"]["reach"] == round(wanted.ball.inside * 40)
    near = kinds_loaded.model.related(item=row, to="item", n=8)
    assert [one["id"] for one in found["answer"]["items"]] == near["item_id"].to_list()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_kind_can_be_filled_in_and_nothing_breaks_out(kinds, page_in, language):
    response = kinds.http.get(f"/draft?{urlencode([*EVERY, ('lang', language)])}", headers=HTML)
    kinds.http.cookies.clear()
    page = page_in(response)
    assert "<script>alert" not in response.text
    assert "<script>x" not in response.text
    assert "</textarea><script" not in response.text
    for name, value in (("f.price", "12.5"), ("f.author", dict(EVERY)["f.author"])):
        assert value == next(one["value"] for one in page.all("input") if one.get("name") == name)
    chosen = [one["value"] for one in page.all("option") if "selected" in one]
    assert chosen == [EVIL[0]]
    assert EVIL[2] in "".join(page.words)
    assert not any(one["problem"] for one in draft(kinds, EVERY)["fields"])


def test_it_works_without_scripts(kinds, page_in):
    page = page_in(kinds.http.get("/draft", headers=HTML))
    form = next(one for one in page.all("form") if one.get("id") == "form")
    assert (form["action"], form["method"]) == ("/draft", "get")
    assert "Nothing is filled in yet" in page.text
    assert next(one for one in page.all("button") if "data-show" in one)["type"] == "submit"
    again = page_in(kinds.http.get("/draft?f.price=3&f.topics=&f.mood=calm", headers=HTML))
    assert "Nothing is filled in yet" not in again.text
    tried = [one for one in again.links() if one.startswith("/draft?f.")]
    assert all(kinds.http.get(one, headers=HTML).status_code == 200 for one in tried)


@pytest.mark.parametrize(("language", "said"), [("en", "is no number"), ("zh", "不是数字")])
def test_what_is_wrong_is_said_at_its_field(kinds, page_in, language, said):
    page = page_in(kinds.http.get(f"/draft?f.price=<i>dear</i>&lang={language}", headers=HTML))
    kinds.http.cookies.clear()
    wrong = next(one for one in page.all("input") if one.get("name") == "f.price")
    assert wrong["aria-invalid"] == "true"
    assert wrong["value"] == "<i>dear</i>"
    assert f"{wrong['id']}-note" in wrong["aria-describedby"]
    assert said in page.text


def test_the_answer_alone_comes_for_the_script(kinds, same):
    body = urlencode(EVERY)
    quick = kinds.http.post("/draft/answer?more=0", content=body, headers=HERE)
    assert quick.status_code == 200, quick.text
    assert "<html" not in quick.text
    assert "data-notes" in quick.text
    assert "Looking …" in quick.text
    full = kinds.http.post("/draft/answer?more=1", content=body, headers=HERE)
    assert "Looking …" not in full.text
    elsewhere = kinds.http.post("/draft/answer", content=body, headers={**HERE, "sec-fetch-site": "cross-site"})
    assert elsewhere.status_code == 403
    assert kinds.http.post("/draft/answer", content=b"\xff", headers=HERE).status_code == 422


def test_too_many_fields_are_refused(kinds):
    body = "&".join(f"f.topics=tag{n}" for n in range(4001))
    assert kinds.http.post("/draft/answer", content=body, headers=HERE).status_code == 422
    many = "f.topics=" + "%0A".join(f"tag{n}" for n in range(1001))
    fields = kinds.http.post("/draft/answer", content=many, headers=HERE)
    assert "At most 1000 values are possible." in fields.text


def test_values_are_found_among_many(kinds):
    ask = kinds.http.get
    found = ask("/choices.json", params={"side": "item", "field": "topics", "q": "TAG 1"}).json()["found"]
    assert found[0].startswith("tag 1")
    assert ask("/choices.json", params={"side": "item", "field": "no<such>"}).status_code == 404
    assert ask("/choices.json", params={"side": "x", "field": "topics"}).status_code == 422


def test_what_somebody_drafts_is_not_counted_as_input(kinds):
    before = kinds.service.metrics.inputs()
    draft(kinds, [("f.mood", "unheard of")])
    assert kinds.service.metrics.inputs() == before
