"""The same 100,000 points as pages of other libraries, to stand beside ours: plotly's scattergl, regl-scatterplot."""

import base64
import json
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from plotly.offline import get_plotlyjs

__all__ = ["plotly_page", "regl_page"]

_HUES = ("#256ba6", "#db6306", "#13a289", "#a83b57", "#9969f4", "#3b3e15", "#5f105f", "#292aad")
_HEAD = "<!doctype html><meta charset='utf-8'><style>html,body{margin:0}#place{width:886px;height:580px}</style>"
_SEEN = "requestAnimationFrame(() => requestAnimationFrame(() => { window.firstPicture = performance.now(); }));"
"""Two frames on, the browser has shown what was drawn."""
_PACKED = ("regl-scatterplot", "regl", "pub-sub-es")


def _arrays(picture: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    x, y = (np.frombuffer(base64.b64decode(picture[axis]), "<f4") for axis in "xy")
    return x, y, np.frombuffer(base64.b64decode(picture["cluster"]), "<i2")


def plotly_page(picture: Mapping[str, Any]) -> str:
    """Plain plotly, one file with the script inside: x, y, colour, and labels for hovering."""
    x, y, cluster = _arrays(picture)
    colours = [_HUES[c % 8] for c in range(8)]
    scale = [[c / 7, hue] for c, hue in enumerate(colours)]
    marker = {"size": 3, "color": {"dtype": "i1", "bdata": _packed((cluster % 8).astype("i1"))}, "colorscale": scale}
    trace = {
        "type": "scattergl", "mode": "markers", "text": picture["labels"], "hoverinfo": "text", "marker": marker,
        "x": {"dtype": "f4", "bdata": _packed(x)}, "y": {"dtype": "f4", "bdata": _packed(y)},
    }  # fmt: skip
    layout = {"dragmode": "pan", "width": 886, "height": 580, "margin": {"l": 0, "r": 0, "t": 0, "b": 0}}
    box = [float(x.min()), float(x.max()), float(y.min()), float(y.max())]
    script = f"""
const place = document.getElementById("place");
const box = {box};
Plotly.newPlot(place, [{_json(trace)}], {_json(layout)}).then(() => {{ window.finish(); {_SEEN} }});
window.finish = () => {{
  const gl = place.querySelector("canvas.gl-canvas-context").getContext("webgl");
  gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
}};
window.move = (k) => {{
  const [dx, dy] = [(box[1] - box[0]) * 0.1 * Math.sin(k / 20), (box[3] - box[2]) * 0.1 * Math.cos(k / 20)];
  const [x, y] = [[box[0] + dx, box[1] + dx], [box[2] + dy, box[3] + dy]];
  return Plotly.relayout(place, {{ "xaxis.range": x, "yaxis.range": y }});
}};"""
    return f'{_HEAD}<div id="place"></div><script>{get_plotlyjs()}</script><script>{script}</script>'


def regl_page(picture: Mapping[str, Any], folder: Path) -> str:
    """regl-scatterplot; its packages are fetched by npm into ``folder``.

    Raises: FileNotFoundError: npm is not here, or gives them not.
    """
    pub, regl, plot = (_script(name, file, folder) for name, file in zip(
        ("pub-sub-es", "regl", "regl-scatterplot"), ("index.js", "regl.min.js", "regl-scatterplot.min.js"), strict=True
    ))  # fmt: skip
    x, y, cluster = _arrays(picture)
    half = max(float(np.abs(x).max()), float(np.abs(y).max()))
    script = f"""
const read = (text, Kind) => new Kind(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
const canvas = document.querySelector("canvas");
const plot = createScatterplot.default({{ canvas, width: 886, height: 580, pointSize: 3, colorBy: "valueA",
  pointColor: {_json(list(_HUES))} }});
window.finish = () => {{
  const gl = canvas.getContext("webgl") ?? plot.get("regl")._gl;
  plot.get("regl")._gl.readPixels(0, 0, 1, 1, gl?.RGBA ?? 6408, 5121, new Uint8Array(4));
}};
window.move = (k) => {{
  const view = Float32Array.from(start);
  view[12] += 0.1 * Math.sin(k / 20);
  view[13] += 0.1 * Math.cos(k / 20);
  plot.set({{ cameraView: view }});
}};
let start;
const points = {{ x: read("{_packed(x / half)}", Float32Array), y: read("{_packed(y / half)}", Float32Array),
  valueA: read("{_packed((cluster % 8).astype("<f4"))}", Float32Array) }};
plot.draw(points).then(() => {{ start = plot.get("cameraView"); window.finish(); {_SEEN} }});"""
    begin = f"<script>{regl}</script><script type='module'>{pub}\nglobalThis.createPubSub = createPubSub;</script>"
    rest = f"<script type='module'>const module = undefined;\n{plot}\n{script}</script>"
    return f'{_HEAD}<div id="place"><canvas width="886" height="580"></canvas></div>{begin}{rest}'


def _script(name: str, file: str, folder: Path) -> str:
    place = folder / name
    if not place.exists():
        try:
            asked = ["npm", "pack", "--silent", name]
            done = subprocess.run(asked, cwd=folder, check=True, timeout=120, capture_output=True)
        except (OSError, subprocess.SubprocessError) as error:
            raise FileNotFoundError(f"{name} is not to be had from npm ({error})") from error
        with tarfile.open(folder / done.stdout.decode().split()[-1]) as packed:
            packed.extractall(place, filter="data")
    return (place / "package" / "dist" / file).read_text().replace("</script", "<\\/script")


def _packed(values: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode()


def _json(value: Any) -> str:
    return json.dumps(value).replace("<", "\\u003c")
