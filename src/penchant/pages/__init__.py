"""Pages for people: templates, styles, scripts, words in two languages, charts. Values go in, HTML comes out.

It needs Jinja2, which comes with the extra ``serve``: ``pip install penchant[serve]``.
"""

from penchant.pages.rendering import View, render
from penchant.pages.static import STATIC, static_bytes, static_url
from penchant.pages.words import LANGUAGES, Words, choose_language

__all__ = ["LANGUAGES", "STATIC", "View", "Words", "choose_language", "render", "static_bytes", "static_url"]
