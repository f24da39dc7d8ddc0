import pytest

from penchant.service.explorer.login import own_address

HTML = {"accept": "text/html"}
HERE = {**HTML, "sec-fetch-site": "same-origin"}


@pytest.fixture
def browser(keyed):
    """A client that keeps cookies, and the keys."""
    live, keys = keyed
    live.http.cookies.clear()
    yield live.http, keys
    live.http.cookies.clear()


def log_in(http, key, there="/user?id=u1", **headers):
    return http.post("/login", data={"key": key, "next": there}, headers={**HERE, **headers})


def test_a_key_is_typed_once(browser, page_in):
    http, keys = browser
    assert http.get("/user?id=u1", headers=HTML).status_code == 401
    response = log_in(http, keys["read"])
    assert (response.status_code, response.headers["location"]) == (303, "/user?id=u1")
    cookie = response.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "secure" not in cookie
    page = page_in(http.get("/user?id=u1", headers=HTML))
    assert "/logout" in [one.get("action") for one in page.all("form")]
    assert http.get("/v1/model").status_code == 200
    out = http.post("/logout", headers=HERE)
    assert out.headers["location"] == "/login"
    assert http.get("/user?id=u1", headers=HTML).status_code == 401


def test_behind_https_the_cookie_goes_nowhere_else(browser):
    http, keys = browser
    assert "secure" in log_in(http, keys["read"], **{"x-forwarded-proto": "https"}).headers["set-cookie"].lower()


def test_a_wrong_key_is_told_and_not_repeated(browser, page_in):
    http, _ = browser
    response = log_in(http, "read.<wrong>")
    page = page_in(response, 401)
    assert "no such key" in page.text
    assert "wrong" not in response.text
    assert "set-cookie" not in response.headers


def test_a_login_without_keys_leads_on(live, page_in):
    page = page_in(live.http.get("/login", headers=HTML))
    assert "without keys" in page.text
    assert live.http.post("/login", data={"next": "/model"}, headers=HERE).headers["location"] == "/model"


@pytest.mark.parametrize(
    "there", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "/\r\nx: y", ""]
)
def test_a_login_sends_nobody_elsewhere(browser, there):
    http, keys = browser
    assert own_address(there) == "/"
    assert log_in(http, keys["read"], there).headers["location"] == "/"


@pytest.mark.parametrize(
    ("headers", "let_in"),
    [
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "same-site"}, False),
        ({"sec-fetch-site": "none"}, False),
        ({"origin": "{url}"}, True),
        ({"origin": "https://evil.example"}, False),
        ({"origin": "null"}, False),
        ({}, False),
    ],
)
def test_with_the_cookie_only_our_pages_change_something(browser, headers, let_in):
    http, keys = browser
    log_in(http, keys["ops"])
    headers = {name: value.format(url=str(http.base_url).rstrip("/")) for name, value in headers.items()}
    question = {"pairs": [{"user": "u1", "item": "i1"}]}
    assert (http.post("/v1/predict", json=question, headers=headers).status_code == 200) == let_in
    assert (http.delete("/v1/users/u39", headers=headers).status_code == 200) == let_in
    assert (http.post("/forget", data={"id": "u38"}, headers={**HTML, **headers}).status_code == 200) == let_in
    assert (http.post("/logout", headers=headers).status_code == 303) == let_in
    bearer = {"authorization": f"Bearer {keys['ops']}"}
    assert http.post("/v1/predict", json=question, headers=bearer).status_code == 200


def test_the_header_wins_over_the_cookie(browser):
    http, keys = browser
    log_in(http, keys["ops"])
    assert http.get("/v1/models", headers={"authorization": f"Bearer {keys['read']}"}).status_code == 403
    assert http.get("/v1/models", headers={"authorization": "Bearer wrong"}).status_code == 401
    assert http.get("/v1/models").status_code == 200
