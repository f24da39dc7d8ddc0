"""A real server with a small model, and headless Chromium before it.

Without Chromium these tests are skipped, with ``PENCHANT_REQUIRE_BROWSER=1`` they fail. ``PENCHANT_AXE`` names
axe.min.js (`make axe` brings it).
"""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from serving import Live, serving

from penchant import Penchant, simulate, split_random
from penchant.dynamics.events import Event
from penchant.service import ServiceSettings

REQUIRED = os.environ.get("PENCHANT_REQUIRE_BROWSER", "") not in ("", "0")
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage",
    "--hide-scrollbars", "--force-prefers-reduced-motion", "--enable-unsafe-swiftshader", "--use-angle=swiftshader",
)  # fmt: skip


@pytest.fixture(scope="session")
def settings(tmp_path_factory) -> ServiceSettings:
    """Of a service with a model of simulated likes and a store, in which u1 and somebody new have events."""
    where = tmp_path_factory.mktemp("browser")
    train, valid = split_random(simulate(n_users=60, n_items=80, n_interactions=2400, rng=4).tables, (0.8, 0.2), rng=1)
    Penchant(epochs=3, rng=1).fit(train, valid).save(where / "m.penchant")
    return ServiceSettings(
        model=str(where / "m.penchant"),
        store=f"sqlite:///{where / 'e.db'}",
        maps=str(where / "maps"),
        log_level="error",
        deadline_s=120,  # a test machine may be busy
        patience_s=5.0,
    )


@pytest.fixture(scope="session")
def live(settings) -> Iterator[Live]:
    with serving(settings) as one:
        one.service.models.serving.first.model.observe(
            Event(id=f"{who}{n}", user=who, item=f"i{n}", label=int(n % 3 > 0), time=1.7e9 + 86_400 * n)
            for who in ("u1", "somebody new")
            for n in range(1, 13)
        )
        yield one


class Browser:
    """Chromium, and what it saw."""

    def __init__(self, driver: Any, url: str) -> None:
        self.driver, self.url = driver, url

    def show(self, path: str, *, width: int = 1280, language: str = "en", theme: str = "light", **query: str) -> None:
        """Open a page of the service."""
        self.sized(width)
        self.driver.get(f"{self.url}{path}?{urlencode({**query, 'lang': language, 'theme': theme})}")
        if path == "/map":
            self.until("return document.getElementById('map').dataset.ready")

    def sized(self, width: int, height: int = 900) -> None:
        """A window of this size; narrow ones are of a phone."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    def run(self, script: str, *values: Any) -> Any:
        """What a script gives."""
        return self.driver.execute_script(script, *values)

    def until(self, script: str, *values: Any) -> Any:
        """What a script gives as soon as it gives something; within a minute."""
        from selenium.webdriver.support.ui import WebDriverWait

        return WebDriverWait(self.driver, 60, 0.05).until(lambda _: self.run(script, *values))

    def seen(self, look: Callable[[], Any], seconds: float = 60.0) -> Any:
        """What is seen once something is; while a page changes under the eyes it is looked at again."""
        from selenium.common.exceptions import WebDriverException
        from selenium.webdriver.support.wait import WebDriverWait

        return WebDriverWait(self.driver, seconds, 0.1, ignored_exceptions=[WebDriverException]).until(lambda _: look())

    def complaints(self) -> list[str]:
        """Whatever came to the console since the last time."""
        return [one["message"] for one in self.driver.get_log("browser")]

    def asked_elsewhere(self) -> list[str]:
        """Requests since the last time that went to another server."""
        messages = [json.loads(one["message"])["message"] for one in self.driver.get_log("performance")]
        sent = [one["params"]["request"]["url"] for one in messages if one["method"] == "Network.requestWillBeSent"]
        return [one for one in sent if not one.startswith((self.url, "data:", "blob:"))]

    def press(self, *keys: str) -> None:
        """Keys, to whatever has the focus."""
        from selenium.webdriver import ActionChains

        for key in keys:
            ActionChains(self.driver).send_keys(key).perform()

    @property
    def focused(self) -> str:
        """What the focus is on, for people: its name, or its text."""
        return self.run(
            "const one = document.activeElement;"
            "return one.getAttribute('aria-label') || one.innerText || one.id || one.name"
        )

    def tab_to(self, name: str, most: int = 80) -> None:
        """Press Tab until the focus is on what begins so."""
        from selenium.webdriver.common.keys import Keys

        for _ in range(most):
            self.press(Keys.TAB)
            if self.focused.startswith(name):
                return
        raise AssertionError(f"{name!r} cannot be reached by Tab")


@pytest.fixture(scope="session")
def driver() -> Iterator[Any]:
    paths = [shutil.which(name) for name in ("chromium", "chromedriver")]
    if not all(paths):
        if REQUIRED:
            pytest.fail("chromium and chromedriver are required and not there")
        pytest.skip("chromium and chromedriver are not there")
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = str(paths[0])
    for flag in FLAGS:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    own = webdriver.Chrome(options=options, service=webdriver.ChromeService(str(paths[1])))
    own.set_page_load_timeout(120)
    yield own
    own.quit()


@pytest.fixture
def browser(driver, live) -> Iterator[Browser]:
    """Chromium without cookies, before the service; nothing may be on its console at the end, nor asked elsewhere."""
    driver.delete_all_cookies()
    own = Browser(driver, live.url)
    own.complaints(), own.asked_elsewhere()
    yield own
    assert own.complaints() == []
    assert own.asked_elsewhere() == []


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core."""
    path = os.environ.get("PENCHANT_AXE", "")
    if not path or not Path(path).is_file():
        if REQUIRED:
            pytest.fail("PENCHANT_AXE has to name axe.min.js: make axe")
        pytest.skip("PENCHANT_AXE does not name axe.min.js: make axe")
    return Path(path).read_text(encoding="utf-8")
