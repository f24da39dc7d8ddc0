"""Portraits and explanations, cut to what a page shows: rows of bars, effects, past likes. Plain values in and out."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from penchant.errors import ConfigError, SpaceError
from penchant.estimator.certifying import ranges_of
from penchant.estimator.fitted import Fitted, SideName, other_side
from penchant.estimator.portraying import Reach, radius_of
from penchant.estimator.queries import Asked
from penchant.portraits import in_words
from penchant.service.explorer.visiting import Visit
from penchant.service.models import Loaded

__all__ = [
    "REACHES", "bar_rows", "columns_of", "effects_of", "named", "named_row", "past_of", "proved_within", "reach_of",
]  # fmt: skip

REACHES = (5, 10, 25, 100)
"""How far around a point ranges may be asked for, in percent of the threshold."""
_REACH = 10

_MORE, _LESS = 10, 5
"""Bars of what is over- and under-represented."""
_ROWS = 200
"""Coordinates of a portrait, the most telling, that a page holds; fields of ten thousand tags have as many."""
_LONG = 80
"""Characters of a value; of more the beginning is shown."""
_EFFECTS = 12


def reach_of(visit: Visit) -> int:
    """The reach that a page was asked for, in percent of the threshold; one of `REACHES`."""
    given = visit.whole("reach", _REACH, 1, 100)
    return min(REACHES, key=lambda reach: abs(reach - given))


def proved_within(fitted: Fitted, side: SideName, asked: Asked, reach: int) -> list[dict[str, Any]] | None:
    """What the decoder says anywhere within so many percent of the threshold of one who was found; None: nothing can be
    proved."""
    try:
        far, point = Reach(distance=fitted.calibration.threshold * reach / 100), asked.points[0].cpu().numpy()
        radius = radius_of(fitted, other_side(side), point, far).distance
        return ranges_of(fitted, side, asked, [radius])[0].to_dicts()
    except (ConfigError, SpaceError):
        return None


def bar_rows(portrait: Mapping[str, Any], ranges: Iterable[Mapping[str, Any]] | None) -> dict[str, Any]:
    """A portrait's coordinates as bars.

    Returns:
        ``rows``: the most telling coordinates, the most over-represented first: feature, value, share, low, high (of
        the interval), population, lift, number (is it a number's level, whose words are in ``text``?), and of the
        decoder decoded, proved_low, proved_high, found_low, found_high, or None where nothing could be proved;
        ``more``: how many were left out; ``shown``: how many of the first, and ``last``, how many of the last of the
        rows are worth a bar.
    """
    proved = {(one["feature"], one["value"]): one for one in ranges or ()}
    telling = portrait["features"][:_ROWS]  # the largest difference first
    rows = [_bar(one, portrait, proved.get((one["feature"], one["value"]))) for one in telling]
    rows.sort(key=lambda row: -row["difference"])
    few = len(rows) <= _MORE + _LESS
    shown = {"shown": len(rows) if few else _MORE, "last": 0 if few else _LESS}
    return {"rows": rows, "more": len(portrait["features"]) - len(rows), **shown}


def _bar(one: Mapping[str, Any], portrait: Mapping[str, Any], proved: Mapping[str, Any] | None) -> dict[str, Any]:
    number = one["lift"] is None and one["value"] == one["feature"]
    ranges = {"decoded": "decoded", "proved_low": "low", "proved_high": "high"}
    ranges |= {name: name for name in ("found_low", "found_high")}
    return {
        **one,
        "number": number,
        "text": portrait["typical"].get(one["feature"]) if number else None,
        "usual": portrait["population"].get(one["feature"]) if number else None,
        **{name: None if proved is None else proved[own] for name, own in ranges.items()},
    }


def effects_of(explanation: Mapping[str, Any], key: str | None) -> dict[str, Any]:
    """An explanation's effects as bars, tags one by one in place of their field.

    Arguments:
        key: the column of the item's id, whose effect is what the model learned of this very item.

    Returns: ``effects``: what brings the item closest first, with ``itself`` where it is the id's; ``past``: the same
    of the user's history; ``largest``: the largest of them all, by its size.
    """
    tagged = {one["field"] for one in explanation["effects"] if one["tag"] is not None}
    own = [one for one in explanation["effects"] if one["tag"] is not None or one["field"] not in tagged]
    effects = sorted(({**one, "itself": one["field"] == key} for one in own[:_EFFECTS]), key=lambda one: one["effect"])
    past = sorted(explanation["history"][:_EFFECTS], key=lambda one: one["effect"])
    largest = max((abs(one["effect"]) for one in (*effects, *past)), default=0.0)
    return {"effects": effects, "past": past, "largest": largest or 1.0}


def columns_of(loaded: Loaded, side: SideName, who: Any) -> list[dict[str, Any]]:
    """What a table says of somebody, column by column, in words, and as a flag where it is yes or no; nothing of one
    who is in no table."""
    fitted = loaded.fitted
    row = int(fitted.known[side].vocabulary.find([who])[0])
    if row < 0:
        return []
    values = fitted.known[side].frame.row(row, named=True)
    key = fitted.schema.user_id if side == "user" else fitted.schema.item_id
    fields = [one for one in fitted.schema.side(side) if one.name in values and one.name != key]
    return [
        {"name": one.heading, "value": _short(in_words(values[one.name])), "flag": _flag(values[one.name])}
        for one in fields
        if values[one.name] is not None
    ]


def _flag(value: Any) -> bool | None:
    """Yes or no, where the value is one of them."""
    return value if isinstance(value, bool) else None


def _short(text: str) -> str:
    return text if len(text) <= _LONG else text[: _LONG - 1] + "…"


def past_of(loaded: Loaded, side: SideName, who: Any, most: int) -> dict[str, Any]:
    """What a user met in the training rows, or who met an item: how many, and the first of them.

    Returns: ``liked`` and ``disliked``: each ``n`` and ``some``, a list of {"id", "name"}.
    """
    fitted, other = loaded.fitted, other_side(side)
    row = int(fitted.known[side].vocabulary.find([who])[0])
    pairs = fitted.seen.filter(fitted.seen[side] == row)
    found = {}
    for name, kept in (("liked", pairs["liked"]), ("disliked", ~pairs["liked"])):
        rows = pairs.filter(kept)[other].to_numpy()
        found[name] = {"n": len(rows), "some": named(loaded, other, rows[:most])}
    return found


def named(loaded: Loaded, side: SideName, rows: Sequence[int] | np.ndarray) -> list[dict[str, str]]:
    """Id and name, as text, of known rows."""
    fitted, rows = loaded.fitted, np.asarray(rows, dtype=np.int64)
    ids, names = fitted.known[side].vocabulary.take(rows).to_list(), fitted.names(side, rows).to_list()
    return [_id_and_name(one, name) for one, name in zip(ids, names, strict=True)]


def named_row(fitted: Fitted, side: SideName, row: Mapping[str, Any]) -> dict[str, str]:
    """Id and name, as text, of a row that has them by their columns."""
    return _id_and_name(row[fitted.key(side)], row.get(fitted.name_column(side) or ""))


def _id_and_name(one: Any, name: Any) -> dict[str, str]:
    return {"id": str(one), "name": str(one if name is None else name)}
