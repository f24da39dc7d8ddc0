"""Free text."""

import json

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penchant.tables.kinds import Counts, Text
from penchant.tables.schema import Field
from penchant.testing import check_kind


def field(**options) -> Field:
    return Field(name="x", side="item", kind="text", **options)


def fitted(values, **options) -> Text:
    return Text.fit(field(**options), pl.Series("x", values, dtype=pl.String))


GAMES = ["a guide to the raid boss", "the boss of the raid drops loot", "loot from the boss", "raid guide: loot, boss"]
BREAD = ["bake bread in the oven", "flour for the bread", "the oven, flour and butter", "butter bread: flour and yeast"]
CHINESE = ["红烧肉的家常做法", "家常红烧肉怎么做才好吃", "手机摄影入门教程", "手机拍照摄影技巧", None, "红烧排骨的做法"]


def distances(kind: Text, ones, others) -> np.ndarray:
    one, other = (kind.encode(pl.Series("x", values)) for values in (ones, others))
    return np.abs(one[:, None] - other[None]).mean(axis=2)


@given(st.lists(st.none() | st.text(max_size=12), max_size=8), st.sampled_from([None, "words", "characters"]))
@settings(deadline=None, max_examples=60)
def test_any_texts_keep_the_laws(values, analyzer) -> None:
    check_kind(Text, field(analyzer=analyzer), pl.Series("x", values, dtype=pl.String))


@pytest.mark.parametrize(
    "values",
    [
        ["one text alone"],
        ["שלום עולם", "עולם חדש", "مرحبا بالعالم", "مرحبا"],
        ["👩‍👩‍👧 🎮", "🎮🎮", "🍜", None],
        ["\x00\x01 a\x02b", "\u202eb\u202c", "\ufeff"],
        [" ".join(f"tag{j}" for j in range(10_000)), "tag3 tag4", "other"],
        ["x" * 100_000, "a b"],
        ["हिन्दी भाषा", "भाषा विज्ञान", "สวัสดีครับ", "สวัสดีค่ะ"],
    ],
)
def test_texts_of_all_kinds_keep_the_laws(values) -> None:
    check_kind(Text, field(max_terms=20_000), pl.Series("x", values, dtype=pl.String))


def test_two_clusters_separate() -> None:
    kind = fitted(GAMES + BREAD)
    apart = distances(kind, GAMES + BREAD, GAMES + BREAD)
    same = np.kron(np.eye(2), np.ones((4, 4))).astype(bool) & ~np.eye(8, dtype=bool)
    other = np.kron(1 - np.eye(2), np.ones((4, 4))).astype(bool)
    assert apart[same].mean() < 0.8 * apart[other].mean()
    new = distances(kind, ["loot of a raid", "yeast and flour"], GAMES + BREAD)
    assert new[0, :4].mean() < new[0, 4:].mean()
    assert new[1, 4:].mean() < new[1, :4].mean()


def test_chinese_needs_no_blanks() -> None:
    kind = fitted(CHINESE, size=2)
    food, phone = distances(kind, ["好吃的红烧肉", "用手机摄影"], CHINESE[:4])
    assert food[:2].max() < food[2:].min()
    assert phone[2:].max() < phone[:2].min()
    assert "摄影" in kind.words(kind.encode(pl.Series("x", ["手机摄影"]))[0])
    assert fitted(["红烧肉 做法", "做法"], analyzer="words").terms == ("做法", "红烧肉")


def test_weights_and_axes_are_those_of_a_dense_solve() -> None:
    """Distances between rows, against a full SVD of plain TF-IDF in loops."""
    texts = [text.replace(":", "").replace(",", "").split() for text in GAMES + BREAD]
    terms = sorted({term for text in texts for term in text})
    n, matrix = len(texts), np.zeros((len(texts), len(terms)))
    for row, text in enumerate(texts):
        for column, term in enumerate(terms):
            if times := text.count(term):
                rarity = np.log((1 + n) / (1 + sum(term in other for other in texts)))
                matrix[row, column] = (1 + np.log(times)) * (0.01 + rarity)
        matrix[row] /= np.linalg.norm(matrix[row])
    axes = np.linalg.svd(matrix)[2][:3]
    wanted = matrix @ axes.T
    wanted /= np.linalg.norm(wanted, axis=1, keepdims=True)
    kind = fitted(GAMES + BREAD, size=3)
    u = kind.encode(pl.Series("x", GAMES + BREAD)).astype(np.float64)
    points = np.array(kind.low) + u * (np.array(kind.high) - np.array(kind.low))
    assert points @ points.T == pytest.approx(wanted @ wanted.T, abs=1e-5)


