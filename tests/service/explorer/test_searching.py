from urllib.parse import unquote

HTML = {"accept": "text/html"}


def look(live, text, **options):
    return live.http.get("/search", params={"q": text}, headers=HTML, **options)


def test_one_who_is_meant_is_gone_to(live):
    assert look(live, "u1").headers["location"] == "/user?id=u1"
    assert look(live, " item i3 ").headers["location"] == "/item?id=i3"
    assert look(live, "用户 u2").headers["location"] == "/user?id=u2"


def test_several_are_listed(live, page_in):
    page = page_in(look(live, "1"))
    assert "/user?id=u1" in page.links()
    assert "/item?id=i1" in page.links()


def test_nothing_is_said_so(live, page_in):
    assert "Nothing has this" in page_in(look(live, "zebra<b>")).text
    assert "Type the id" in page_in(look(live, " ")).text
    assert look(live, "x" * 513).status_code == 422


def test_suggestions_are_values(live):
    found = live.http.get("/suggest.json", params={"q": "u1"}).json()["found"]
    assert {"side": "user", "id": "u1", "name": "u1"} in found
    assert live.http.get("/suggest.json").json() == {"found": []}


def test_an_odd_id_leads_to_its_page(odd):
    where = look(odd, "a/b?c=d&e#f").headers["location"]
    assert unquote(where) == "/user?id=a/b?c=d&e#f"
    assert look(odd, "a/b?c=d&e#f", follow_redirects=True).status_code == 200
