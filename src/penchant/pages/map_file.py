"""The map as one HTML file: scripts, styles and points inside, nothing loaded from anywhere, no server needed.

Its policy allows just the one script and the one style sheet that are in it, by their hashes; data cannot become code.
"""

import base64
import hashlib
import html
import re
from collections.abc import Mapping
from typing import Any

from penchant.errors import ConfigError
from penchant.pages._bundle import bundle
from penchant.pages.rendering import View, render
from penchant.pages.static import static_bytes
from penchant.pages.words import LANGUAGES

__all__ = ["FRAME_LIMIT", "map_frame", "map_page"]

FRAME_LIMIT = 8_000_000
"""Characters of a map that a notebook shows; each output is kept in the notebook's file."""
_HEIGHT = 820

_STYLE = re.compile(r'<link rel="stylesheet" href="inside:([\w.]+)">')
_SCRIPT = re.compile(r'<script type="module" src="inside:([\w.]+)"></script>')
_ICON = re.compile(r'<link rel="icon"[^>]*>\n?')
_CHARSET = '<meta charset="utf-8">'


def map_page(map_dict: Mapping[str, Any], *, lang: str = "en", title: str | None = None) -> str:
    """A page that shows a map, for a file.

    Arguments:
        map_dict: the map's JSON form (`penchant.maps`), "penchant.map/1".
        lang: of `LANGUAGES`.
        title: heading of the page; None: that of every map.

    Raises: ConfigError: a language that is not there.
    """
    if lang not in LANGUAGES:
        raise ConfigError(f"lang = {lang!r}: one of {', '.join(LANGUAGES)} expected")
    view = View(language=lang, path="/map", model=str(map_dict["model"])[:12], live=False, static="inside:{}".format)
    values = {"map_data": map_dict, "heading": title or "", "chosen": {"side": "", "id": ""}}
    page, _, data = render("map.html", values, view).partition('<script type="application/json" id="map-data">')
    data, _, rest = data.partition("</script>")
    page, style = _filled(page, _STYLE, _style, "style")
    rest, script = _filled(rest, _SCRIPT, bundle, "script")
    policy = f"default-src 'none'; script-src {script}; style-src {style}; base-uri 'none'; form-action 'none'"
    meta = f'{_CHARSET}\n<meta http-equiv="content-security-policy" content="{policy}">'
    page = _ICON.sub("", page).replace(_CHARSET, meta, 1)
    return f'{page}<script type="application/json" id="map-data">{data}</script>{rest}'


def map_frame(map_dict: Mapping[str, Any], *, lang: str = "en") -> str:
    """The map as an HTML fragment for a notebook: a frame with the page in it, shut off from the notebook's own page.

    A map with more than `FRAME_LIMIT` characters is not put into a notebook; the fragment says what to do.
    """
    page = map_page(map_dict, lang=lang)
    if len(page) > FRAME_LIMIT:
        return (
            f"<p>A map of {map_dict['n']:,} points is too large for a notebook ({len(page) / 1e6:.0f} MB). "
            "<code>penchant map MODEL --html map.html</code> writes it as a file.</p>"
        )
    return (
        f'<iframe title="Map" sandbox="allow-scripts allow-downloads" srcdoc="{html.escape(page)}" '
        f'width="100%" height="{_HEIGHT}" style="border: 0"></iframe>'
    )


def _filled(page: str, tags: re.Pattern[str], content: Any, element: str) -> tuple[str, str]:
    """The page with what its tags name inside, and the hashes of that for the policy."""
    hashes = []

    def fill(found: re.Match[str]) -> str:
        text = content(found[1])
        hashes.append(_hash(text))
        kind = ' type="module"' if element == "script" else ""
        return f"<{element}{kind}>{text}</{element}>"

    return tags.sub(fill, page), " ".join(hashes)


def _style(name: str) -> str:
    return static_bytes(name).decode()


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
