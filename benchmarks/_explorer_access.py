"""Can everyone use the pages? axe-core over every page, in both languages, themes and widths, of a MovieLens model."""

import os
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from pathlib import Path
from urllib.parse import urlencode

from _explorer_map import browser
from _results import Row, over
from _service_servers import penchant

from penchant import Penchant, movielens_100k, split_random

__all__ = ["accessibility"]

_CASE = "accessibility"
_PAGES = (
    ("/", {}), ("/search", {"q": "star"}), ("/user", {"id": "42", "why": "7"}), ("/item", {"id": "50"}),
    ("/draft", {"f.year": "1995"}), ("/what-if", {"id": "42"}), ("/map", {}), ("/model", {}), ("/forget", {"id": "42"}),
    ("/login", {}), ("/user", {"id": "nobody"}),
)  # fmt: skip
_LOOKS = (("en", "light", 1280), ("en", "dark", 375), ("zh", "light", 375), ("zh", "dark", 1280))
_RUN = """
const done = arguments[arguments.length - 1];
document.querySelectorAll('details').forEach((one) => { one.open = true; });
axe.run(document, {resultTypes: ['violations']}).then(({violations}) => done(violations.map((one) => one.impact)));
"""
_PATIENCE_S = 120.0


def accessibility() -> tuple[list[Row], list[str]]:
    """Findings of axe-core by their weight, over all pages and looks.

    Raises: FileNotFoundError: ``PENCHANT_AXE`` does not name axe.min.js (`make axe`).
    """
    axe = Path(os.environ.get("PENCHANT_AXE", "")).read_text(encoding="utf-8")
    found: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        train, valid, _ = split_random(movielens_100k(), rng=0)
        Penchant(epochs=5, rng=0).fit(train, valid).save(f"{folder}/m.penchant")
        words = ("--store", f"sqlite:///{folder}/e.db", "--maps", f"{folder}/maps")
        with penchant(Path(folder) / "m.penchant", *words, one_core=False) as (url, _), browser() as driver:
            _drawn(url)
            for path, query in _PAGES:
                for language, theme, width in _LOOKS:
                    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
                    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
                    driver.get(f"{url}{path}?{urlencode({**query, 'lang': language, 'theme': theme})}")
                    time.sleep(0.5)  # what scripts add
                    driver.execute_cdp_cmd("Runtime.evaluate", {"expression": axe})
                    found.update(driver.execute_async_script(_RUN))
    weights = {weight: float(found[weight]) for weight in ("critical", "serious", "moderate", "minor")}
    views = {"pages looked at": float(len(_PAGES) * len(_LOOKS))}
    notes = ["axe-core 4.14.1, all its rules; two languages, themes and widths; what is folded is opened first."]
    return over(_CASE, "explorer", [weights | views]), notes


def _drawn(url: str) -> None:
    """Wait until the map is there."""
    end = time.monotonic() + _PATIENCE_S
    while True:
        try:
            urllib.request.urlopen(f"{url}/v1/map", timeout=10).close()
            return
        except urllib.error.HTTPError:
            if time.monotonic() > end:
                raise
            time.sleep(1.0)
