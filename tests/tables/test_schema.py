"""The schema: validation, TOML there and back, drafts."""

import dataclasses

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penchant.errors import SchemaError, StorageError
from penchant.tables.schema import KIND_NAMES, SIDES, Field, Schema

EXAMPLE = """
[users]
id = "user_id"
name = "nickname"
[users.columns]
user_id = "id"
age = { kind = "numeric", unit = "years" }
[items]
id = "movie_id"
name = "title"
[items.columns]
genres = { kind = "tags", delimiter = "|" }
[interactions]
user = "user_id"
item = "movie_id"
label = "label"
time = "timestamp"
weight = "weight"
[interactions.columns]
hour = "numeric"
"""

NAMES = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=8)
OPTIONS = {
    "numeric": {"scale": st.sampled_from(["minmax", "log", "quantile"]), "unit": NAMES},
    "binary": {},
    "category": {"min_count": st.integers(1, 9)},
    "tags": {"delimiter": NAMES, "min_count": st.integers(1, 9)},
    "vector": {"delimiter": NAMES, "unit": NAMES},
    "text": {
        "size": st.integers(2, 99),
        "max_terms": st.integers(2, 9999),
        "min_count": st.integers(1, 9),
        "analyzer": st.sampled_from(["words", "characters"]),
    },
    "date": {"format": NAMES},
    "id": {"min_count": st.integers(1, 9)},
}


@st.composite
def drawn(draw: st.DrawFn) -> tuple[list[dict], dict]:
    """The arguments of fields and of a schema (built in the test: beartype draws lots of its own)."""
    names = draw(st.lists(NAMES, min_size=7, max_size=20, unique=True))
    user, item, label, time, weight, user_name, item_name, *columns = names
    fields = []
    for name in columns:
        kind = draw(st.sampled_from(KIND_NAMES))
        options = draw(st.fixed_dictionaries({}, optional=OPTIONS[kind]))
        fields.append({"name": name, "side": draw(st.sampled_from(SIDES)), "kind": kind, **options})
    fields.sort(key=lambda f: SIDES.index(f["side"]))
    optional = {"time": time, "weight": weight, "user_name": user_name, "item_name": item_name}
    chosen = draw(st.sets(st.sampled_from(sorted(optional))))
    keys = {"user_id": user, "item_id": item} if draw(st.booleans()) else {}
    given = {k: v for k, v in optional.items() if k in chosen}
    return fields, {**keys, "user": user, "item": item, "label": label, **given}


@given(drawn())
@settings(deadline=None, max_examples=50)
def test_toml_round_trip(arguments: tuple[list[dict], dict]) -> None:
    fields, names = arguments
    notes = (("user", "a\nnote # \x07"),)
    schema = Schema(fields=tuple(Field(**f) for f in fields), notes=notes, **names)
    assert Schema.from_toml(schema.to_toml()) == schema


def test_the_example_is_read() -> None:
    schema = Schema.from_toml(EXAMPLE)
    assert schema == Schema(
        fields=(
            Field(name="user_id", side="user", kind="id"),
            Field(name="age", side="user", kind="numeric", unit="years"),
            Field(name="genres", side="item", kind="tags", delimiter="|"),
            Field(name="hour", side="context", kind="numeric"),
        ),
        user_id="user_id",
        item_id="movie_id",
        time="timestamp",
        weight="weight",
        user_name="nickname",
        item_name="title",
    )
    assert (schema.user, schema.item) == ("user_id", "movie_id")
    assert [f.name for f in schema.side("user")] == ["user_id", "age"]
    assert schema.side("context")[0].heading == "hour"


def test_write_and_read(tmp_path) -> None:
    schema = Schema.from_toml(EXAMPLE)
    path = tmp_path / "schema.toml"
    path.write_text("old")
    schema.write(path)
    assert Schema.read(path) == schema == Schema.read(str(path))
    assert [p.name for p in tmp_path.iterdir()] == ["schema.toml"]


