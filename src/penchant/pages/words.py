"""What pages say, in English and 简体中文. Templates hold the English text, ``words/<language>.json`` the others.

A text is looked up by itself: ``_("{n} users", n=3)``. What has no translation stays English; a test finds it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

__all__ = ["LANGUAGES", "Words", "catalog", "choose_language"]

LANGUAGES = {"en": "English", "zh": "简体中文"}
"""Tag of each language, with its name for itself."""
TAGS = {"en": "en", "zh": "zh-Hans"}
"""As HTML's ``lang`` has them."""

_FOLDER = Path(__file__).parent / "words"


@cache
def catalog(language: str) -> Mapping[str, str]:
    """English text to text in a language; nothing for English itself."""
    if language == "en":
        return {}
    texts: dict[str, str] = json.loads((_FOLDER / f"{language}.json").read_text(encoding="utf-8"))
    return texts


@dataclass(frozen=True, slots=True)
class Words:
    """The texts of a language."""

    language: str = "en"
    """Of `LANGUAGES`."""

    def __call__(self, text: str, /, **values: Any) -> Markup:
        """A text with its values; these are escaped, unless they are markup already."""
        found = escape(catalog(self.language).get(text, text))
        return found.format(**values) if values else found

    def said(self, text: str) -> Markup:
        """A sentence that the library made: in the language where it is there, else marked as English."""
        found = catalog(self.language).get(text)
        if found is not None or self.language == "en":
            return escape(text if found is None else found)
        return Markup('<span lang="en">{}</span>').format(text)

    def several(self, *texts: str) -> dict[str, str]:
        """English text to text, for scripts."""
        own = catalog(self.language)
        return {text: own.get(text, text) for text in texts}


def choose_language(asked: str | None, kept: str | None, accept: str) -> str:
    """The language of a page: as asked for, else as kept from earlier, else the browser's, else English.

    Arguments:
        accept: the header Accept-Language, such as ``zh-CN,zh;q=0.9,en;q=0.8``.
    """
    for wanted in (asked, kept):
        if wanted in LANGUAGES:
            return str(wanted)
    best = max(_weighed(accept), key=lambda one: one[1], default=("en", 1.0))
    return best[0]


def _weighed(accept: str) -> list[tuple[str, float]]:
    found = []
    for part in accept[:400].split(","):
        tag, _, weight = part.partition(";")
        language = tag.strip().lower().partition("-")[0]
        if language in LANGUAGES:
            try:
                found.append((language, float(weight.strip().removeprefix("q=") or 1)))
            except ValueError:
                continue
    return [one for one in found if one[1] > 0]
