"""axe-core finds nothing serious: every page of the navigation and of a user, both themes and languages."""

import pytest

PAGES = [
    ("/", {}), ("/user", {"id": "u1", "why": "i2"}), ("/user", {"id": "somebody new"}), ("/model", {}), ("/map", {}),
    ("/search", {"q": "1"}), ("/search", {"q": "nothing at all"}), ("/forget", {"id": "u1"}), ("/login", {}),
    ("/user", {"id": "nobody"}), ("/item", {"id": "i1"}), ("/draft", {"f.length": "x"}), ("/what-if", {"id": "u1"}),
]  # fmt: skip

RUN = """
const done = arguments[arguments.length - 1];
document.querySelectorAll('details').forEach((one) => { one.open = true; });
axe.run(document, {resultTypes: ['violations']}).then(({violations}) => done(violations.map((one) =>
  [one.impact, one.id, one.nodes.slice(0, 3).map((node) => node.html.slice(0, 160) + ' ' + node.failureSummary)])));
"""


def serious(browser, axe):
    """What axe calls serious or critical on the page that is shown; it is run by the tests, so the policy lets it."""
    browser.driver.execute_cdp_cmd("Runtime.evaluate", {"expression": axe})
    found = browser.driver.execute_async_script(RUN)
    return [one for one in found if one[0] in ("serious", "critical")]


@pytest.mark.parametrize(("language", "theme", "width"), [("en", "light", 1280), ("zh", "dark", 375)])
@pytest.mark.parametrize(("path", "query"), PAGES, ids=str)
def test_nothing_serious(browser, axe, path, query, language, theme, width):
    browser.show(path, width=width, language=language, theme=theme, **query)
    assert serious(browser, axe) == []
    if query.get("id") == "nobody":
        browser.complaints()  # Chromium notes that the page came with 404
