import json

import numpy as np
import polars as pl
import pytest

from penchant.portraits import find_details
from penchant.spaces import UniformSpace
from penchant.tables import Field, SideEncoder

FRAME = pl.DataFrame({"id": [1, 2], "year": [1900.0, 2000.0], "genre": ["<a>", "b"]})
FIELDS = (Field(name="year", side="item", kind="numeric"), Field(name="genre", side="item", kind="category"))
ENCODER = SideEncoder.fit(FIELDS, FRAME)
SPACE = UniformSpace(dim=2, norm=2)
CENTRE = np.zeros(2, dtype=np.float32)


def decode(z):
    b = np.clip(0.5 + 2 * z[:, 1], 0.02, 0.98)
    return np.column_stack([(z[:, 0] + 1) / 2, 1 - b, b]).astype(np.float32)


def encode(features):
    vector = ENCODER.portrait(features)
    return np.column_stack([2 * vector[:, 0] - 1, 0.4 * (vector[:, 2] - vector[:, 1])]).astype(np.float32)


def points(n=400):
    """Two heaps, of both genres, right and left of the centre."""
    random = np.random.default_rng(0)
    heap = random.integers(2, size=n) * 2 - 1
    return np.clip(np.column_stack([0.05 * random.normal(size=n), 0.4 * heap]), -1, 1).astype(np.float32)


def details(known=None, **more):
    known = points() if known is None else known
    vectors = decode(known)
    vectors[:, 1:] = vectors[:, 1:].round()
    options = {"threshold": 0.5, "slope": 20.0, "radius": None, "side": "item", **more}
    return find_details(
        SPACE, CENTRE, known, vectors.__getitem__, decode=decode, encode=encode, encoder=ENCODER,
        names=lambda rows: [f"n{r}" for r in rows], population=np.array([0.5, 0.5, 0.5], np.float32), **options,
    )  # fmt: skip


def test_the_kinds_of_what_is_liked_are_named_with_shares_and_real_ones():
    found = details()
    assert sorted(found.modes["name"]) == ["<a>", "b"]
    assert found.modes["share"].sum() == pytest.approx(1)
    for row in found.modes.iter_rows(named=True):
        assert row["typical"]["genre"] == row["name"]
        side = 0 if row["name"] == "<a>" else 1
        assert all((points()[int(name[1:]), 1] > 0) == side for name in row["nearest"])
    assert found.source == "prior"
    assert found.returned == 1


def test_made_up_rows_come_with_their_probability():
    found = details(count=3)
    assert found.invented.columns == ["year", "genre", "probability", "distance"]
    assert 1 <= len(found.invented) <= 3
    assert found.invented["probability"].is_sorted(descending=True)


def test_points_of_the_ball_are_another_source():
    found = details(source="ball", radius=0.4)
    assert found.source == "ball"
    assert 0 < found.returned < 1


def test_it_is_shown_and_told_in_full():
    from rich.console import Console

    found = details()
    told = json.loads(json.dumps(found.to_dict()))
    assert len(told["distribution"]) == 3
    assert {"name", "share", "typical", "nearest"} == set(told["modes"][0])
    page = found.to_html()
    assert "&lt;a&gt;" in page
    assert "<a>" not in page
    console = Console(width=100, color_system=None)
    with console.capture() as capture:
        console.print(found)
    assert "does not exist yet" in capture.get()
    assert "kinds of what is liked" in capture.get()


def test_without_known_rows_nothing_is_said_and_it_says_so():
    found = details(np.zeros((0, 2), dtype=np.float32))
    assert len(found.modes) == len(found.invented) == 0
    assert found.notes


def test_a_ball_of_one_kind_is_not_divided():
    known = points()
    known[:, 1] = 0.4
    assert len(details(known).modes) == 1
    assert all(heading != "kinds of what is liked" for heading, _ in details(known).lines())


def test_made_up_rows_that_would_not_be_liked_are_left_out():
    found = details(threshold=0.01, slope=20.0)
    assert (found.invented["probability"] >= 0.5).all()
    if not len(found.invented):
        assert any("would be liked" in note for note in found.notes)