def test_names_follow_the_keys() -> None:
    assert Schema(fields=(), user_id="u", item_id="i").user == "u"
    flat = Schema(fields=())
    assert (flat.user_id, flat.user, flat.item, flat.label) == (None, "user_id", "item_id", "label")


def test_every_problem_is_listed() -> None:
    text = """
[users]
id = 3
nme = "x"
[users.columns]
a = "numerical"
b = { kind = "numeric", min_count = 3, foo = 1 }
c = { unit = "years" }
d = { kind = "tags", min_count = "3" }
f = { kind = "text", size = 8.5 }
e = 7
[items]
columns = 3
[movies]
[interactions]
user = "u"
item = "u"
"""
    with pytest.raises(SchemaError) as caught:
        Schema.from_toml(text, source="my.toml")
    message = str(caught.value)
    for said in (
        "[users] id must be the name of a column, got 3",
        "[users] has no key 'nme': one of id, name, columns expected. Perhaps 'name' is meant",
        "column 'a': kind 'numerical' is unknown",
        "Perhaps 'numeric' is meant",
        "column 'b': a column has no key 'foo'",
        "column 'c': kind is missing",
        "column 'd': min_count must be a whole number, got '3'",
        "column 'f': size must be a whole number, got 8.5",
        "column 'e': a kind or a table of options expected, got 7",
        "[items.columns] must be a section, got 3",
        "the schema has no key 'movies'",
        "user and item are the same column",
    ):
        assert said in message
    assert {p.table for p in caught.value.problems} == {"my.toml"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"kind": "nummeric"}, "Perhaps 'numeric' is meant"),
        ({"kind": "numeric", "scale": "logg"}, "Perhaps 'log' is meant"),
        ({"kind": "binary", "scale": "log"}, "scale is not used by kind 'binary'"),
        ({"kind": "category", "delimiter": "|"}, "only by tags and vector"),
        ({"kind": "category", "min_count": 0}, "min_count must be at least 1"),
        ({"kind": "tags", "delimiter": ""}, "delimiter is empty"),
        ({"kind": "numeric", "name": ""}, "empty name"),
        ({"kind": "numeric", "size": 1}, "size is not used by kind 'numeric', only by text"),
        ({"kind": "text", "size": 1}, "size must be at least 2, got 1"),
        ({"kind": "text", "max_terms": 0}, "max_terms must be at least 2, got 0"),
        ({"kind": "text", "analyzer": "word"}, "analyzer 'word' is unknown: .* Perhaps 'words' is meant"),
        ({"kind": "text", "unit": "m"}, "unit is not used by kind 'text'"),
    ],
)
def test_a_wrong_field(options, said) -> None:
    with pytest.raises(SchemaError, match=said):
        Field(**{"name": "x", "side": "user", **options})


def test_parts_do_not_clash() -> None:
    age = Field(name="age", side="user", kind="numeric")
    with pytest.raises(SchemaError, match=r"twice in \[users.columns\]"):
        Schema(fields=(age, age))
    with pytest.raises(SchemaError, match="title 'age' is there twice"):
        Schema(fields=(age, Field(name="b", side="user", kind="numeric", title="age")))
    assert len(Schema(fields=(age, dataclasses.replace(age, side="item"))).fields) == 2
    with pytest.raises(SchemaError, match="the label cannot be a context column"):
        Schema(fields=(Field(name="label", side="context", kind="binary"),))
    with pytest.raises(SchemaError, match="a key cannot be a context column"):
        Schema(fields=(Field(name="u", side="context", kind="id"),), user_id="u")
    with pytest.raises(SchemaError, match="label and time are the same column"):
        Schema(fields=(), label="a", time="a")
    with pytest.raises(SchemaError, match="user and weight are the same column"):
        Schema(fields=(), user="a", weight="a")
    assert Schema(fields=(Field(name="t", side="context", kind="date"),), time="t").time == "t"


