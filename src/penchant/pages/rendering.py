"""Values and a template to a page. Everything is escaped; a value that is not there is an error, not a blank."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from penchant.pages import charts
from penchant.pages.static import static_url
from penchant.pages.words import LANGUAGES, TAGS, Words

__all__ = ["NAVIGATION", "TEMPLATES", "View", "environment", "render", "url"]

TEMPLATES = Path(__file__).parent / "templates"

NAVIGATION = (
    ("/", "Start"),
    ("/map", "Map"),
    ("/what-if", "What-if"),
    ("/draft", "Draft an item"),
    ("/model", "Model"),
)
"""Path and English name of what every page leads to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What a page is shown as, beside its values."""

    language: str = "en"
    """Of `LANGUAGES`."""
    theme: str = ""
    """light, dark, or nothing: as the system has it."""
    path: str = "/"
    """Of the page."""
    query: tuple[tuple[str, str], ...] = ()
    """Of the page, without what only says how it is shown."""
    model: str = ""
    """Name of the model that is served."""
    paths: frozenset[str] = frozenset(path for path, _ in NAVIGATION)
    """Pages that there are: navigation leads to no other."""
    signed_in: bool = False
    """Is there a key to be given back?"""
    live: bool = True
    """Is there a service to ask? A page that is a file of its own has none, and so no search and no navigation."""
    static: Callable[[str], str] = static_url
    """Name of a static file to its address."""

    def here(self, /, **changes: Any) -> str:
        """The address of this page, shown otherwise."""
        kept = [(name, value) for name, value in self.query if name not in changes]
        return url(self.path, *kept, **changes)

    def twin(self) -> str:
        """The address of this page's values as JSON."""
        return url("/start.json" if self.path == "/" else f"{self.path}.json", *self.query)


def url(path: str, /, *pairs: Sequence[str], **query: Any) -> str:
    """A path with its query, encoded: pairs, of which names may be there several times, then values by name; what is
    None is left out. Any id is legal in it."""
    given: list[tuple[str, Any]] = [(name, value) for name, value in pairs]
    given += ((name, value) for name, value in query.items() if value is not None)
    return f"{path}?{urlencode(given)}" if given else path


def render(template: str, values: Mapping[str, Any], view: View = View()) -> str:
    """A page as HTML.

    Arguments:
        template: its file's name.
        values: plain values by name, as the page's JSON has them.
        view: language, theme, address.

    Raises: jinja2.UndefinedError: the template names a value that is not there.
    """
    words = Words(view.language)
    shown = {
        "view": view,
        "_": words,
        "said": words.said,
        "words": _block(words),
        "navigation": _navigation(view, words),
    }
    return environment().get_template(template).render({**values, **shown})


def _navigation(view: View, words: Words) -> list[dict[str, Any]]:
    there = [(path, name) for path, name in NAVIGATION if path in view.paths]
    return [{"path": path, "name": words(name), "here": path == view.path} for path, name in there]


def _block(words: Words) -> Callable[..., Markup]:
    def block(*texts: str) -> Markup:
        """The texts that a page's script shows, as JSON; scripts never hold texts themselves."""
        return embedded(words.several(*texts), "words")

    return block


def embedded(value: Any, name: str) -> Markup:
    """A value as JSON that a script reads by the element's id; it is data, so no policy has to allow it."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    for sign in "<>&":  # nothing in it can end the element
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(f'<script type="application/json" id="{name}">{text}</script>')


class _Environment(Environment):
    """Jinja2 for values as JSON has them: ``model.items`` is what the page says of items, not dict's method."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        """A dictionary's value first, an attribute else."""
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)


@cache
def environment() -> Environment:
    """Jinja2 with our filters and functions; templates come with the package."""
    made = _Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters |= {
        "percent": percent, "fixed": fixed, "count": count, "joined": joined, "signed": signed, "day": day,
    }  # fmt: skip
    made.globals |= {
        "url": url, "embedded": embedded, "languages": LANGUAGES, "tags": TAGS, "charts_of": charts,
    }  # fmt: skip
    return made


NOTHING = "–"
"""In the place of a value that there is none of."""


def percent(share: float | None, digits: int = 0) -> str:
    """A share in [0, 1] as ``62 %``; small ones as ``< 1 %``."""
    if share is None:
        return NOTHING
    if 0 < share < 0.5 * 10 ** -(2 + digits):
        return f"< {10.0**-digits:g}\u202f%"
    return f"{100 * share:.{digits}f}\u202f%"


def fixed(value: float | None, digits: int = 2) -> str:
    """A number with so many digits after the point."""
    return NOTHING if value is None else f"{value:.{digits}f}".replace("-", "−")


def signed(value: float | None, digits: int = 2) -> str:
    """The same with its sign."""
    return NOTHING if value is None else f"{value:+.{digits}f}".replace("-", "−")


def count(value: float | None) -> str:
    """A whole number, its thousands apart."""
    return NOTHING if value is None else f"{value:,.0f}".replace(",", "\u202f")


def joined(values: Iterable[Any], most: int = 0) -> str:
    """Values in a row; of many the first, and how many more there are."""
    every = [str(value) for value in values]
    if most and len(every) > most:
        return ", ".join(every[:most]) + f", … (+{len(every) - most})"
    return ", ".join(every) or NOTHING


def day(time: str | None) -> str:
    """A time in ISO's form, its day and minute."""
    return NOTHING if not time else str(time)[:16].replace("T", " ")
