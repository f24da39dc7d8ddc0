"""By keyboard alone: from the start page to what u2 likes and why an item was recommended."""

from selenium.webdriver.common.keys import Keys


def test_three_steps_to_why(browser):
    """Search, why of the first recommendation: two steps; why of any item: the third."""
    browser.show("/")
    browser.press(Keys.TAB)
    assert browser.focused == "Skip to the content"
    browser.tab_to("q")
    browser.press("u2", Keys.ENTER)  # the first
    assert browser.seen(lambda: browser.run("return document.querySelector('h1').innerText").endswith("u2"))
    assert browser.run("return document.querySelectorAll('.bar-row').length") > 3
    browser.tab_to("Why ")
    browser.press(Keys.ENTER)  # the second
    why = "return document.getElementById('why').innerText"
    assert "Why this user would" in browser.seen(lambda: browser.run(why))
    browser.tab_to("why-item", 120)
    browser.press(Keys.CONTROL + "a")
    browser.press("i7", Keys.ENTER)  # the third
    assert browser.seen(lambda: "i7" in browser.run(why))


def test_the_focus_can_be_seen_and_goes_in_order(browser):
    browser.show("/user", id="u1")
    last, seen = -1.0, 0
    for _ in range(12):
        browser.press(Keys.TAB)
        style, top = browser.run(
            "const one = document.activeElement; const box = one.getBoundingClientRect();"
            "return [getComputedStyle(one).outlineStyle, box.top + scrollY]"
        )
        assert style != "none", browser.focused
        seen += top >= last - 60
        last = top
    assert seen >= 11


def test_the_theme_is_a_button_for_the_keyboard(browser):
    browser.show("/", theme="light")
    browser.tab_to("Dark")
    browser.press(Keys.SPACE)
    assert browser.run("return document.documentElement.dataset.theme") == "dark"
    browser.press(Keys.ENTER)
    assert browser.run("return document.documentElement.dataset.theme") == "light"


def test_skipping_to_the_content(browser):
    browser.show("/model")
    browser.press(Keys.TAB, Keys.ENTER)
    assert browser.run("return document.activeElement.id") == "main"


def test_the_numbers_behind_a_chart_open_by_keyboard(browser):
    browser.show("/model")
    browser.tab_to("Show the numbers")
    browser.press(Keys.ENTER)
    assert browser.run("return document.querySelectorAll('details[open] table').length") == 1
