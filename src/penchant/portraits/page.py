"""What shows itself, and a page around a piece of HTML: one file, no script, nothing loaded from elsewhere."""

import html
import json
from abc import ABC, abstractmethod
from typing import Any, ClassVar

from pydantic import TypeAdapter
from rich.console import Console, RenderableType

__all__ = ["Shown", "html_page"]

_STYLE = """
:root { color-scheme: light; --ink: #1c2a30; --soft: #5a6a70; --line: #d9e0e3; --accent: #1f6f8b; --mark: #b3261e; }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: #fff; max-width: 66rem; margin: 2rem auto;
  padding: 0 1rem; }
h1, h2, h3 { line-height: 1.2; } h1 { font-size: 1.7rem; } h2 { font-size: 1.25rem; margin-top: 2.5rem; }
table { border-collapse: collapse; } th, td { text-align: left; padding: .2rem .7rem .2rem 0; }
th { border-bottom: 1px solid var(--line); font-weight: 600; } td.number { text-align: right; }
small, figcaption, .soft { color: var(--soft); } figure { margin: 1rem 0; }
.columns { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 26rem), 1fr)); gap: 1rem 2.5rem; }
.columns > * { min-width: 0; }
.scroll { overflow-x: auto; }
@media print { body { max-width: none; margin: 0; } }
"""


def html_page(title: str, body: str, *, head: str = "") -> str:
    """A whole page: ``title`` as text, ``body`` and ``head`` as HTML."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style>{head}</head>\n<body>{body}</body></html>\n"
    )


class Shown(ABC):
    """An answer that people read on a terminal, in a notebook or on a page, and machines as JSON."""

    __slots__ = ()

    form: ClassVar[type]
    """The typed dictionary that `to_dict` gives (`penchant.portraits.forms`)."""

    @property
    @abstractmethod
    def title(self) -> str:
        """A heading."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Plain values, as in the JSON form."""

    @abstractmethod
    def to_html(self) -> str:
        """One self-contained HTML fragment without a script."""

    @abstractmethod
    def __rich__(self) -> RenderableType: ...

    def to_json(self) -> str:
        """The JSON form."""
        return json.dumps(self.to_dict(), ensure_ascii=False, default=str)

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """The JSON Schema (2020-12) of the JSON form."""
        return TypeAdapter(cls.form).json_schema()

    def to_page(self) -> str:
        """A whole HTML page, for a file."""
        return html_page(self.title, self.to_html())

    def _repr_html_(self) -> str:
        return self.to_html()

    def __str__(self) -> str:
        console = Console(width=100, color_system=None)
        with console.capture() as capture:
            console.print(self)
        return capture.get()
