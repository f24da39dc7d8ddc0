"""The map in a real browser: every control in both languages, by keyboard alone, hostile names, without a server."""

import base64

import numpy as np
import pytest
from pictures import HOSTILE, picture
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from penchant.pages.map_file import map_page
from penchant.pages.words import Words
from penchant.service.problems import Refused

READY = "return document.getElementById('map')?.dataset.ready"


def js(driver, script, *given):
    return driver.execute_script(script, *given)


def by(driver, css):
    return driver.find_element(By.CSS_SELECTOR, css)


def shown(driver, css):
    return [one for one in driver.find_elements(By.CSS_SELECTOR, css) if one.is_displayed()]


def until(driver, script):
    return WebDriverWait(driver, 60, 0.05).until(lambda one: js(one, script))


@pytest.fixture
def file(tmp_path, driver):
    """A map opened as a file: nothing may be on the console at the end, and nothing asked of anyone."""

    def opened(one=None, query="", ready=READY, **options):
        path = tmp_path / "a map.html"
        path.write_text(map_page(picture() if one is None else one, **options), encoding="utf-8")
        driver.get(path.as_uri() + query)
        until(driver, ready)
        return driver

    driver.get_log("browser")
    yield opened
    assert driver.get_log("browser") == []
    assert js(driver, "return performance.getEntriesByType('resource').length") == 0


def find(driver, text):
    js(driver, "document.getElementById('map-q').value = ''")
    by(driver, "#map-q").send_keys(text, Keys.ENTER)


def pick(driver, css, value):
    js(driver, "const s = document.querySelector(arguments[0]); s.value = arguments[1]; "
       "s.dispatchEvent(new Event('change', { bubbles: true }))", css, value)  # fmt: skip


def drag(driver, x, y, dx, dy):
    stage = by(driver, "#map-stage")
    ActionChains(driver, duration=30).move_to_element_with_offset(stage, x, y).click_and_hold().move_by_offset(
        dx, dy
    ).release().perform()


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_control_once(browser, lang):
    say, driver = Words(lang), browser.driver
    browser.show("/map", language=lang)
    for control in ("#map-colour", "#map-size"):
        for option in [one.get_attribute("value") for one in by(driver, control).find_elements(By.TAG_NAME, "option")]:
            pick(driver, control, option)
            assert shown(driver, "#map-legend > *")
    number = js(driver, "return penchantMap.colours.findIndex((one) => one.kind === 'number')")
    pick(driver, "#map-colour", str(number))
    by(driver, "[data-key='end 0']").send_keys(Keys.ARROW_RIGHT * 30)
    by(driver, "[data-key='end 1']").send_keys(Keys.ARROW_LEFT * 30)
    assert 0 < js(driver, "return penchantMap.points.shown") < js(driver, "return penchantMap.map.n")
    pick(driver, "#map-colour", "0")
    by(driver, "[data-key='none']").click()
    assert js(driver, "return penchantMap.points.shown") == 0
    by(driver, "[data-key='all']").click()
    by(driver, ".map-legend button").click()
    assert by(driver, ".map-legend button").get_attribute("aria-pressed") == "false"
    by(driver, ".map-legend button").click()
    for box in ("#map-items", "#map-users", "#map-names"):
        by(driver, box).click()
        by(driver, box).click()
    assert js(driver, "return penchantMap.points.shown === penchantMap.map.n")
    for button in driver.find_elements(By.CSS_SELECTOR, ".map-tools button"):
        button.click()
    user = js(driver, "return String(penchantMap.map.ids[penchantMap.map.side.indexOf(1)])")
    find(driver, user)
    assert user in by(driver, "#map-chosen-name").text
    near, ball = (next(one for one in shown(driver, "#map-chosen button") if one.text == str(say(text))) for text in
                  ("Nearest", "Show the ball"))  # fmt: skip
    near.click()
    until(driver, "return document.querySelectorAll('#map-near li').length >= 12")
    ball.click()
    until(driver, "return penchantMap.inside !== null")
    by(driver, "#map-near button").click()
    assert js(driver, "return penchantMap.inside === null")
    by(driver, "#map-chosen .close").click()
    assert not shown(driver, "#map-chosen")
    by(driver, "[data-zoom='0']").click()
    by(driver, "[data-mode='box']").click()
    drag(driver, -250, -200, 500, 400)
    until(driver, "return penchantMap.selection.points.length > 0")
    for button in shown(driver, "#map-selected button.main"):
        button.click()
        until(driver, "return document.querySelector('.map-group .bars, .map-group .warn')")
        assert not shown(driver, ".map-group .warn")
        js(driver, "document.querySelector('.map-group').replaceChildren()")
    js(
        driver,
        "const make = URL.createObjectURL; URL.createObjectURL = (blob) => { window.saved = blob; return make(blob); }",
    )
    next(one for one in shown(driver, "#map-selected button") if one.text == str(say("Save the ids as a file"))).click()
    lines = driver.execute_async_script("window.saved.text().then(arguments[0])").split("\r\n")
    assert len(lines) == js(driver, "return penchantMap.selection.points.length") + 2
    for part in ("#map-clusters-part", "#map-view-part", "#map-selected details"):
        by(driver, f"{part} summary").click()
    by(driver, "#map-clusters button").click()
    until(driver, "return document.querySelector('#map-view button')")
    js(driver, "document.querySelector('#map-view button').click()")
    assert shown(driver, "#map-chosen")