def test_empty_is_known_and_unknown_terms_are_unseen() -> None:
    kind = fitted([*GAMES, None, ""])
    new = pl.Series("x", ["", "  ", "?!", "zebra", "zebra raid", None])
    assert kind.counts(new)[:2] == (1, 1)
    encoded = kind.encode(new)
    assert np.isnan(encoded).all(axis=1).tolist() == [False, False, False, True, False, True]
    assert np.array_equal(encoded[0], encoded[2])
    assert kind.decode(encoded).to_list()[:4] == ["", "", "", None]
    assert [kind.words(row) for row in encoded[:4]] == ["none", "none", "none", "unknown"]


def test_nothing_to_fit() -> None:
    kind = fitted(["", None])
    assert kind.block().width == 0
    assert kind.counts(pl.Series("x", ["a", "", None])) == Counts(1, 1, 0)
    assert kind.words(np.zeros(0, dtype=np.float32)) == "unknown"
    assert kind.telling(np.zeros(0), np.zeros(0)) == []


def test_options_limit_terms_and_numbers() -> None:
    kind = fitted(["a b", "a c", "a b d"], max_terms=2, size=9)
    assert kind.terms == ("a", "b")
    assert kind.block().size == 2
    assert fitted(["a b", "a c", "a b d"], min_count=3).terms == ("a",)
    assert fitted(["a b", "a c"], min_count=3).block().width == 0
    assert fitted(GAMES + BREAD, size=4).block().size == 4


def test_words_everyone_uses_say_little() -> None:
    kind = fitted([f"the {word} and the {word}" for word in ("boss", "oven", "phone", "yeast")])
    assert kind.words(kind.encode(pl.Series("x", ["the oven and the rest"]))[0]) == "oven"
    (said,) = kind.decode(kind.encode(pl.Series("x", ["and oven boss"]))).to_list()
    assert sorted(said.split(" · ")) == ["boss", "oven"]


def test_what_tells_more_than_usual() -> None:
    kind = fitted(GAMES + BREAD)
    encoded = kind.encode(pl.Series("x", GAMES + BREAD)).astype(np.float64)
    told = kind.telling(encoded[:4].mean(axis=0), encoded.mean(axis=0))
    assert {"boss", "loot", "raid"} == {one.term for one in told[:3]}
    assert all(one.weight > one.usual >= 0 for one in told)
    assert kind.telling(encoded[0] * np.nan, encoded[0]) == []
    assert len(kind.labels()) == len(set(kind.labels())) == encoded.shape[1]
    assert all(label.startswith("x[") for label in kind.labels())


def test_a_restored_one_encodes_bit_by_bit_alike_and_is_small() -> None:
    kind = fitted([*GAMES, *BREAD, *CHINESE])
    state = json.loads(json.dumps(kind.state()))
    again = Text.from_state(kind.field, state)
    new = pl.Series("x", ["a raid of bread", "摄影", None, "loot loot loot"])
    assert again.encode(new).tobytes() == kind.encode(new).tobytes()
    with pytest.raises(ValueError, match="do not fit"):
        Text.from_state(kind.field, {**state, "terms": state["terms"][1:]})


@pytest.mark.parametrize(
    ("column", "said"),
    [
        (pl.Series("x", [1.5, None]), "1 row (0): text expected, got Float64 such as 1.5. Set another kind"),
        (pl.Series("x", [["a", "b"]]), "text expected, got List(String)"),
        (pl.Series("x", ["a", 3, None], dtype=pl.Object), "1 row (1): text expected, got 3"),
    ],
)
def test_what_is_no_text_is_named(column, said) -> None:
    (problem,) = Text.problems(field(), column, "items")
    assert said in str(problem)
