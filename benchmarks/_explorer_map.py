"""The map in a real browser: how soon 100,000 points are seen, and how many pictures a second while they are moved.

Chromium without a graphics card (SwiftShader draws WebGL). The first picture counts from the start of the navigation
until the browser has shown a frame with all points; pictures a second are counted by requestAnimationFrame while the
map moves, each read back, so that none is only begun. Pages take turns, round by round, in a fresh browser each time.
Beside the clock stands what all processes of the browser computed, which other work on the machine disturbs less.
"""

import base64
import contextlib
import http.server
import os
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from _explorer_pages import plotly_page, regl_page
from _results import Row, median_over

from penchant.pages.map_file import map_page
from penchant.pages.rendering import View, render
from penchant.pages.static import STATIC, static_bytes
from penchant.service._json import dump

__all__ = ["CASE", "browser", "made_up_map", "map_100k"]

CASE = "map 100k"
POINTS = 100_000
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--enable-unsafe-swiftshader",
    "--use-angle=swiftshader", "--window-size=1280,900",
)  # fmt: skip
_SECONDS, _WARM = 4.0, 1.5
"""How long pictures are counted, and how long before that they are not, while the script is compiled."""

_WATCH = """
const look = () => {
  const ready = document.getElementById("map")?.dataset.ready;
  if (ready === undefined) return requestAnimationFrame(look);
  const { points } = window.penchantMap;
  points.painter.finish();
  window.finish = () => points.painter.finish();
  window.move = (k) => { points.pan(6 * Math.cos(k / 20), 6 * Math.sin(k / 20)); points.draw(); };
  requestAnimationFrame(() => requestAnimationFrame(() => { window.firstPicture = performance.now(); }));
};
requestAnimationFrame(look);
"""
"""In our page before its own scripts: when it was seen, and how to move it."""

_PAN = """
const [seconds, done] = arguments;
const began = performance.now();
let pictures = 0;
const next = async () => {
  await window.move(pictures++);
  window.finish();
  const gone = (performance.now() - began) / 1000;
  if (gone < seconds) requestAnimationFrame(next);
  else done([pictures, gone]);
};
requestAnimationFrame(next);
"""


def map_100k(rounds: int = 3, n: int = POINTS) -> tuple[list[Row], list[str]]:
    """Rows of the case, and what a reader must know."""
    picture = made_up_map(n)
    notes: list[str] = []
    with tempfile.TemporaryDirectory() as folder, _served(picture) as url:
        pages = {"penchant": _written(folder, "map", map_page(picture)), "penchant served": f"{url}/map"}
        pages["penchant WebGL2 by software"] = pages["penchant"] + "?painter=gl"
        pages["plotly scattergl"] = _written(folder, "plotly", plotly_page(picture))
        try:
            pages["regl-scatterplot"] = _written(folder, "regl", regl_page(picture, Path(folder)))
        except FileNotFoundError as error:
            notes.append(f"Not measured: {error}.")
        runs: dict[str, list[dict[str, float]]] = {name: [] for name in pages}
        for _ in range(rounds):
            for name, address in pages.items():
                runs[name].append(_measured(address))
    rows = [row for name, found in runs.items() for row in median_over(CASE, name, found)]
    return rows, notes


def _measured(address: str) -> dict[str, float]:
    with browser() as driver:
        driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": _WATCH})
        root = driver.service.process.pid
        began = _computed(root)
        driver.get(address)
        first = _until(lambda: driver.execute_script("return window.firstPicture ?? null"))
        there = _computed(root)
        driver.execute_async_script(_PAN, _WARM)
        moved = _computed(root)
        pictures, gone = driver.execute_async_script(_PAN, _SECONDS)
        return {
            "first_picture_s": first / 1000,
            "frames_per_s": pictures / gone,
            "first_picture_cpu_s": there - began,
            "frame_cpu_s": (_computed(root) - moved) / pictures,
        }


def _computed(root: int) -> float:
    """Seconds that the processes below one have computed so far (Linux)."""
    below: dict[int, list[tuple[int, float]]] = {}
    for one in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = one.read_text().rpartition(") ")[2].split()
            ticks = int(fields[11]) + int(fields[12])
            below.setdefault(int(fields[1]), []).append((int(one.parent.name), ticks / os.sysconf("SC_CLK_TCK")))
    total, left = 0.0, [root]
    while left:
        for process, seconds in below.get(left.pop(), ()):
            total += seconds
            left.append(process)
    return total


def _until(found: Callable[[], float | None], seconds: float = 120.0) -> float:
    event = threading.Event()
    for _ in range(int(seconds / 0.05)):
        value = found()
        if value is not None:
            return value
        event.wait(0.05)
    raise TimeoutError(f"no picture within {seconds:g} s")


@contextlib.contextmanager
def browser() -> Iterator[Any]:
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in FLAGS:
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService("/usr/bin/chromedriver"))
    driver.set_script_timeout(60)
    try:
        yield driver
    finally:
        driver.quit()


def _written(folder: str, name: str, page: str) -> str:
    path = Path(folder) / f"{name}.html"
    path.write_text(page, encoding="utf-8")
    return path.as_uri()