def test_by_keyboard_alone(browser):
    driver = browser.driver
    browser.show("/map")
    browser.tab_to("map-q")
    user = js(driver, "return String(penchantMap.map.ids[penchantMap.map.side.indexOf(1)])")
    driver.switch_to.active_element.send_keys(user[:1])
    driver.switch_to.active_element.send_keys(Keys.ARROW_DOWN)
    driver.switch_to.active_element.send_keys(Keys.ARROW_DOWN)
    assert js(driver, "return document.activeElement.closest('#map-found') !== null")
    driver.switch_to.active_element.send_keys(Keys.ENTER)
    assert driver.switch_to.active_element.get_attribute("id") == "map-chosen-name"
    driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    assert not shown(driver, "#map-chosen")
    js(driver, "document.getElementById('map-stage').focus()")
    stage = driver.switch_to.active_element
    look = "const { x, y, scale } = penchantMap.points.view; return [x, y, scale]"
    for key in (Keys.ARROW_LEFT, Keys.ARROW_UP, "+", "-", Keys.ARROW_RIGHT, Keys.ARROW_DOWN):
        before = js(driver, look)
        stage.send_keys(key)
        assert js(driver, look) != before, key
    stage.send_keys("0", Keys.ENTER)
    assert shown(driver, "#map-chosen")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_hostile_names_are_names(file, lang):
    driver = file(picture(600, words=300), lang=lang)
    found = js(driver, """
        const { map } = penchantMap;
        return arguments[0].map((id, i) => {
          penchantMap.find(id);
          penchantMap.choose(map.at[map.side[i]].get(id), true);
          return document.querySelector('#map-chosen-name [dir]').textContent;
        });""", list(HOSTILE))  # fmt: skip
    assert found == [f"name of {one}" if k % 2 else one for k, one in enumerate(HOSTILE)]
    for option in range(4):
        pick(driver, "#map-colour", str(option))
    js(driver, "document.querySelectorAll('details').forEach((one) => (one.open = true))")
    assert js(driver, "return window.broken") is None
    assert js(driver, "return document.querySelectorAll('main img, main b, main i').length") == 0
    assert js(driver, "return penchantMap.stage.clientWidth") > 200


def test_ten_thousand_tags(file):
    driver = file(picture(30_000, words=10_000))
    pick(driver, "#map-colour", "2")
    assert len(driver.find_elements(By.CSS_SELECTOR, ".map-legend li")) <= 31
    by(driver, "[data-key='more']").click()
    assert len(driver.find_elements(By.CSS_SELECTOR, ".map-legend li")) > 200


def test_a_line_selects_what_is_inside(file):
    driver = file(picture(2000))
    line = [[-3.5, -2], [1, -1], [3.4, 2.2], [0.3, 0.4], [-2, 3], [-1, 0]]
    got = js(driver, "return Array.from(penchantMap.points.grid.within(arguments[0]))", line)
    x, y = (np.frombuffer(base64.b64decode(picture(2000)[axis]), "<f4").astype(float) for axis in "xy")
    turns = np.zeros(2000)  # the angle under which the line is seen, all around: 2 pi times how often it goes round
    for (ax, ay), (bx, by_) in zip(line, line[1:] + line[:1], strict=True):
        a, b = np.arctan2(ay - y, ax - x), np.arctan2(by_ - y, bx - x)
        turns += np.angle(np.exp(1j * (b - a)))
    assert got == np.flatnonzero(np.round(turns / (2 * np.pi)) % 2 != 0).tolist()
    near = js(driver, "return penchantMap.points.grid.around(0.5, 0.5, 25)")
    apart = np.hypot(x - 0.5, y - 0.5)
    assert np.sort(apart[near]).tolist() == np.sort(apart)[:25].tolist()