def test_unreadable_files(tmp_path) -> None:
    with pytest.raises(SchemaError, match="cannot be read"):
        Schema.read(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes("[users]\nid = 'é'".encode("latin-1"))
    with pytest.raises(SchemaError, match=r"latin\.toml: UTF-8"):
        Schema.read(tmp_path / "latin.toml")
    with pytest.raises(SchemaError, match=r"schema\.toml: not TOML"):
        Schema.from_toml("[users")
    for text in ("[users.columns]\na='id'\na='id'", "a=" + "[" * 9999, "\x00"):
        with pytest.raises(SchemaError, match="not TOML"):
            Schema.from_toml(text)
    with pytest.raises(SchemaError, match="cannot be read"):
        Schema.read("\x00")
    with pytest.raises(StorageError, match="cannot be written"):
        Schema(fields=()).write(tmp_path / "nowhere" / "schema.toml")


def test_files_of_other_systems_are_read(tmp_path) -> None:
    """With a byte order mark and Windows' line ends."""
    (tmp_path / "schema.toml").write_bytes(b"\xef\xbb\xbf" + EXAMPLE.replace("\n", "\r\n").encode())
    assert Schema.read(tmp_path / "schema.toml") == Schema.from_toml("\ufeff" + EXAMPLE) == Schema.from_toml(EXAMPLE)


N = 300


def users() -> pl.DataFrame:
    r = np.random.default_rng(0)
    return pl.DataFrame(
        {
            "user_id": [f"u{j}" for j in range(N)],
            "nickname": [f"name {j}" for j in range(N)],
            "age": r.integers(10, 70, N),
            "vip": r.random(N) < 0.3,
            "sex": r.choice(["男", "女"], N).tolist(),
            "level": r.integers(1, 6, N),
            "city": r.choice(["北京", "上海", "广州"], N).tolist(),
            "zip": [f"{x:05d}" for x in r.integers(0, 200, N)],
            "joined": ["2024-05-01T10:00:00Z"] * 200 + ["2023-01-01"] * 100,
            "bio": [f"I am the number {j} of them all" for j in range(N)],
            "nothing": [None] * N,
            "same": ["x"] * N,
        }
    )


def items() -> pl.DataFrame:
    r = np.random.default_rng(1)
    return pl.DataFrame(
        {
            "id": range(N),
            "title": [f"t{j}" for j in range(N)],
            "genres": ["a|b", "b", "c|a|d"] * 100,
            "topics": [["x", "y"], ["y"], []] * 100,
            "taste": r.normal(size=(N, 4)).tolist(),
            "text_taste": [" ".join(map(str, row)) for row in r.normal(size=(N, 4))],
            "ragged": [[0.5], [0.5, 1.0], []] * 100,
            "price": r.random(N) * 100,
            "released": pl.Series(r.integers(-9000, 9000, N)).cast(pl.Int32).cast(pl.Date),
        }
    )


def clicks() -> pl.DataFrame:
    r = np.random.default_rng(2)
    return pl.DataFrame(
        {
            "user": [f"u{j}" for j in r.integers(0, N, 900)],
            "article": r.integers(0, N, 900),
            "rating": r.integers(1, 6, 900),
            "clicked": r.integers(0, 2, 900),
            "timestamp": r.integers(10**9, 2 * 10**9, 900),
            "weight": r.random(900),
            "device": r.choice(["ios", "android", "web"], 900).tolist(),
        }
    )


def kinds(schema: Schema, side) -> dict[str, str]:
    return {f.name: f.kind for f in schema.side(side)}


def test_infer_from_tables() -> None:
    schema = Schema.infer(users=users(), items=items(), interactions=clicks())
    assert (schema.user_id, schema.item_id, schema.user, schema.item) == ("user_id", "id", "user", "article")
    assert (schema.label, schema.time, schema.weight) == ("clicked", "timestamp", "weight")
    assert (schema.user_name, schema.item_name) == ("nickname", "title")
    assert kinds(schema, "user") == {
        "user_id": "id",
        "age": "numeric",
        "vip": "binary",
        "sex": "binary",
        "level": "numeric",
        "city": "category",
        "zip": "id",
        "joined": "date",
    }
    assert kinds(schema, "item") == {
        "id": "id",
        "genres": "tags",
        "topics": "tags",
        "taste": "vector",
        "text_taste": "vector",
        "price": "numeric",
        "released": "date",
    }
    assert kinds(schema, "context") == {"device": "category"}
    options = {f.name: f.delimiter for f in schema.fields if f.delimiter}
    assert options == {"genres": "|", "text_taste": " "}


def test_the_draft_says_what_it_left_out() -> None:
    text = Schema.infer(users=users(), items=items(), interactions=clicks()).to_toml()
    for said in (
        "# 'bio' left out: hardly a value recurs",
        "# 'nothing' left out: it is empty",
        "# 'same' left out: it is constant",
        "# 'level' has 5 whole values; if they are codes, say 'category'",
        "# 'ragged' left out: lists of numbers of different lengths",
        "# 'rating' left out: it looks like the answer itself",
    ):
        assert said in text
    assert Schema.from_toml(text) == Schema.infer(users=users(), items=items(), interactions=clicks())


WORDS = ["the", "a", "of", "guide", "boss", "raid", "bread", "oven", "flour", "phone", "love", "story", "city", "war"]


def prose(length: int, between: str = " ", words=WORDS) -> list[str]:
    r = np.random.default_rng(3)
    return [between.join(r.choice(words, length)) for _ in range(N)]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (prose(14), "text"),
        (prose(14)[:4], "text"),
        ([prose(14)[j % 150] for j in range(N)], "text"),
        (prose(30, "", list("我你他喜欢红烧肉手机摄影教程的了是在不家常做法")), "text"),
        (prose(6, "", list("我你他喜欢红烧肉手机摄影教程的了是在不家常做法")), None),
        (prose(5), None),
        (prose(2), "id"),
        ([f"{j:064x}" for j in range(N)], None),
        ([f"https://example.org/{path}" for path in prose(14, "/")], None),
        ([f"/home/{path}" for path in prose(14, "/")], None),
        ([f'{{"a": "{text}"}}' for text in prose(14)], None),
        ([f"{j} {text} street, apartment {j % 7}, 90{j:03d} {text}" for j, text in enumerate(prose(2))], None),
        ([f"the {j}-th {j} of {j} {j} and {j}, {j} with {j} are all {j * 7}" for j in range(N)], None),
    ],
)
def test_only_prose_is_drafted_as_text(values, kind) -> None:
    frame = pl.DataFrame({"user_id": range(len(values)), "x": values})
    schema = Schema.infer(users=frame)
    assert kinds(schema, "user").get("x") == kind
    assert ("'x' is free text, read by its words" in schema.to_toml()) == (kind == "text")