@contextlib.contextmanager
def _served(picture: Mapping[str, Any]) -> Iterator[str]:
    """The page as the service has it, its files, and the map as JSON."""
    values = {"chosen": {"side": "", "id": ""}, "heading": ""}
    view = View(path="/map", static=lambda name: f"/static/0/{name}")
    answers = {
        "/map": (render("map.html", values, view).encode(), "text/html"),
        "/map/state.json": (b'{"ready": true}', "application/json"),
        "/v1/map": (dump(picture), "application/json"),
    }
    answers |= {f"/static/0/{name}": (static_bytes(name), kind) for name, kind in STATIC.items()}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content, kind = answers.get(self.path, (b"", ""))
            self.send_response(200 if kind else 404)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None: ...

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()


def _packed(values: np.ndarray, kind: str) -> str:
    return base64.b64encode(values.astype(kind).tobytes()).decode()


def made_up_map(n: int, *, clusters: int = 40, seed: int = 0) -> dict[str, Any]:
    """A map in the form penchant.map/1 with clusters as t-SNE draws them: round, of many sizes, side by side."""
    rng = np.random.default_rng(seed)
    side = (rng.random(n) < 0.25).astype(int)
    weight = rng.pareto(1.5, clusters) + 0.3
    cluster = rng.choice(clusters, n, p=weight / weight.sum())
    size = np.bincount(cluster, minlength=clusters)
    turn, reach = 2.4 * np.arange(clusters), 16 * np.sqrt(np.arange(clusters) + 0.5)
    spread = 0.065 * np.sqrt(size + 1) * np.sqrt(50_000 / n)
    away = spread[cluster] * np.sqrt(rng.random(n)) * (1 + 0.15 * rng.normal(size=n))
    angle = 2 * np.pi * rng.random(n)
    x = (reach * np.cos(turn))[cluster] + away * np.cos(angle) * 3
    y = (reach * np.sin(turn))[cluster] + away * np.sin(angle) * 3
    return {
        "form": "penchant.map/1", "model": "made-up", "metric": {"norm": 2.0, "cap": 1.0, "threshold": 0.4},
        "method": "tsne", "n": n, "x": _packed(x, "<f4"), "y": _packed(y, "<f4"), "side": _packed(side, "u1"),
        "ids": [f"{'u' if s else 'a'}{i}" for i, s in enumerate(side)],
        "labels": [f"{'Reader' if s else 'Story'} number {i}" for i, s in enumerate(side)],
        "cluster": _packed(np.where(rng.random(n) < 0.1, -1, cluster), "<i2"),
        "clusters": [_cluster(c, int(size[c]), x[cluster == c], y[cluster == c]) for c in range(clusters)],
        "columns": _columns(rng, side, cluster),
        "quality": {"trustworthiness": 0.962, "trustworthiness_of_openTSNE": 0.97, "knn_preservation": 0.41, "k": 15,
                    "sampled": 5000},
    }  # fmt: skip


_TOPICS = ("support guides", "match reports", "recipes", "city news", "science", "travel", "reviews", "interviews")
_LENGTHS = ("short", "long", "with pictures", "for beginners", "in Chinese")


def _cluster(c: int, size: int, x: np.ndarray, y: np.ndarray) -> dict[str, Any]:
    name = f"{_TOPICS[c % 8]} · {_LENGTHS[c // 8]}"
    trait = {"column": "topic", "value": _TOPICS[c % 8], "share": 0.8, "elsewhere": 0.12}
    place = (float(x.mean()), float(y.mean())) if size else (0.0, 0.0)
    return {"name": name, "size": size, "x": place[0], "y": place[1], "traits": [trait]}


def _columns(rng: np.random.Generator, side: np.ndarray, cluster: np.ndarray) -> list[dict[str, Any]]:
    n = len(side)
    topic = np.where(rng.random(n) < 0.85, cluster % 8, rng.integers(0, 8, n))
    words = [*_TOPICS, *(f"topic {i}" for i in range(9, 60))]
    topic = np.where(rng.random(n) < 0.05, rng.integers(8, 59, n), topic)
    length = np.exp(rng.normal(6, 0.8, n)).astype("f4")
    age = np.where(side == 1, 18 + 50 * (length % 1), np.nan)
    likes = rng.pareto(1.1, n).astype("f4") * 10
    return [
        {"name": "topic", "side": "item", "kind": "category", "values": _packed(np.where(side == 1, -1, topic), "<i2"),
         "words": words},
        {"name": "age", "side": "user", **_number(age), "unit": "years"},
        {"name": "length", "side": "item", **_number(np.where(side == 0, length, np.nan)), "unit": "words"},
        {"name": "likes", "side": "both", **_number(np.floor(np.minimum(likes, 900))), "unit": None},
        {"name": "uncertainty", "side": "both", **_number(0.02 + 0.2 * rng.random(n)), "unit": None},
    ]  # fmt: skip


def _number(values: np.ndarray) -> dict[str, Any]:
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    return {"kind": "number", "values": _packed(values, "<f4"), "low": low, "high": high}
