import pytest

from penchant.pages.static import STATIC, static_bytes, static_url


@pytest.mark.parametrize("name", ["penchant.css", "base.js", "icon.svg"])
def test_files_are_kept_for_good_at_their_own_address(live, name):
    response = live.http.get(static_url(name))
    assert response.content == static_bytes(name)
    assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert response.headers["content-type"] == STATIC[name]
    assert response.headers["x-content-type-options"] == "nosniff"


def test_an_old_page_gets_the_new_files_and_keeps_none(live):
    response = live.http.get("/static/0123456789abcdef/base.js")
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("name", ["none.js", "..%2Frendering.py", "%2e%2e/words/zh.json", "penchant.css%00"])
def test_nothing_else_is_served(live, name):
    assert live.http.get(f"/static/x/{name}").status_code == 404