def test_a_key_is_found_by_its_values() -> None:
    pairs = clicks().rename({"user": "wer", "article": "was"})
    schema = Schema.infer(users=users().rename({"user_id": "kennung"}), items=items(), interactions=pairs)
    assert (schema.user_id, schema.user, schema.item) == ("kennung", "wer", "was")


def test_infer_from_a_flat_table() -> None:
    pairs = clicks().rename({"user": "user_id", "article": "item_id"})
    flat = pairs.join(users(), on="user_id").join(items().rename({"id": "item_id"}), on="item_id")
    schema = Schema.infer(flat=flat)
    assert (schema.user_id, schema.item_id, schema.label) == ("user_id", "item_id", "clicked")
    assert {"age", "vip", "city", "sex"} <= set(kinds(schema, "user"))
    assert {"genres", "topics", "taste", "price"} <= set(kinds(schema, "item"))
    assert kinds(schema, "context") == {"device": "category"}


def test_a_flat_table_without_ids() -> None:
    flat = (
        clicks()
        .select("clicked", "device")
        .with_columns(user_age=pl.int_range(900) % 50, item_price=pl.int_range(900) % 70, mood=pl.int_range(900) % 30)
    )
    schema = Schema.infer(flat=flat)
    assert (schema.user_id, schema.item_id) == (None, None)
    assert kinds(schema, "user") == {"user_age": "numeric"}
    assert kinds(schema, "item") == {"item_price": "numeric"}
    assert "'mood' left out: whose it is cannot be told" in schema.to_toml()
    with pytest.raises(SchemaError, match=r"flat: neither a key nor a column of items was found\. Give item_id"):
        Schema.infer(flat=flat.drop("item_price"))
    schema = Schema.infer(flat=flat, user_columns=["mood", "device"])
    assert set(kinds(schema, "user")) == {"user_age", "mood", "device"}


