from penchant.portraits import html_page


def test_a_page_is_whole_and_its_title_is_text():
    page = html_page("<Tom & Jerry>", "<p>body</p>", head="<style></style>")
    assert page.startswith("<!doctype html>")
    assert "<title>&lt;Tom &amp; Jerry&gt;</title>" in page
    assert page.index("<style></style></head>") < page.index("<p>body</p>")
    assert "http" not in page
