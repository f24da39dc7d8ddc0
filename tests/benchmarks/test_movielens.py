"""The protocol's data for penchant and for its peers are the same rows and the same fields."""

import numpy as np
import pytest


@pytest.fixture(scope="module")
def movielens(benchmark_module):
    return benchmark_module("_movielens")


@pytest.fixture
def ml_1m(tmp_path):
    """A folder in GroupLens' form: 20 users, 8 films, 100 ratings."""
    g = np.random.default_rng(0)
    ratings = [f"{1 + j // 5}::{1 + (3 * j) % 8}::{1 + j % 5}::{978300000 + 60 * j}" for j in range(100)]
    users = [f"{u}::{'MF'[u % 2]}::{18 + u}::{u % 4}::{g.integers(10000, 99999)}" for u in range(1, 21)]
    films = [f"{m}::Film é {m} ({1990 + m})::Drama|{'Comedy' if m % 2 else 'War'}" for m in range(1, 9)]
    for name, lines in (("ratings", ratings), ("users", users), ("movies", films)):
        (tmp_path / f"{name}.dat").write_bytes("\n".join([*lines, ""]).encode("latin-1"))
    return tmp_path


def test_the_folder_of_ml_1m_is_read_as_tables(movielens, ml_1m):
    tables = movielens._movielens_1m(ml_1m, ids=True)
    assert len(tables) == 80, "ratings of 3 are dropped"
    assert set(tables.interactions["label"].unique()) == {0, 1}
    assert tables.items["title"][0] == "Film é 1 (1991)"
    assert tables.items["genres"][1].to_list() == ["Drama", "War"]
    assert {field.name for field in tables.schema.fields} >= {"user_id", "movie_id", "timestamp", "zip_code"}


def test_other_data_than_the_protocols_are_refused(movielens, ml_1m):
    with pytest.raises(ValueError, match="739,012 rows expected, got 80"):
        movielens.load("ML-1M ids", ml_1m)
    with pytest.raises(ValueError, match="--ml-1m"):
        movielens.load("ML-1M ids")
    with pytest.raises(ValueError, match="one of AutoInt-100K fields"):
        movielens.load("ML-9 ids")


def test_peers_get_the_same_rows_in_the_same_split(movielens, ml_1m):
    dealt = movielens.split("ML-1M ids", movielens._movielens_1m(ml_1m, ids=True))
    assert [len(t) for t in (dealt.train, dealt.valid, dealt.test)] == [64, 8, 8]
    data = movielens.arrays(dealt)
    assert [p.stop - p.start for p in data.parts] == [64, 8, 8]
    for part, tables in zip(data.parts, (dealt.train, dealt.valid, dealt.test), strict=True):
        assert data.label[part].tolist() == tables.interactions["label"].to_list()
    train = data.parts[0]
    for codes in data.codes.values():
        assert (codes[train] > 0).all(), "0 is for values that no training row has"
    for numbers in data.numbers.values():
        assert numbers[train].min() == 0
        assert numbers[train].max() == 1
        assert ((numbers >= 0) & (numbers <= 1)).all()
