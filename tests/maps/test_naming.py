import numpy as np
import polars as pl
import pytest

from penchant.maps import name_clusters
from penchant.tables import Field


def test_clusters_are_named_by_what_tells_them_apart(sides, groups):
    _, group = groups
    found = name_clusters(sides, group, np.zeros((3, 2)))
    assert [one.size for one in found] == [60, 60, 60]
    first = {trait.word: trait for trait in found[0].traits}
    assert {"guides", "tags t0", "free", "low length", "support"} <= set(first)
    assert first["guides"].share == 1
    assert first["guides"].elsewhere < 0.01
    assert first["low length"].value == "low"
    assert first["support"].side == "user"
    assert "guides" in found[0].name
    assert found[0].name.count(" · ") == 2
    assert len({one.name for one in found}) == 3
    told = found[0].to_dict()
    assert set(told) == {"name", "size", "x", "y", "traits"}
    assert {"column", "value", "share", "elsewhere"} <= set(told["traits"][0])


def test_short_codes_are_said_with_their_column(sides, groups):
    found = name_clusters(sides, groups[1], np.zeros((3, 2)))
    assert "role x" in {trait.word for trait in found[2].traits}


def test_where_nothing_tells_it_is_mixed_and_no_two_names_are_the_same(sides):
    shuffled = np.random.default_rng(0).permutation(np.arange(180) % 2)
    found = name_clusters(sides, shuffled, np.zeros((2, 2)))
    assert [one.name for one in found] == ["mixed", "mixed (2)"]


def test_one_cluster_of_all_has_nothing_to_differ_from(sides):
    found = name_clusters(sides, np.zeros(180, dtype=np.int64), np.zeros((1, 2)))
    assert (found[0].name, found[0].traits, found[0].size) == ("mixed", (), 180)
    assert name_clusters(sides, np.full(180, -1), np.zeros((0, 2))) == ()


def test_unknown_values_tell_nothing(make_side):
    words = ["a"] * 3 + [None] * 17 + ["b"] * 20
    frame = pl.DataFrame({"topic": words})
    field = (Field(name="topic", side="item", kind="category"),)
    side = make_side("item", frame, np.zeros((40, 8), np.float32), field)
    label = np.repeat([0, 1], 20)
    found = name_clusters([side], label, np.zeros((2, 2)))
    assert found[0].name == "mixed"  # three of twenty are known
    assert "topic b" in found[1].name


def test_shares_are_counted(make_side):
    words = ["alpha"] * 45 + ["beta"] * 15 + ["alpha"] * 10 + ["beta"] * 30
    frame = pl.DataFrame({"topic": words})
    side = make_side(
        "item", frame, np.zeros((100, 8), np.float32), (Field(name="topic", side="item", kind="category"),)
    )
    trait = name_clusters([side], np.repeat([0, 1], [60, 40]), np.zeros((2, 2)))[0].traits[0]
    assert (trait.word, trait.share, trait.elsewhere) == ("alpha", pytest.approx(9 / 12), pytest.approx(2 / 8))


def test_ten_thousand_tags(make_side):
    tags = [[f"t{n * 20 + j}" for j in range(20)] + ["mine" if n < 250 else "theirs"] for n in range(500)]
    side = make_side(
        "item",
        pl.DataFrame({"tags": tags}),
        np.zeros((500, 8), np.float32),
        (Field(name="tags", side="item", kind="tags"),),
    )
    found = name_clusters([side], np.repeat([0, 1], 250), np.zeros((2, 2)))
    assert [one.name for one in found] == ["mine", "theirs"]


def test_long_and_odd_words(make_side):
    odd = ["<script>alert('x')</script>" * 4, "مرحبا"]
    frame = pl.DataFrame({"topic": [odd[n % 2] for n in range(40)]})
    side = make_side("item", frame, np.zeros((40, 8), np.float32), (Field(name="topic", side="item", kind="category"),))
    found = name_clusters([side], np.arange(40) % 2, np.zeros((2, 2)))
    assert found[0].name == odd[0][:39] + "…"
    assert found[0].traits[0].value == odd[0]
    assert found[1].name == "مرحبا"
