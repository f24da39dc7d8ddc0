"""A draft of the schema from the tables: finds keys, label and display names, guesses the rest."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import polars as pl

from penchant.errors import Problem, SchemaError
from penchant.tables._field import SECTIONS, Field, Side, nearest
from penchant.tables._guess import SAMPLE, guess

__all__ = ["Names", "draft"]

# fmt: off
_USER = (
    "user_id", "user", "uid", "customer_id", "customer", "member_id", "account_id", "用户id", "用户",
)
_ITEM = (
    "item_id", "item", "iid", "movie_id", "article_id", "video_id", "product_id", "book_id", "song_id",
    "track_id", "game_id", "news_id", "post_id", "content_id", "doc_id", "sku", "movie", "article", "video",
    "product", "物品id", "物品", "文章id", "商品id", "视频id",
)
_LABEL = (
    "label", "liked", "like", "clicked", "click", "is_click", "target", "y", "标签", "是否喜欢", "点击",
)
_ANSWER = ("rating", "ratings", "score", "stars", "评分")
_TIME = ("timestamp", "time", "ts", "datetime", "date", "event_time", "created_at", "时间", "时间戳")
_WEIGHT = ("weight", "sample_weight", "w", "权重")
# fmt: on
_NAME: dict[Side, tuple[str, ...]] = {
    "user": ("nickname", "user_name", "display_name", "name", "昵称", "用户名"),
    "item": ("title", "item_name", "name", "headline", "movie_title", "标题", "名称"),
    "context": (),
}
_PREFIX: dict[Side, tuple[str, ...]] = {"user": ("user_", "u_"), "item": ("item_", "i_"), "context": ()}


class Names(NamedTuple):
    """The names that were given; None: to be found."""

    user_id: str | None = None
    item_id: str | None = None
    user: str | None = None
    item: str | None = None
    label: str | None = None
    time: str | None = None
    weight: str | None = None


def draft(
    tables: Mapping[Side, pl.DataFrame | None],
    flat: pl.DataFrame | None,
    names: Names,
    columns: tuple[Sequence[str] | None, Sequence[str] | None],
) -> dict[str, Any]:
    """The arguments of a `Schema`. See `Schema.infer`."""
    if (flat is None) == all(t is None for t in tables.values()):
        fix = "Give users, items and interactions, or flat"
        raise SchemaError([Problem("schema", "either separate tables or one flat table expected", fix=fix)])
    given = {**{SECTIONS[side]: frame for side, frame in tables.items()}, "flat": flat}
    strange = {name: frame for name, frame in given.items() if not isinstance(frame, pl.DataFrame | None)}
    if strange:
        fix = "Read it with penchant.tables.read_frame"
        raise SchemaError(
            Problem(name, f"a polars frame expected, got {type(frame).__name__}", fix=fix)
            for name, frame in strange.items()
        )
    return _separate(tables, names) if flat is None else _flat(flat, names, columns)


def _separate(tables: Mapping[Side, pl.DataFrame | None], names: Names) -> dict[str, Any]:
    pairs = tables["context"]
    user_id = _key("user", tables["user"], names.user_id, names.user, pairs)
    item_id = _key("item", tables["item"], names.item_id, names.item, pairs)
    found: dict[str, Any] = {"user_id": user_id, "item_id": item_id, "user": names.user, "item": names.item}
    fields: list[Field] = []
    notes: list[tuple[Side, str]] = []
    if pairs is not None:
        found["user"] = _reference("user", pairs, names.user, user_id, tables["user"])
        others = pairs if names.item == found["user"] else pairs.drop(found["user"])
        found["item"] = _reference("item", others, names.item, item_id, tables["item"])
    keys: tuple[tuple[Side, str | None], ...] = (("user", user_id), ("item", item_id))
    for side, key in keys:
        frame = tables[side]
        if frame is not None:
            found[f"{side}_name"] = _display(side, frame, key)
            used = {key, found[f"{side}_name"]}
            _side(side, frame, [c for c in frame.columns if c not in used], key, fields, notes)
        else:
            notes.append((side, f"no table of {SECTIONS[side]} was given"))
    if pairs is not None:
        used = {found["user"], found["item"]}
        rest = _answers(pairs, [c for c in pairs.columns if c not in used], names, found, notes)
        _side("context", pairs, rest, None, fields, notes)
    else:
        found |= {k: v for k in ("label", "time", "weight") if (v := getattr(names, k))}
        notes.append(("context", "no table of interactions was given"))
    given = {k: v for k, v in found.items() if v is not None}
    return {"fields": tuple(fields), "notes": tuple(notes), **given}


def _flat(
    flat: pl.DataFrame, names: Names, columns: tuple[Sequence[str] | None, Sequence[str] | None]
) -> dict[str, Any]:
    user_id = _named(flat, "flat", names.user_id or names.user) or _usual(flat.columns, _USER)
    item_id = _named(flat, "flat", names.item_id or names.item) or _usual(flat.columns, _ITEM)
    found: dict[str, Any] = {"user_id": user_id, "item_id": item_id}
    fields: list[Field] = []
    notes: list[tuple[Side, str]] = []
    rest = [c for c in flat.columns if c not in (user_id, item_id)]
    rest = _answers(flat, rest, names, found, notes)
    sides = _sides(flat, rest, (user_id, item_id), columns)
    keys: tuple[tuple[Side, str | None], ...] = (("user", user_id), ("item", item_id), ("context", None))
    for side, key in keys:
        mine = [c for c in rest if sides[c] == side]
        name = _display(side, flat.select(mine), None)
        rows = flat if key is None else flat.unique(key, keep="first", maintain_order=True)
        if name is not None:
            found[f"{side}_name"] = name
        _side(side, rows, [c for c in mine if c != name], key, fields, notes)
    nobody = [side for side, key in keys[:2] if key is None and not any(f.side == side for f in fields)]
    if nobody:
        raise SchemaError(
            Problem(
                "flat",
                f"neither a key nor a column of {SECTIONS[side]} was found",
                fix=f"Give {side}_id = … (the key), or {side}_columns = …",
            )
            for side in nobody
        )
    lost = "left out: whose it is cannot be told; put it under users or items"
    notes.extend(("context", f"{c!r} {lost}") for c in rest if sides[c] is None)
    given = {k: v for k, v in found.items() if v is not None}
    return {"fields": tuple(fields), "notes": tuple(notes), **given}


def _side(
    side: Side,
    frame: pl.DataFrame,
    columns: Iterable[str],
    key: str | None,
    fields: list[Field],
    notes: list[tuple[Side, str]],
) -> None:
    """Guess each column; fields and notes are added to the lists. The key comes first, as an id."""
    if key is not None:
        fields.append(Field(name=key, side=side, kind="id"))
    for name in columns:
        kind, options, note = guess(frame[name])
        if kind is not None:
            fields.append(Field(name=name, side=side, kind=kind, **options))
        if note is not None:
            notes.append((side, f"{name!r} {note}"))


def _answers(
    frame: pl.DataFrame,
    columns: list[str],
    names: Names,
    found: dict[str, Any],
    notes: list[tuple[Side, str]],
) -> list[str]:
    """Find label, time and weight among the columns; return the rest, less what repeats the answer."""
    label, time, weight = (_named(frame, "interactions", n) for n in (names.label, names.time, names.weight))
    open_ = [c for c in columns if c not in (label, time, weight)]
    label = label or _usual([c for c in open_ if _yes_no(frame[c])], _LABEL)
    if label is None:
        notes.append(("context", "no column of yes/no labels was found; make a column 'label' of 1 and 0"))
    time = time or _usual([c for c in open_ if c != label], _TIME)
    weight = weight or _usual([c for c in open_ if c not in (label, time)], _WEIGHT)
    found |= {"time": time, "weight": weight, **({"label": label} if label else {})}
    rest = []
    for c in columns:
        if c in (label, time, weight):
            continue
        if _plain(c) in map(_plain, (*_ANSWER, *_LABEL)):
            notes.append(("context", f"{c!r} left out: it looks like the answer itself"))
        else:
            rest.append(c)
    return rest


def _yes_no(column: pl.Series) -> bool:
    if column.dtype == pl.Boolean:
        return True
    return column.dtype.is_numeric() and bool(((column == 0) | (column == 1)).drop_nulls().all())


def _key(
    side: Side,
    frame: pl.DataFrame | None,
    given: str | None,
    reference: str | None,
    pairs: pl.DataFrame | None,
) -> str | None:
    """The key column: the name given, a usual one, one the interactions share, or the first unique one."""
    if frame is None:
        return given
    table = SECTIONS[side]
    usual = _USER if side == "user" else _ITEM
    found = _named(frame, table, given) or _usual(frame.columns, (*usual, "id"))
    shared = [reference] if reference else list(pairs.columns) if pairs is not None else []
    unique = (c for c in frame.columns if frame[c].dtype.is_integer() or frame[c].dtype == pl.String)
    unique = (c for c in unique if not frame[c].has_nulls() and frame[c].is_unique().all())
    if found is None:
        candidates = list(unique)
        found = next((c for c in candidates if c in shared), candidates[0] if candidates else None)
    if found is None:
        fix = f"Give {side}_id = … (the column), or add a column of ids"
        raise SchemaError(
            [Problem(table, "no key column was found: no column has a value of its own in each row", fix=fix)]
        )
    return found


def _reference(side: Side, pairs: pl.DataFrame, given: str | None, key: str | None, frame: pl.DataFrame | None) -> str:
    """The column of the interactions that holds a side's keys: by name, or else by shared values."""
    found = _named(pairs, "interactions", given)
    if found is None and key is not None and key in pairs.columns and _plain(key) != "id":
        found = key
    found = found or _usual(pairs.columns, _USER if side == "user" else _ITEM)
    if found is None and frame is not None and key is not None:
        sample = pairs.gather_every(max(1, len(pairs) // SAMPLE))
        known = frame[key].unique().implode()
        alike = [c for c in pairs.columns if pairs[c].dtype == frame[key].dtype and not _yes_no(pairs[c])]
        held = [c for c in alike if sample[c].is_in(known).sum() > 0.5 * len(sample)]
        found = max(held, key=lambda c: sample[c].n_unique(), default=None)
    if found is None:
        fix = f"Give {side} = … (the column)"
        raise SchemaError([Problem("interactions", f"no column was found that names the {side} by its key", fix=fix)])
    return found


def _sides(
    flat: pl.DataFrame,
    columns: Sequence[str],
    keys: tuple[str | None, str | None],
    given: tuple[Sequence[str] | None, Sequence[str] | None],
) -> dict[str, Side | None]:
    """Whose each column of a flat table is: as given, by prefix, or by being constant in each entity."""
    sides: dict[str, Side | None] = {}
    entities: tuple[tuple[Side, str | None, Sequence[str] | None], ...] = (
        ("user", keys[0], given[0]),
        ("item", keys[1], given[1]),
    )
    for side, _, named in entities:
        for c in named or ():
            _named(flat, "flat", c)
            sides[c] = side
    for side, _, _ in entities:
        for c in columns:
            if c.lower().startswith(_PREFIX[side]):
                sides.setdefault(c, side)
    for side, key, _ in entities:
        open_ = [c for c in columns if c not in sides and flat[c].dtype != pl.Object]
        if key is not None and open_ and flat[key].n_unique() < len(flat):
            varies = flat.group_by(key).agg(pl.col(c).hash().n_unique() for c in open_).drop(key).max()
            sides |= {c: side for c in open_ if varies[c][0] == 1}
    both = None not in keys
    return {c: sides.get(c, "context" if both else None) for c in columns}


def _display(side: Side, frame: pl.DataFrame, key: str | None) -> str | None:
    texts = [c for c in frame.columns if frame[c].dtype == pl.String and c != key]
    return _usual(texts, _NAME[side])


def _usual(columns: Iterable[str], usual: Sequence[str]) -> str | None:
    """The first of the usual names that is there; case, blanks, hyphens and underscores do not matter."""
    plain = {_plain(c): c for c in reversed(list(columns))}
    return next((plain[_plain(u)] for u in usual if _plain(u) in plain), None)


def _plain(name: str) -> str:
    return name.lower().translate({ord(c): None for c in "_- "})


def _named(frame: pl.DataFrame, table: str, name: str | None) -> str | None:
    """The name itself, if the table has it."""
    if name is not None and name not in frame.columns:
        fix = nearest(name, tuple(frame.columns)) or f"Its columns are {', '.join(frame.columns)}"
        raise SchemaError([Problem(table, f"has no column {name!r}", fix=fix)])
    return name