def test_names_may_be_given() -> None:
    schema = Schema.infer(users=users(), items=items(), interactions=clicks(), label="rating", weight="timestamp")
    assert (schema.label, schema.weight) == ("rating", "timestamp")
    with pytest.raises(SchemaError, match=r"has no column 'ratng'\. Perhaps 'rating' is meant"):
        Schema.infer(users=users(), items=items(), interactions=clicks(), label="ratng")
    with pytest.raises(SchemaError, match=r"users: has no column 'uid'"):
        Schema.infer(users=users(), user_id="uid")


def test_nothing_to_infer_from() -> None:
    with pytest.raises(SchemaError, match="either separate tables or one flat table"):
        Schema.infer()
    with pytest.raises(SchemaError, match="either separate tables or one flat table"):
        Schema.infer(users=users(), flat=clicks())
    with pytest.raises(SchemaError, match="no key column was found"):
        Schema.infer(users=users().select("sex", "city"))
    with pytest.raises(SchemaError, match="no column was found that names the item"):
        Schema.infer(users=users(), items=items(), interactions=clicks().drop("article", "rating"))
    one = pl.DataFrame({"a": ["x", "y"]})
    with pytest.raises(SchemaError, match="no column was found that names the item by its key"):
        Schema.infer(users=one, items=one, interactions=one)
    assert Schema.infer(interactions=clicks().rename({"article": "item"})).item == "item"


def test_what_cannot_be_judged_is_left_out() -> None:
    objects = pl.Series([[1], {"a": 2}, None] * 100, dtype=pl.Object)
    for tables in ({"users": users().with_columns(odd=objects)}, {"flat": clicks().head(N).with_columns(odd=objects)}):
        drafted = Schema.infer(**tables).to_toml()
        assert "# 'odd' left out: its values have no type in common" in drafted
    with pytest.raises(SchemaError, match=r"items: a polars frame expected, got dict\. Read it with"):
        Schema.infer(users=users(), items={"id": [1]})  # type: ignore[arg-type]


@given(
    st.dictionaries(
        st.text(min_size=1, max_size=4),
        st.one_of(
            st.lists(st.none() | st.text(max_size=6), min_size=5, max_size=5),
            st.lists(st.none() | st.integers(-9, 9), min_size=5, max_size=5),
            st.lists(st.none() | st.floats(), min_size=5, max_size=5),
            st.lists(st.none() | st.booleans(), min_size=5, max_size=5),
            st.lists(st.none() | st.lists(st.floats(0, 1), max_size=2), min_size=5, max_size=5),
            st.lists(st.none() | st.dates(), min_size=5, max_size=5),
        ),
        max_size=4,
    )
)
@settings(deadline=None, max_examples=50)
def test_any_table_can_be_drafted(columns) -> None:
    frame = pl.DataFrame({"user_id": range(5), **columns})
    schema = Schema.infer(users=frame)
    assert schema.user_id == "user_id"
    assert Schema.from_toml(schema.to_toml()) == schema
