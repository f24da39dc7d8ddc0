import numpy as np
import polars as pl
import pytest

from penchant.portraits import read_portrait
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
        radius=0.5,
        inside=0.25,
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
