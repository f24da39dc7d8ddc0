"""Users and items by their ids and names, as people type them."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import polars as pl

from penchant.estimator.fitted import SIDES, SideName
from penchant.service.models import Loaded

__all__ = ["Finder", "finder_of", "folded"]

_ALIKE = 5
_SIDE_WORDS: dict[SideName, tuple[str, ...]] = {"user": ("user", "用户"), "item": ("item", "物品")}
"""What may stand before an id to say whose it is."""


def folded(text: str) -> str:
    """Text as it is compared: without case and accents."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in apart if not unicodedata.combining(sign))


@dataclass(frozen=True)
class Finder:
    """The users and items of a model."""

    tables: dict[SideName, pl.DataFrame]
    """Of each side: id and name as text, folded (both, as they are compared)."""

    def exact(self, text: str) -> list[dict[str, Any]]:
        """Those whose id or name this is; a word before it may say which side is meant: "user 42"."""
        whole = [one for side in SIDES for one in self._where(side, pl.col("id") == text, 1)]
        if whole:
            return whole
        for side, words in _SIDE_WORDS.items():
            head, _, rest = text.partition(" ")
            if head.lower() in words and (found := self._where(side, pl.col("id") == rest.strip(), 1)):
                return found
        return [one for side in SIDES for one in self._where(side, pl.col("name") == text, 2)]

    def containing(self, text: str, side: SideName, n: int) -> list[dict[str, Any]]:
        """Those in whose id or name the text is; first those that begin with it."""
        wanted = folded(text)
        there = self.tables[side].filter(pl.col("folded").str.contains(wanted, literal=True))
        begins = pl.col("folded").str.starts_with(wanted) | pl.col("id").str.starts_with(text)
        return _told(there.sort(~begins, maintain_order=True).head(n), side)

    def suggested(self, text: str, n: int = 8) -> list[dict[str, Any]]:
        """What somebody who is still typing may mean, both sides in turn."""
        head, _, rest = text.partition(" ")
        for side, words in _SIDE_WORDS.items():
            if head.lower() in words and rest:
                return self.containing(rest.strip(), side, n)
        users, items = (self.containing(text, side, n) for side in SIDES)
        share = max(n // 2, n - len(items))
        return [*users[:share], *items[: n - len(users[:share])]]

    def alike(self, side: SideName, who: str) -> list[dict[str, Any]]:
        """Known ones that are spelled alike: what begins as ``who`` does, as far as possible."""
        for length in range(min(len(who), 40), 0, -1):
            found = self.containing(who[:length], side, _ALIKE)
            if found:
                return found
        return []

    def _where(self, side: SideName, condition: pl.Expr, n: int) -> list[dict[str, Any]]:
        return _told(self.tables[side].filter(condition).head(n), side)


def _told(frame: pl.DataFrame, side: SideName) -> list[dict[str, Any]]:
    return [{"side": side, "id": one, "name": name} for one, name in frame.select("id", "name").iter_rows()]


_FINDERS: "WeakKeyDictionary[Any, Finder]" = WeakKeyDictionary()


def finder_of(loaded: Loaded) -> Finder:
    """The finder of a model, made once; it goes when the model goes."""
    if loaded.model not in _FINDERS:
        _FINDERS[loaded.model] = Finder(dict(_tables(loaded)))
    return _FINDERS[loaded.model]


def _tables(loaded: Loaded) -> Iterator[tuple[SideName, pl.DataFrame]]:
    fitted = loaded.fitted
    for side in SIDES:
        known, name = fitted.known[side], fitted.name_column(side)
        ids = known.vocabulary.ids.cast(pl.String).alias("id")
        names = (
            ids if name is None or name not in known.frame.columns else known.frame[name].cast(pl.String).fill_null(ids)
        )
        both = [f"{one}" if one == said else f"{said} {one}" for one, said in zip(ids, names, strict=True)]
        yield side, pl.DataFrame({"id": ids, "name": names, "folded": [folded(one) for one in both]})