def test_both_painters_draw_the_same_and_a_lost_card_is_made_up_for(file):
    pictures = {}
    for painter in ("cpu", "gl"):
        driver = file(picture(300), query=f"?painter={painter}")
        js(driver, "penchantMap.overlay.names = false; penchantMap.points.draw()")
        pictures[painter] = colours_at_points(driver)
    if js(driver, "return document.getElementById('map').dataset.ready") != "WebGL2":
        pytest.skip("this browser has no WebGL2")
    assert np.abs(pictures["cpu"] - pictures["gl"]).max() < 40
    js(driver, "penchantMap.points.painter.gl.getExtension('WEBGL_lose_context').loseContext()")
    until(driver, "return penchantMap.points.painter.name === 'canvas'")
    assert np.abs(colours_at_points(driver) - pictures["cpu"]).max() < 40
    driver.get_log("browser")  # Chromium's hints that WebGL is slow without a card


def colours_at_points(driver):
    """The colour in the middle of each point that nothing else lies on."""
    return np.array(js(driver, """
        const { points, map } = penchantMap;
        points.view.fit(); points.draw();
        const copy = document.createElement('canvas');
        [copy.width, copy.height] = [points.canvas.width, points.canvas.height];
        const context = copy.getContext('2d', { willReadFrequently: true });
        context.drawImage(points.canvas, 0, 0);
        const alone = [];
        for (let i = 0; i < map.n; i++) {
          if (points.grid.around(map.x[i], map.y[i], 2).length < 2) continue;
          const [, other] = points.grid.around(map.x[i], map.y[i], 2);
          const apart = Math.hypot(map.x[i] - map.x[other], map.y[i] - map.y[other]) * points.view.scale;
          if (apart > 2.5 * points.radius) alone.push(i);
        }
        return alone.map((i) => {
          const at = points.view.toPixel(map.x[i], map.y[i]).map((v) => Math.floor(v * points.ratio));
          return Array.from(context.getImageData(...at, 1, 1).data).slice(0, 3);
        });""")).astype(int)  # fmt: skip


def test_no_points_and_one_point(file):
    assert js(file(picture(1, clusters=1)), "return penchantMap.points.shown") == 1
    said = "return document.getElementById('map-state-text').textContent.includes('nothing to draw')"
    assert js(file(picture(0, clusters=0), ready=said), "return document.getElementById('map-colour').disabled")


def test_while_it_is_drawn_and_when_the_service_is_away(browser, live, monkeypatch):
    driver, real, drawing = browser.driver, live.service.atlas.find, [True]

    def find_map(loaded, wait_s=0.0):
        if drawing[0]:
            raise Refused(503, "drawing", more={"progress": 0.25})
        return real(loaded, wait_s)

    monkeypatch.setattr(live.service.atlas, "find", find_map)
    driver.get(f"{browser.url}/map?user=u2")
    browser.until("return document.getElementById('map-progress').value === 0.25")
    assert shown(driver, "#map-progress")
    drawing[0] = False
    browser.until(READY)
    assert "u2" in by(driver, "#map-chosen-name").text
    assert browser.complaints() == []
    offline = {"offline": True, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    driver.execute_cdp_cmd("Network.enable", {})
    driver.execute_cdp_cmd("Network.emulateNetworkConditions", offline)
    shown(driver, "#map-chosen .inline button")[0].click()
    browser.until("return !document.getElementById('map-notice').hidden")
    assert "does not answer" in by(driver, "#map-notice").text
    driver.execute_cdp_cmd("Network.emulateNetworkConditions", {**offline, "offline": False})
    shown(driver, "#map-chosen .inline button")[0].click()
    browser.until("return document.querySelectorAll('#map-near li').length > 0")
    assert not shown(driver, "#map-notice")
    assert browser.complaints()  # of the connection that was away


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_file_fits_a_phone_and_takes_the_system_theme(file, driver, theme):
    phone = {"width": 375, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    media = {"features": [{"name": "prefers-color-scheme", "value": theme}]}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    try:
        file(picture(600, words=300))
        js(driver, "penchantMap.choose(0); document.querySelectorAll('details').forEach((one) => (one.open = true))")
        assert js(driver, "return document.documentElement.scrollWidth") <= 375
        dark = sum(js(driver, "return penchantMap.points.ground")) < 300
        assert dark == (theme == "dark")
    finally:
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {**phone, "width": 1280, "mobile": False})
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
