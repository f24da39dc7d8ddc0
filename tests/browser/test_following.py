"""Drafts and what-ifs in a real browser: everything moves, the answer follows, and outlives the service."""

import json

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait
from serving import serving

PAGES = [
    ("/item", {"id": "i1"}),
    ("/draft", {}),
    ("/what-if", {"id": "u1"}),
    ("/what-if", {"item": "i1"}),
    ("/what-if", {}),
]
SLIDE = """
const one = document.querySelector("input.slide");
one.value = arguments[0];
one.dispatchEvent(new Event("input", {bubbles: true}));
"""
MORE = "return document.querySelectorAll('#answer .bars .proved').length > 2"


@pytest.mark.parametrize(("language", "theme", "width"), [("en", "light", 1280), ("zh", "dark", 375)])
@pytest.mark.parametrize(("path", "query"), PAGES, ids=str)
def test_pages_fit_and_every_control_can_be_used(browser, path, query, language, theme, width):
    browser.show(path, width=width, language=language, theme=theme, **query)
    assert browser.run("return document.documentElement.scrollWidth") <= width
    heading = browser.run("return document.querySelector('h1').innerText")
    assert path == "/item" or any("\u4e00" <= one <= "\u9fff" for one in heading) == (language == "zh")
    for details in browser.driver.find_elements(By.CSS_SELECTOR, "main details"):
        details.find_element(By.TAG_NAME, "summary").click()
        assert details.get_attribute("open")
    browser.run("for (const one of document.querySelectorAll('#form .chip input')) one.click();")
    browser.run("""
        for (const one of document.querySelectorAll("#form input.slide")) {
          one.value = one.max; one.dispatchEvent(new Event("input", {bubbles: true}));
        }
        for (const one of document.querySelectorAll("#form select")) {
          one.selectedIndex = 1; one.dispatchEvent(new Event("input", {bubbles: true}));
        }
    """)
    if path != "/item":
        browser.until("return performance.getEntriesByName('penchant:step').length && location.search.includes('f.')")
        browser.until(MORE)
        assert browser.run("return document.querySelectorAll('[aria-invalid]').length") == 0
        assert browser.run("return document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(("path", "query"), [("/what-if", {"id": "u2"}), ("/draft", {})])
def test_a_slider_moves_and_the_answer_the_address_and_the_summary_follow(browser, path, query):
    browser.show(path, **query)
    before = browser.run("return document.querySelector('[data-summary]').innerText")
    for place in (3, 30, 0):
        browser.run(SLIDE, place)
    browser.until("return location.search.includes('f.')")
    browser.until(MORE)
    field = browser.run("return document.querySelector('input.slide').dataset.of")
    value = browser.run("return document.getElementById(arguments[0]).value", field)
    browser.until("return location.search.includes(encodeURIComponent(arguments[0]))", value)
    said = browser.until("return document.querySelector('[data-said]').textContent")
    assert said != before or path == "/draft"
    browser.driver.refresh()
    assert browser.run("return document.getElementById(arguments[0]).value", field) == value


def test_start_anew_and_another_language_keep_what_they_should(browser):
    browser.show("/what-if", id="u2")
    browser.run(SLIDE, 0)
    browser.until("return location.search.includes('f.')")
    browser.driver.find_element(By.CSS_SELECTOR, "a[hreflang]").click()
    browser.until("return document.documentElement.lang === 'zh-Hans'")
    assert "f." in browser.run("return location.search")
    browser.driver.find_element(By.CSS_SELECTOR, "[data-reset]").click()
    browser.until("return location.search === '?id=u2'")


def test_what_is_wrong_is_said_at_its_field_and_the_last_answer_stays(browser):
    browser.show("/draft")
    field = browser.driver.find_element(By.CSS_SELECTOR, "#form .slide-row input[type=text]")
    answer = browser.run("return document.getElementById('answer').innerText")
    field.send_keys("many")
    browser.until("return document.querySelector('[aria-invalid]')")
    note = browser.run(
        "return document.getElementById(document.querySelector('[aria-invalid]').id + '-note').innerText"
    )
    assert "“many” is no number" in note
    assert browser.run("return document.getElementById('answer').innerText") == answer
    assert "Correct what is marked" in browser.run("return document.querySelector('[data-state]').innerText")
    field.clear()
    field.send_keys("5")
    browser.until("return !document.querySelector('[aria-invalid]')")
    browser.until("return document.querySelector('[data-state]').innerText === ''")


def test_by_keyboard_alone(browser):
    browser.show("/what-if", id="u2")
    slide = browser.run("return document.querySelector('input.slide').getAttribute('aria-label')")
    browser.tab_to(slide)
    before = browser.run("return document.activeElement.getAttribute('aria-valuetext')")
    browser.press(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert browser.run("return document.activeElement.getAttribute('aria-valuetext')") != before
    browser.until("return location.search.includes('f.')")
    assert browser.focused == slide, "the answer takes no focus"
    browser.tab_to("Copy the link")
    browser.press(Keys.ENTER)
    assert browser.until("return document.getElementById('link').value").endswith(browser.run("return location.search"))


def test_it_works_without_scripts(browser):
    browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.show("/draft")
        browser.driver.find_element(By.CSS_SELECTOR, "#form .slide-row input[type=text]").send_keys("7")
        browser.driver.find_element(By.CSS_SELECTOR, "[data-show]").click()
        WebDriverWait(browser.driver, 20).until(lambda driver: "f." in driver.current_url)
        assert browser.driver.find_element(By.CSS_SELECTOR, "#answer .bars").is_displayed()
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_a_form_outlives_the_service(browser, settings, driver):
    """Away: it is said, and tried again by itself; what was filled in is answered then."""
    with serving(settings) as first:
        port = int(first.url.rpartition(":")[2])
        driver.get(f"{first.url}/what-if?id=u3")
        browser.until("return document.querySelector('[data-show]').hidden")
    browser.run(SLIDE, 1)
    browser.until("return document.querySelector('[data-state]').innerText.includes('does not answer')")
    with serving(settings, port):
        browser.until("return location.search.includes('f.')")
        browser.until("return document.querySelector('[data-state]').innerText === ''")
        driver.get("about:blank")
    browser.complaints(), browser.asked_elsewhere()  # it was another server, and away


REFUSED = """
const [status, after, body] = arguments;
const real = window.fetch;
window.fetch = (...asked) => {
  window.fetch = real;
  return Promise.resolve(new Response(body, {status, headers: {"retry-after": after}}));
};
"""


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_service_is_asked_again_when_it_says(browser, status):
    browser.show("/what-if", id="u2")
    browser.run(REFUSED, status, "1", "{}")
    browser.run(SLIDE, 0)
    browser.until("return document.querySelector('[data-state]').innerText.includes('Next try in 1 s')")
    browser.until("return location.search.includes('f.')")


def test_what_the_service_refuses_is_said_at_the_field_that_it_names(browser):
    browser.show("/what-if", id="u2")
    name = browser.run("return document.querySelector('[data-field]').dataset.field")
    browser.run(REFUSED, 422, "", json.dumps({"errors": [{"field": f"/{name}", "message": "<b>too old</b>"}]}))
    browser.run(SLIDE, 0)
    browser.until("return document.querySelector('[data-field] .note').innerText.includes('<b>too old</b>')")
    assert browser.run("return document.querySelector('[data-field] [aria-invalid]') !== null")
    browser.run(SLIDE, 1)
    browser.until("return document.querySelector('[aria-invalid]') === null")
