"""Every page of users, items and models in a real browser: languages, themes, widths, what moves."""

import pytest
from serving import serving

PAGES = [
    ("/", {}), ("/user", {"id": "u1"}), ("/user", {"id": "u1", "why": "i2"}), ("/user", {"id": "somebody new"}),
    ("/model", {}), ("/map", {}), ("/search", {"q": "1"}), ("/forget", {"id": "u1"}), ("/login", {}),
]  # fmt: skip
SHOWN = [("en", "light", 1280), ("zh", "dark", 375), ("en", "dark", 375), ("zh", "light", 1280)]
WIDER = """
const right = (one) => one.getBoundingClientRect().right;
const wide = [...document.querySelectorAll('main *')].filter((one) => right(one) > arguments[0] + 1);
return wide.filter((one) => !one.closest('.scroll, details:not([open])')).map((one) => one.outerHTML.slice(0, 120));
"""
"""What is wider than the window, and not in a part that scrolls."""


@pytest.mark.parametrize(("language", "theme", "width"), SHOWN)
@pytest.mark.parametrize(("path", "query"), PAGES, ids=str)
def test_pages_fit_and_are_as_asked_for(browser, path, query, language, theme, width):
    browser.show(path, width=width, language=language, theme=theme, **query)
    assert browser.run(WIDER, width) == []
    assert browser.run("return document.documentElement.scrollWidth") <= width
    ground = browser.run("return getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(255, 255, 255)") == (theme == "light")
    heading = browser.run("return document.querySelector('h1').innerText")
    assert any("\u4e00" <= sign <= "\u9fff" for sign in heading) == (language == "zh")


def test_the_theme_changes_in_place_and_is_kept(browser):
    browser.show("/model", theme="light")
    assert browser.run("const one = document.getElementById('theme'); one.click(); return one.innerText") == "Light"
    assert browser.run("return document.documentElement.dataset.theme") == "dark"
    browser.driver.get(f"{browser.url}/")
    assert browser.run("return document.documentElement.dataset.theme") == "dark"


def test_somebody_who_types_is_helped(browser):
    browser.show("/")
    browser.run("const q = document.getElementById('q'); q.value = 'u1'; q.dispatchEvent(new Event('input'))")
    options = "return [...document.querySelectorAll('#suggestions option')].map((one) => one.value)"
    assert "user u1" in browser.seen(lambda: browser.run(options))


def test_the_threshold_moves_and_the_figures_follow(browser):
    browser.show("/model")
    said = "return document.getElementById('trade-off-said').innerText"
    before = browser.run(said)
    browser.run(
        "const one = document.getElementById('threshold-slide');"
        "one.value = one.max; one.dispatchEvent(new Event('input'))"
    )
    after = browser.run(said)
    assert before != after
    assert "100\u202f% of what is liked is shown" in after
    guide = browser.run("return document.querySelector('#trade-off .guide').getAttribute('x1')")
    assert float(guide) > 550
    browser.show("/model", threshold=browser.run("return document.getElementById('threshold').value"))
    assert browser.run(said) == after, "without a script the same is said"


def test_the_way_of_an_interest_is_drawn(browser):
    browser.show("/user", id="u1")
    assert browser.run("return document.querySelectorAll('.plot .dot').length") == 12
    assert browser.run("return document.querySelectorAll('.plot .band').length") == 1
    browser.run("document.querySelector('.plot details').open = true")
    assert browser.run("return document.querySelector('.plot details table').offsetHeight") > 0


def test_everything_useful_works_without_scripts(browser):
    browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.show("/user", id="u2", why="i3")
        from selenium.webdriver.common.by import By

        find = browser.driver.find_element
        assert "u2" in find(By.TAG_NAME, "h1").text
        find(By.ID, "why-item").clear()
        find(By.ID, "why-item").send_keys("i4")
        find(By.CSS_SELECTOR, "form[action='/user#why'] button").click()
        assert browser.seen(lambda: "i4" in find(By.ID, "why").text)
        find(By.ID, "theme").click()
        assert browser.seen(lambda: find(By.TAG_NAME, "html").get_attribute("data-theme") == "dark")
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_a_page_outlives_the_service(browser, settings, driver):
    """The service is started anew while a page is open: what the page leads to works again."""
    with serving(settings) as first:
        port = int(first.url.rpartition(":")[2])
        driver.get(f"{first.url}/user?id=u3")
    with serving(settings, port):
        browser.run("document.getElementById('theme').click()")
        browser.run("document.querySelector('.list a[href*=\"why=\"]').click()")
        said = browser.seen(lambda: browser.run("return document.getElementById('why').innerText"))
        assert "Why this user" in said
    browser.complaints(), browser.asked_elsewhere()  # it was another server


@pytest.mark.parametrize("width", [1280, 375])
def test_pages_can_be_printed(browser, width):
    browser.show("/user", id="u1", width=width, theme="dark")
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    hidden = browser.run("return getComputedStyle(document.querySelector('.top')).display")
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert hidden == "none"
