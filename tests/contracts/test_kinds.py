"""Every kind of field keeps the laws of `penchant.testing.check_kind`."""

import datetime as dt

import polars as pl
import pytest

from penchant.tables.kinds import KINDS
from penchant.tables.schema import KIND_NAMES, Field
from penchant.testing import check_kind

SHANGHAI = pl.Series([dt.datetime(2024, 1, 1), None, dt.datetime(2024, 2, 1, 3)]).dt.replace_time_zone("Asia/Shanghai")

CASES: list[tuple[str, dict[str, object], pl.Series]] = [
    ("numeric", {}, pl.Series([24, None, 31, 24, -7])),
    ("numeric", {}, pl.Series([0.5, None, 1e9, -3.25])),
    ("numeric", {"scale": "log"}, pl.Series([0, 10, 1_000, None, 1_000_000])),
    ("numeric", {"scale": "quantile"}, pl.Series([float(i**3) for i in range(500)] + [None])),
    ("numeric", {"scale": "quantile"}, pl.Series([0.0] * 900 + [1.0, 2.0, 3.0])),
    ("numeric", {}, pl.Series([-1.7e308, 1.7e308, 0.0])),
    ("numeric", {}, pl.Series([1e-300, 2e-300, None])),
    ("numeric", {}, pl.Series([5, 5, 5])),
    ("numeric", {}, pl.Series([None, None], dtype=pl.Float32)),
    ("binary", {}, pl.Series([True, None, False])),
    ("binary", {}, pl.Series([1, 0, None, 1])),
    ("binary", {}, pl.Series(["男", "女", None])),
    ("binary", {}, pl.Series([2.5, -1.0, None])),
    ("binary", {}, pl.Series(["M", "M"])),
    ("category", {}, pl.Series(["动作", "b", None, "b", ""])),
    ("category", {}, pl.Series([3, 1, None, 3])),
    ("category", {}, pl.Series(["x", "y", "x"], dtype=pl.Categorical)),
    ("category", {}, pl.Series([None, None], dtype=pl.String)),
    ("tags", {}, pl.Series([["a", "b"], None, [], ["b", "b", "c"]])),
    ("tags", {}, pl.Series([[1, 2], None, [2]])),
    ("tags", {"delimiter": "|"}, pl.Series(["a|b", None, "", "b"])),
    ("vector", {}, pl.Series([[0.1, 2.0], None, [0.4, -5.0]])),
    ("vector", {}, pl.Series([[1, 2, 3], [4, 5, 6], None], dtype=pl.Array(pl.Float32, 3))),
    ("vector", {"delimiter": " "}, pl.Series(["0.1 2.5", None, "[3 4]"])),
    ("text", {}, pl.Series(["the raid boss", "bread and an oven", None, "", "raid guide", "红烧肉的做法", "?!"])),
    ("text", {"size": 2, "max_terms": 900, "analyzer": "characters"}, pl.Series(["a boss", "the bosses", "oven"])),
    ("text", {"analyzer": "words"}, pl.Series(["红烧 肉", "清蒸 鱼", "红烧 鱼"], dtype=pl.Categorical)),
    ("text", {}, pl.Series(["one and the same"] * 3)),
    ("text", {}, pl.Series(["", None])),
    ("text", {}, pl.Series([None, None], dtype=pl.String)),
    ("date", {}, pl.Series([dt.date(1923, 4, 5), None, dt.date(2024, 5, 1)])),
    ("date", {}, pl.Series([dt.datetime(1969, 12, 31, 23, 59), None, dt.datetime(2024, 5, 1, 12)])),
    ("date", {}, SHANGHAI),
    ("date", {}, pl.Series(["2024-05-01", None, "1950-12-31"])),
    ("date", {"format": "%d.%m.%Y"}, pl.Series(["01.05.2024", None, "31.12.1950"])),
    ("id", {}, pl.Series(["u1", "u2", None, "u1"])),
    ("id", {}, pl.Series([10, 20, None])),
]


@pytest.mark.parametrize(("kind", "options", "column"), CASES)
def test_laws(kind: str, options: dict[str, object], column: pl.Series) -> None:
    check_kind(KINDS[kind], Field(name="x", side="item", kind=kind, **options), column)


def test_every_kind_has_a_case() -> None:
    assert set(KINDS) == {kind for kind, _, _ in CASES} == set(KIND_NAMES)


class Broken(KINDS["numeric"]):
    def decode(self, portrait):
        return super().decode(portrait * 0.9)


class Forgetful(KINDS["text"]):
    def decode(self, portrait):
        return super().decode(portrait[::-1].copy())


def test_a_text_read_back_as_another_is_caught() -> None:
    texts = pl.Series(["raid boss", "loot of the boss", "bread oven", "flour and bread"])
    with pytest.raises(AssertionError, match="nearer to x than to other rows"):
        check_kind(Forgetful, Field(name="x", side="user", kind="text"), texts)


def test_a_broken_kind_is_caught() -> None:
    with pytest.raises(AssertionError, match=r"encode\(decode"):
        check_kind(Broken, Field(name="x", side="user", kind="numeric"), pl.Series([1.0, 2.0]))
