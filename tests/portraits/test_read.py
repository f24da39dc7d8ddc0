import numpy as np
import polars as pl
import pytest

from penchant.portraits import Likes, Radius, likely_values, read_portrait
from penchant.portraits.intervals import fit_intervals
from penchant.tables import Field, SideEncoder

FRAME = pl.DataFrame({"year": [1990, 2000, 2010], "genre": ["a", "b", "b"], "tags": [["x"], ["x", "y"], []]})
FIELDS = (
    Field(name="year", side="item", kind="numeric"),
    Field(name="genre", side="item", kind="category"),
    Field(name="tags", side="item", kind="tags"),
)


def portrait(decoded, population):
    encoder = SideEncoder.fit(FIELDS, FRAME)
    examples = pl.DataFrame({"id": ["i1"], "name": ["One & only"], "distance": [0.1], "probability": [0.9]})
    return encoder, read_portrait(
        subject="u<1>",
        side="item",
        shares=np.array(decoded),
        ends=(np.array(decoded) * 0.5, np.minimum(np.array(decoded) + 0.1, 1)),
        encoder=encoder,
        population=np.array(population, dtype=np.float32),
        examples=examples,
        ball=Radius(0.5, "probability", 0.5, 0.25, False, "words"),
    )


def rows(p):
    return {(r["feature"], r["value"]): r for r in p.features.iter_rows(named=True)}


def test_lift_and_difference_against_everyone():
    encoder, p = portrait([0.75, 0.2, 0.8, 0.9, 0.0], [0.5, 0.4, 0.6, 0.3, 0.0])
    found = rows(p)
    assert len(found) == encoder.layout.width == 5
    assert found["tags", "x"]["lift"] == pytest.approx(3.0, rel=1e-5)
    assert found["tags", "x"]["difference"] == pytest.approx(0.6, rel=1e-5)
    assert found["tags", "y"]["lift"] == pytest.approx(1.0), "what nobody has is no endless lift"
    year = next(r for key, r in found.items() if key[0] == "year")
    assert year["lift"] is None, "a number has no lift"
    assert p.typical["year"] == "2005"
    assert p.population["year"] == "2000"
    assert p.top(1)["value"].to_list() == ["x"]


def test_the_most_telling_rows_come_first():
    _, p = portrait([0.75, 0.2, 0.8, 0.9, 0.0], [0.5, 0.4, 0.6, 0.3, 0.0])
    sizes = p.features["difference"].abs().to_list()
    assert sizes == sorted(sizes, reverse=True)


def test_texts_are_told_by_their_terms():
    frame = pl.DataFrame({"bio": ["boss raid", "raid boss loot", "oven bread", "bread flour"]})
    encoder = SideEncoder.fit([Field(name="bio", side="user", kind="text", title="about")], frame)
    vectors = encoder.portrait(encoder.encode(frame)).astype(np.float64)
    usual, mine = vectors.mean(axis=0), vectors[:2].mean(axis=0)
    p = read_portrait(
        subject="u", side="user", shares=mine, ends=(mine, mine), encoder=encoder, population=usual.astype(np.float32),
        examples=pl.DataFrame({"id": [1], "distance": [0.1], "probability": [0.9]}),
        ball=Radius(0.5, "probability", 0.5, 0.25, False, "words"),
    )  # fmt: skip
    assert p.terms["feature"].unique().to_list() == ["about"]
    assert set(p.terms["term"][:3]) == {"boss", "raid", "loot"}
    assert p.terms["difference"].is_sorted(descending=True)
    weight, population = p.terms["weight"][0], p.terms["population"][0]
    assert p.terms["lift"][0] == pytest.approx(weight / population)
    assert p.terms["difference"][0] == pytest.approx(weight - population)
    lacking = vectors[0] * np.nan
    assert not encoder.kinds[0].telling(lacking, usual)


def test_likely_values_are_words_of_what_nine_of_ten_likes_are():
    encoder = SideEncoder.fit(FIELDS, FRAME)
    n = 4000
    random = np.random.default_rng(0)
    # years near what is decoded, always b, always x, y by chance: each subject likes one thing
    year = random.uniform(0.2, 0.8, n)
    one, half = np.ones(n), np.full(n, 0.5)
    decoded = np.column_stack([year, 0.98 * one, 0.02 * one, 0.97 * one, half]).astype(np.float32)
    value = np.column_stack(
        [np.clip(year + random.normal(0, 0.02, n), 0, 1), one, 0 * one, one, random.random(n) < 0.5]
    ).astype(np.float32)
    likes = Likes(decoded, value, np.arange(n), np.arange(n))
    intervals = fit_intervals(likes, encoder.layout)
    (said,) = likely_values(encoder, intervals, np.array([[0.5, 0.98, 0.02, 0.97, 0.5]], dtype=np.float32))
    found = {row["feature"]: row for row in said.iter_rows(named=True)}
    assert found["genre"]["said"] == "b"
    assert found["tags"]["said"] == "with x"
    first, last = (int(word) for word in found["year"]["said"].split(" to "))
    assert 1997 <= first <= 2000 <= last <= 2002
    assert not said["open"].any()
    assert said["level"].unique().to_list() == [0.9]
    anything = (random.random((n, 5)) < 0.5).astype(np.float32)
    anything[:, 1] = 1 - anything[:, 2]  # one of two words
    flat = np.full((n, 5), 0.5, np.float32)
    wide = fit_intervals(Likes(flat, anything, np.arange(n), np.arange(n)), encoder.layout)
    (said,) = likely_values(encoder, wide, np.full((1, 5), 0.5, np.float32))
    assert said["open"].all()
    assert set(said["said"]) == {"open"}


def test_likely_values_of_many_are_those_of_each():
    encoder = SideEncoder.fit(FIELDS, FRAME)
    random = np.random.default_rng(1)
    decoded, value = random.random((300, 5), np.float32), (random.random((300, 5)) < 0.3).astype(np.float32)
    intervals = fit_intervals(Likes(decoded, value, np.arange(300), np.arange(300)), encoder.layout)
    every = likely_values(encoder, intervals, decoded[:4], 0.8)
    assert len({str(said.rows()) for said in every}) > 1
    for said, raw in zip(every, decoded, strict=False):
        assert said.equals(likely_values(encoder, intervals, raw[None], 0.8)[0])
