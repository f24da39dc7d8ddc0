"""Free text to terms: words, and pairs of neighbouring characters where a script has no blanks between its words."""

import re
import unicodedata
from collections.abc import Callable
from functools import partial

__all__ = ["Split", "splitter"]

Split = Callable[[str], list[str]]
"""A text to its terms, in order, repetitions included."""

_LONGEST = 40
"""Longer runs of letters are no words (keys, encoded files) and are left out."""
_PIECE = 3
"""Letters in a piece of a word."""

_UNSPACED = (
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # 中, か
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0eff\u1000-\u1049\u1050-\u109f\u1780-\u17d3"  # Thai, Lao, Burmese, Khmer
)
# marks that \w lacks, without which words of Arabic, Hebrew or the scripts of India would fall to pieces
_MARKS = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670"
    "\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed\u0900-\u0963\u0981-\u0983\u09bc-\u09cd\u0a01-\u0a75\u0abc-\u0acd"
    "\u0b01-\u0b57\u0b82-\u0bcd\u0c00-\u0c56\u0c81-\u0cd6\u0d00-\u0d57\u0dca-\u0ddf\u0f18-\u0fbc\u200c\u200d"
)
_EMOJI = "\u2600-\u27bf\U0001f1e6-\U0001f1ff\U0001f300-\U0001f3fa\U0001f400-\U0001faff"

_RUN = re.compile(f"[{_UNSPACED}]")
_PART = rf"\w[\w{_MARKS}]*"
_WORD = re.compile(rf"{_PART}(?:'{_PART})*|[{_EMOJI}]")
_PART = rf"(?![{_UNSPACED}])\w(?:(?![{_UNSPACED}])[\w{_MARKS}])*"
_MIXED = re.compile(rf"[{_UNSPACED}][{_UNSPACED}{_MARKS}]*|{_PART}(?:'{_PART})*|[{_EMOJI}]")


def splitter(analyzer: str | None) -> Split:
    """How a text becomes terms. Width and case of letters do not matter; punctuation is left out, emoji are terms.

    None        words; of scripts without blanks (Chinese, Japanese, Thai, …) each two neighbouring characters
    words       what stands between blanks and punctuation, in every script: for text whose words are cut already
    characters  each three neighbouring letters of a word, two where there are no blanks: for text full of slips

    Source: pairs of characters for Chinese: Nie, Gao, Zhang, Zhou, On the use of words and n-grams for Chinese
    information retrieval, IRAL 2000.
    Example:
        >>> splitter(None)("The BOSS's guide: 红烧肉 🍜!")
        ['the', "boss's", 'guide', '红烧', '烧肉', '🍜']
    """
    known: dict[str | None, Split] = {None: _mixed, "words": _words, "characters": partial(_mixed, piece=_PIECE)}
    return known[analyzer]


def _plain(text: str) -> str:
    """Full-width letters, ligatures and capitals as their plain ones."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).replace("\u2019", "'")


def _words(text: str) -> list[str]:
    return [word for word in _WORD.findall(_plain(text)) if len(word) <= _LONGEST]


def _mixed(text: str, piece: int | None = None) -> list[str]:
    text = _plain(text)
    runs = (_MIXED if _RUN.search(text) else _WORD).findall(text)
    found: list[str] = []
    for run in runs:
        if _RUN.search(run):
            found += _pieces(run, 2)
        elif len(run) <= _LONGEST:
            found += [run] if piece is None else [p for p in _pieces(run, piece) if _WORD.fullmatch(p)]
    return found


def _pieces(run: str, size: int) -> list[str]:
    return [run[start : start + size] for start in range(max(1, len(run) - size + 1))]
