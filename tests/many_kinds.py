"""Tables with a column of every kind, and values that try to break out of a page."""

import datetime as dt

import numpy as np
import polars as pl

from penchant import Field, Schema, Tables

__all__ = ["EVIL", "many_kinds"]

EVIL = ("\"><script>alert('x')</script>", "\u202egnp", "🎬, cut", "{{ 7*7 }}")
"""Values of a category and of tags; one has a comma."""

N, M, PAIRS = 40, 50, 900


def many_kinds() -> Tables:
    """Forty users, fifty items, nine hundred pairs."""
    rng = np.random.default_rng(0)
    tags = [*EVIL, *(f"tag {k}" for k in range(56))]
    first = dt.date(2020, 1, 1)
    users = pl.DataFrame(
        {
            "user_id": [f"u{k}" for k in range(N)],
            "age": rng.integers(18, 80, N),
            "vip": rng.random(N) < 0.3,
            "town": [f"town {k % 30}" for k in range(N)],
        }
    )
    items = pl.DataFrame(
        {
            "item_id": [f"i{k}" for k in range(M)],
            "title": [f"title {k}" for k in range(M)],
            "price": np.exp(rng.normal(3, 2, M)),
            "mood": [EVIL[k % 4] if k % 2 else "calm" for k in range(M)],
            "topics": [list(rng.choice(tags, 3, replace=False)) for _ in range(M)],
            "day": [first + dt.timedelta(9 * k) for k in range(M)],
            "at": [dt.datetime(2020, 1, 1, 12) + dt.timedelta(hours=k) for k in range(M)],
            "body": [f"red fish {k} blue bird song" if k % 2 else "old stone house\r\nby a river " for k in range(M)],
            "vec": [list(map(float, rng.normal(size=3))) for _ in range(M)],
            "author": [f"a{k % 20}" for k in range(M)],
        }
    )
    pairs = pl.DataFrame(
        {
            "user_id": [f"u{k}" for k in rng.integers(0, N, PAIRS)],
            "item_id": [f"i{k}" for k in rng.integers(0, M - 1, PAIRS)],
            "label": rng.integers(0, 2, PAIRS),
            "time": rng.integers(0, 10**6, PAIRS),
        }
    ).unique(["user_id", "item_id"], maintain_order=True)
    fields = (
        Field(name="age", side="user", kind="numeric", unit="years"),
        Field(name="vip", side="user", kind="binary"),
        Field(name="town", side="user", kind="category"),
        Field(name="past", side="user", kind="history"),
        Field(name="price", side="item", kind="numeric", scale="log"),
        Field(name="mood", side="item", kind="category", title="<b>mood</b>"),
        Field(name="topics", side="item", kind="tags"),
        Field(name="day", side="item", kind="date"),
        Field(name="at", side="item", kind="date"),
        Field(name="body", side="item", kind="text", size=4),
        Field(name="vec", side="item", kind="vector"),
        Field(name="author", side="item", kind="id"),
    )
    schema = Schema(user_id="user_id", item_id="item_id", item_name="title", time="time", fields=fields)
    return Tables(schema, users, items, pairs)
