"""What verbs say: tables for people, JSON for machines, files that are there whole or not at all."""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from rich.console import Console
from rich.table import Table
from rich.text import Text

from penchant.errors import ConfigError
from penchant.storage import write_atomic

if TYPE_CHECKING:
    from penchant.portraits.page import Shown

__all__ = ["SUFFIXES", "check_out", "console", "say", "show_answer", "show_frame", "show_json", "write_frame"]

_FLOAT = "{:.4f}"
_WIDE = 160
"""Columns of text where the output is no terminal."""
_SHOWN = 100
"""Rows of a table that are shown; files hold all."""


def _written(write: Callable[[pl.DataFrame, io.BytesIO], Any]) -> Callable[[pl.DataFrame], bytes]:
    def to_bytes(frame: pl.DataFrame) -> bytes:
        buffer = io.BytesIO()
        write(frame, buffer)
        return buffer.getvalue()

    return to_bytes


SUFFIXES: dict[str, Callable[[pl.DataFrame], bytes]] = {
    ".csv": _written(lambda frame, file: frame.write_csv(file)),
    ".tsv": _written(lambda frame, file: frame.write_csv(file, separator="\t")),
    ".parquet": _written(lambda frame, file: frame.write_parquet(file)),
    ".arrow": _written(lambda frame, file: frame.write_ipc(file)),
    ".json": _written(lambda frame, file: frame.write_json(file)),
    ".ndjson": _written(lambda frame, file: frame.write_ndjson(file)),
}
"""How a table is written, by the file's suffix."""


def check_out(path: Path | None, suffixes: tuple[str, ...] = tuple(SUFFIXES), *, option: str = "--out") -> None:
    """Refuse a file that cannot be written, before the work and not after it; ``option`` is what named it.

    Raises:
        ConfigError: an unknown suffix, or no such folder.
    """
    if path is None:
        return
    if path.suffix.lower() not in suffixes:
        raise ConfigError(f"{option} {path}: one of {', '.join(suffixes)} expected")
    if not path.parent.is_dir():
        raise ConfigError(f"{option} {path}: there is no folder {path.parent}")


def write_frame(frame: pl.DataFrame, path: Path) -> None:
    """Write a table in the form that the suffix names, beside its place, then renamed."""
    write_atomic(path, SUFFIXES[path.suffix.lower()](frame))
    say(f"{frame.height:,} rows written to {path}")


def show_frame(frame: pl.DataFrame, *, title: str, out: Path | None, as_json: bool) -> None:
    """Give a table: to the file where one is named, else as JSON rows, else as a table for people."""
    if out is not None:
        write_frame(frame, out)
    if as_json:
        print(frame.write_json())
    elif out is None:
        console().print(_table(frame.head(_SHOWN), title))
        if frame.height > _SHOWN:
            say(f"… {frame.height - _SHOWN:,} rows more: write them all with --out")


def show_json(value: Any) -> None:
    """One JSON value on standard output; what JSON has no form for (dates) as text."""
    print(json.dumps(value, ensure_ascii=False, default=str))


def show_answer(answer: "Shown", *, out: Path | None, as_json: bool) -> None:
    """Give an answer: to an HTML or JSON file where one is named, else as JSON, else in words and bars."""
    if out is not None:
        form = answer.to_page() if out.suffix.lower() == ".html" else answer.to_json()
        write_atomic(out, form.encode())
        say(f"{answer.title}: written to {out}")
    if as_json:
        print(answer.to_json())
    elif out is None:
        console().print(answer)


def say(text: str) -> None:
    """A line for people, on standard error: standard output holds results alone."""
    print(text, file=sys.stderr)


def console() -> Console:
    """Where tables are drawn; wide where nobody's screen is the limit."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else _WIDE)


def _table(frame: pl.DataFrame, title: str) -> Table:
    table = Table(
        title=Text(title, style="italic"), title_justify="left", box=None, header_style="bold", pad_edge=False
    )
    for name, kind in frame.schema.items():
        table.add_column(Text(name), justify="right" if kind.is_numeric() else "left", overflow="fold")
    for row in frame.iter_rows():
        table.add_row(*(Text(_cell(value)) for value in row))
    return table


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _FLOAT.format(value) if isinstance(value, float) else str(value)
